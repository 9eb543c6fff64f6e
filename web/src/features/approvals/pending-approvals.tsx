import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery, useSubscription } from 'urql'
import { Card } from '../../components/card.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { Answer } from './answer.tsx'

const PendingApprovalsQuery = graphql(`
  query PendingApprovals {
    pendingApprovals(first: 50) {
      nodes {
        id
        rowId
        question
        ticketReference
        requestedAt
        requestedBy {
          id
          name
        }
      }
    }
  }
`)

const ApprovalEvents = graphql(`
  subscription ApprovalEvents {
    inboxChanged {
      event
      eventId
    }
  }
`)

/**
 * What the reader is asked to approve; nothing at all when there is nothing. It is part of another page, so a read that
 * failed leaves that page as it is and is tried again with it.
 */
export function PendingApprovals({ className }: { className?: string }) {
  const { t } = useTranslation('approvals')
  const [{ data }, reread] = useQuery({ query: PendingApprovalsQuery, requestPolicy: 'cache-and-network' })
  const rereadSoon = useReread(() => reread({ requestPolicy: 'network-only' }))
  const [{ data: news }] = useSubscription({ query: ApprovalEvents })
  const happened = news?.inboxChanged
  useEffect(() => {
    if (happened?.event.startsWith('approval_')) rereadSoon()
  }, [happened, rereadSoon])
  const approvals = (data?.pendingApprovals.nodes ?? []).filter((node) => node !== null)
  if (approvals.length === 0) return null
  return (
    <section aria-labelledby="pending-approvals" className={classNames('flex flex-col gap-3', className)}>
      <h2 id="pending-approvals" className="text-lg font-semibold">
        {t('pending.title')}
      </h2>
      <Card>
        <ul className="divide-y divide-border">
          {approvals.map((approval) => (
            <li key={approval.id} className="flex flex-col gap-3 p-4 sm:p-5">
              <p className="flex flex-wrap gap-x-2 text-sm text-muted">
                <span className="figures">{approval.ticketReference}</span>
                <span>
                  {approval.requestedBy
                    ? t('pending.from', { name: approval.requestedBy.name })
                    : t('pending.fromSomebody')}
                </span>
                <RelativeTime at={approval.requestedAt} />
              </p>
              <p className="whitespace-pre-line [overflow-wrap:anywhere]">{approval.question}</p>
              <Answer approvalId={approval.rowId} onAnswered={rereadSoon} />
            </li>
          ))}
        </ul>
      </Card>
    </section>
  )
}
