import { Eye, EyeOff, UserPlus, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Avatar } from '../../components/avatar.tsx'
import { Button } from '../../components/button.tsx'
import { PanelSection } from '../../components/panel-section.tsx'
import { PersonField } from '../../components/person-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSessionUser } from '../../lib/session.ts'

export const TicketWatchersFragment = graphql(`
  fragment TicketWatchers on Ticket {
    id
    rowId
    watchers(first: 100) {
      nodes {
        id
        userId
        user {
          id
          name
        }
      }
    }
  }
`)

const WatchTicket = graphql(
  `
    mutation WatchTicket($ticketId: UUID!, $userId: UUID!) {
      watchTicket(input: { ticketId: $ticketId, userId: $userId }) {
        ticket {
          id
          ...TicketWatchers
        }
      }
    }
  `,
  [TicketWatchersFragment],
)

const UnwatchTicket = graphql(
  `
    mutation UnwatchTicket($ticketId: UUID!, $userId: UUID!) {
      unwatchTicket(input: { ticketId: $ticketId, userId: $userId }) {
        ticket {
          id
          ...TicketWatchers
        }
      }
    }
  `,
  [TicketWatchersFragment],
)

/** Who is told how a ticket goes on without working on it. */
export function TicketWatchers({ ticket }: { ticket: FragmentOf<typeof TicketWatchersFragment> }) {
  const { t } = useTranslation(['ticket-work', 'components', 'errors'])
  const user = useSessionUser()
  const { rowId, watchers } = readFragment(TicketWatchersFragment, ticket)
  const people = watchers.nodes
    .flatMap((node) => (node ? [{ id: node.userId, name: node.user?.name ?? t('watchers.somebody') }] : []))
    .sort((one, other) => one.name.localeCompare(other.name))
  const [, watch] = useMutation(WatchTicket)
  const [, unwatch] = useMutation(UnwatchTicket)
  const [isAdding, setIsAdding] = useState(false)
  const isWatching = people.some(({ id }) => id === user.id)

  async function change(how: typeof watch | typeof unwatch, userId: string) {
    const { error } = await how({ ticketId: rowId, userId })
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
  }

  return (
    <PanelSection
      title={t('watchers.title')}
      count={people.length}
      foldsAs={isAdding ? undefined : 'watchers'}
      actions={
        <>
          <Button
            size="small"
            variant="quiet"
            className="text-accent-text"
            onPress={() => void change(isWatching ? unwatch : watch, user.id)}
          >
            {isWatching ? (
              <EyeOff className="size-4" aria-hidden="true" />
            ) : (
              <Eye className="size-4" aria-hidden="true" />
            )}
            {t(isWatching ? 'watchers.unwatch' : 'watchers.watch')}
          </Button>
          <Button
            variant="quiet"
            size="small"
            isIconOnly
            aria-label={t('watchers.add')}
            aria-expanded={isAdding}
            onPress={() => setIsAdding(!isAdding)}
          >
            <UserPlus className="size-4" aria-hidden="true" />
          </Button>
        </>
      }
    >
      {(people.length > 0 || isAdding) && (
        <>
          {people.length > 0 && (
            <ul className="flex flex-col gap-1">
              {people.map(({ id, name }) => (
                <li key={id} className="flex items-center gap-2 text-sm">
                  <Avatar name={name} size="small" />
                  <span className="min-w-0 flex-1 truncate">{name}</span>
                  {id === user.id && <span className="text-muted">{t('watchers.you')}</span>}
                  <Button
                    variant="quiet"
                    size="small"
                    isIconOnly
                    aria-label={t('components:remove', { name })}
                    onPress={() => void change(unwatch, id)}
                    className="-me-1.5"
                  >
                    <X className="size-3.5" aria-hidden="true" />
                  </Button>
                </li>
              ))}
            </ul>
          )}
          {isAdding && (
            <PersonField
              label={t('watchers.whom')}
              circle="staff"
              value={null}
              except={people.map(({ id }) => id)}
              placeholder={t('person.placeholder')}
              onChange={(person) => {
                setIsAdding(false)
                void change(watch, person.rowId)
              }}
            />
          )}
        </>
      )}
    </PanelSection>
  )
}
