import { useTranslation } from 'react-i18next'
import { Avatar } from '../../components/avatar.tsx'
import { optionClass } from '../../components/option-classes.ts'
import { classNames } from '../../lib/class-names.ts'
import type { Mentionable } from './mentions.ts'

export interface MentionListProps {
  id: string
  optionId: (index: number) => string
  people: readonly Mentionable[]
  active: number
  onPick: (person: Mentionable) => void
}

/** Those who may be meant, above the text; the focus stays in the text. */
export function MentionList({ id, optionId, people, active, onPick }: MentionListProps) {
  const { t } = useTranslation('comments')
  return (
    <div className="absolute inset-x-0 bottom-full z-20 mb-1 max-w-80 rounded-lg border border-border bg-raised p-1 shadow-overlay">
      <ul id={id} role="listbox" aria-label={t('mentions.label')}>
        {people.map((person, index) => (
          <li
            key={person.rowId}
            id={optionId(index)}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onPointerDown={(event) => {
              event.preventDefault()
              onPick(person)
            }}
            className={classNames(optionClass, 'cursor-default', index === active && 'bg-hover')}
          >
            <Avatar name={person.name} size="small" />
            <span className="truncate">{person.name}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
