import { useTranslation } from 'react-i18next'
import { optionClass } from '../../components/option-classes.ts'
import { classNames } from '../../lib/class-names.ts'

export interface CannedListProps {
  id: string
  optionId: (index: number) => string
  choices: readonly { cannedResponseId: string; folder: string; title: string; filledBody: string }[]
  /** Whether these are the answer to what was typed last. */
  isSettled: boolean
  active: number
  onPick: (index: number) => void
}

/** The prepared texts that were found, above the text; the focus stays in the text. */
export function CannedList({ id, optionId, choices, isSettled, active, onPick }: CannedListProps) {
  const { t } = useTranslation('comments')
  return (
    <div className="absolute inset-x-2 bottom-full z-20 mb-1 max-w-xl rounded-lg border border-border bg-raised p-1 shadow-overlay">
      <div role="status" className="sr-only">
        {isSettled && t('canned.found', { count: choices.length })}
      </div>
      {choices.length === 0 ? (
        <p className="px-2.5 py-2 text-sm text-muted">{t(isSettled ? 'canned.none' : 'canned.looking')}</p>
      ) : (
        <ul id={id} role="listbox" aria-label={t('canned.label')} className="max-h-72 overflow-y-auto">
          {choices.map((choice, index) => (
            <li
              key={choice.cannedResponseId}
              id={optionId(index)}
              role="option"
              tabIndex={-1}
              aria-selected={index === active}
              ref={(element) => {
                if (index === active) element?.scrollIntoView({ block: 'nearest' })
              }}
              onPointerDown={(event) => {
                event.preventDefault()
                onPick(index)
              }}
              className={classNames(optionClass, 'cursor-default', index === active && 'bg-hover')}
            >
              <span className="min-w-0 flex-1">
                <span className="flex items-baseline gap-2">
                  <span className="truncate font-medium">{choice.title}</span>
                  {choice.folder !== '' && (
                    <span className="shrink-0 text-xs text-muted">{choice.folder}</span>
                  )}
                </span>
                <span className="block truncate text-muted">{choice.filledBody}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
