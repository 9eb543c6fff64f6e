import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { graphql } from '../../graphql/tada.ts'
import type { BulkOutcome } from './use-bulk-change.ts'

const RefusedTicketsQuery = graphql(`
  query RefusedTickets($ids: [UUID!]!) {
    tickets(first: 100, filter: { rowId: { in: $ids } }) {
      nodes {
        id
        rowId
        number
        reference
        subject
      }
    }
  }
`)

/** As many refusals as are listed; who has more looks at these first. */
const LISTED = 100

export interface BulkOutcomeDialogProps {
  outcome: BulkOutcome | null
  onStop: () => void
  onClose: () => void
}

/** How far a long change is, and what became of each ticket that was refused. */
export function BulkOutcomeDialog({ outcome, onStop, onClose }: BulkOutcomeDialogProps) {
  const { t, i18n } = useTranslation(['tickets', 'components', 'errors'])
  const refused = outcome?.refused.slice(0, LISTED) ?? []
  const [{ data }] = useQuery({
    query: RefusedTicketsQuery,
    variables: { ids: refused.map(({ ticketId }) => ticketId) },
    pause: !outcome || outcome.isRunning || refused.length === 0,
  })
  if (!outcome) return null
  const amount = (value: number) => new Intl.NumberFormat(i18n.language).format(value)
  const close = outcome.isRunning ? onStop : onClose
  const known = new Map((data?.tickets.nodes ?? []).map((node) => [node?.rowId, node]))
  return (
    <Dialog title={t(outcome.isRunning ? 'bulk.running' : 'bulk.done')} isOpen onClose={close}>
      {outcome.isRunning ? (
        <div className="flex flex-col gap-3">
          <progress
            max={outcome.total}
            value={outcome.done}
            aria-label={t('bulk.running')}
            className="h-2 w-full accent-accent"
          />
          <p className="figures text-sm text-muted">
            {t('bulk.progress', { done: amount(outcome.done), total: amount(outcome.total) })}
          </p>
        </div>
      ) : (
        <>
          <p className="text-sm">
            {t('bulk.changed', { count: outcome.changed, amount: amount(outcome.changed) })}{' '}
            {t('bulk.refused', { count: outcome.refused.length, amount: amount(outcome.refused.length) })}
          </p>
          {outcome.problem && (
            <InlineAlert>
              {t('bulk.interrupted', { count: outcome.total - outcome.done })}{' '}
              {t(`errors:${outcome.problem}`)}
            </InlineAlert>
          )}
          {refused.length > 0 && (
            <ul className="flex max-h-80 flex-col divide-y divide-border overflow-auto rounded-md border border-border">
              {refused.map(({ ticketId, code }) => {
                const ticket = known.get(ticketId)
                return (
                  <li key={ticketId} className="flex flex-col gap-0.5 px-3 py-2 text-sm">
                    {ticket ? (
                      <TextLink to={`/desk/tickets/${ticket.number}`} className="[overflow-wrap:anywhere]">
                        {ticket.reference} {ticket.subject}
                      </TextLink>
                    ) : (
                      <span className="text-muted">{t('bulk.unknown')}</span>
                    )}
                    <span className="text-muted">{t(`errors:${code}`)}</span>
                  </li>
                )
              })}
            </ul>
          )}
        </>
      )}
      <div className="flex justify-end">
        <Button onPress={close}>{t(outcome.isRunning ? 'bulk.stop' : 'components:close')}</Button>
      </div>
    </Dialog>
  )
}
