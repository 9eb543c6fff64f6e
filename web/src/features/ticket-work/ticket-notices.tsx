import { AlarmClock, Merge } from 'lucide-react'
import type { ReactNode } from 'react'
import { Trans, useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useNow } from '../../lib/clock.ts'
import { useMerge } from './use-merge.ts'
import { useSnooze, useTimeInWords } from './use-snooze.ts'

export const TicketNoticesFragment = graphql(`
  fragment TicketNotices on Ticket {
    id
    snoozedUntil
    mergedIntoId
    mergedInto {
      id
      number
      reference
      subject
    }
    merges(first: 50) {
      nodes {
        id
        rowId
        undoneAt
      }
    }
  }
`)

export interface TicketNoticesProps {
  ticket: FragmentOf<typeof TicketNoticesFragment>
  onChanged: () => void
}

/** What one must know before anything else: that the ticket sleeps, or goes on somewhere else. */
export function TicketNotices({ ticket: held, onChanged }: TicketNoticesProps) {
  const { t } = useTranslation('ticket-work')
  const ticket = readFragment(TicketNoticesFragment, held)
  const { id, snoozedUntil, mergedIntoId, mergedInto, merges } = ticket
  const snooze = useSnooze(id, snoozedUntil)
  const inWords = useTimeInWords()
  const { undo } = useMerge(onChanged)
  const now = useNow('minute')
  const merge = merges.nodes.find((node) => node && !node.undoneAt)

  return (
    <>
      {mergedIntoId && (
        <Notice
          sign={<Merge className="size-4" aria-hidden="true" />}
          action={
            merge && (
              <Button size="small" onPress={() => void undo(merge.rowId)}>
                {t('undo')}
              </Button>
            )
          }
        >
          {mergedInto ? (
            <Trans
              t={t}
              i18nKey="merge.goesOn"
              values={{ reference: mergedInto.reference, subject: mergedInto.subject }}
              components={{ ticket: <TextLink to={`/desk/tickets/${mergedInto.number}`} /> }}
            />
          ) : (
            t('merge.goesOnUnseen')
          )}
        </Notice>
      )}
      {snoozedUntil && Date.parse(snoozedUntil) > now && (
        <Notice
          sign={<AlarmClock className="size-4" aria-hidden="true" />}
          action={
            <Button size="small" onPress={() => void snooze(null)}>
              {t('snooze.wake')}
            </Button>
          }
        >
          {t('snooze.sleeps', { time: inWords(snoozedUntil) })}
        </Notice>
      )}
    </>
  )
}

function Notice({ sign, action, children }: { sign: ReactNode; action: ReactNode; children: ReactNode }) {
  return (
    <div className="mt-4 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl border border-border bg-info-soft px-4 py-2.5 text-sm text-info-text">
      {sign}
      <p className="min-w-0 flex-1 basis-48 [overflow-wrap:anywhere]">{children}</p>
      {action}
    </div>
  )
}
