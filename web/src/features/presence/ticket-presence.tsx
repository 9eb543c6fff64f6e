import { PenLine } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Avatar } from '../../components/avatar.tsx'
import { useTypingSignal, type PresentColleague } from './use-presence.ts'

/** How many faces fit beside the number of a ticket. */
const FACES = 4

/** The faces of those who look at this ticket too. */
export function PresentFaces({ people }: { people: readonly PresentColleague[] }) {
  const { t, i18n } = useTranslation('presence')
  if (people.length === 0) return null
  const names = new Intl.ListFormat(i18n.language).format(people.map(({ name }) => name))
  const words = t('here', { count: people.length, names })
  return (
    <span role="img" aria-label={words} title={words} className="flex items-center -space-x-1.5">
      {people.slice(0, FACES).map(({ userId, name, isTyping }) => (
        <span
          key={userId}
          className={isTyping ? 'rounded-full ring-2 ring-accent' : 'rounded-full ring-2 ring-canvas'}
        >
          <Avatar name={name} size="small" />
        </span>
      ))}
      {people.length > FACES && (
        <span className="figures ps-2.5 text-xs">{t('more', { count: people.length - FACES })}</span>
      )}
    </span>
  )
}

export interface TypingGuardProps {
  ticketId: string
  people: readonly PresentColleague[]
  /** Where somebody writes. */
  children: ReactNode
}

/** Around where a reply is written: shows others that one types, and warns before two people answer. */
export function TypingGuard({ ticketId, people, children }: TypingGuardProps) {
  const { t, i18n } = useTranslation('presence')
  const { typed, stopped } = useTypingSignal(ticketId)
  const typing = people.filter(({ isTyping }) => isTyping)
  const names = new Intl.ListFormat(i18n.language).format(typing.map(({ name }) => name))
  return (
    <div
      onInput={typed}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) stopped()
      }}
      onSubmit={stopped}
    >
      <p role="status" className="empty:hidden">
        {typing.length > 0 && (
          <span className="mb-2 flex items-center gap-2 rounded-md bg-info-soft px-3 py-2 text-sm text-info-text">
            <PenLine className="size-4 shrink-0" aria-hidden="true" />
            {t('typing', { count: typing.length, names })}
          </span>
        )}
      </p>
      {children}
    </div>
  )
}
