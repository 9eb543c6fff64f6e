import { ArrowLeft } from 'lucide-react'
import { useCallback } from 'react'
import { Trans, useTranslation } from 'react-i18next'
import { Link, useNavigate, useParams } from 'react-router'
import { useQuery } from 'urql'
import { BottomDock } from '../../../components/bottom-dock.tsx'
import { ButtonLink } from '../../../components/button-link.tsx'
import { EmptyState } from '../../../components/empty-state.tsx'
import { ErrorState } from '../../../components/error-state.tsx'
import { PageHeading } from '../../../components/page-heading.tsx'
import { RelativeTime } from '../../../components/relative-time.tsx'
import { Skeleton } from '../../../components/skeleton.tsx'
import { StatusPill } from '../../../components/status-pill.tsx'
import { TextLink } from '../../../components/text-link.tsx'
import { Composer } from '../../../features/comments/composer.tsx'
import { Timeline, timelineConnection, TimelineQuery } from '../../../features/comments/timeline.tsx'
import { SharedFields } from '../../../features/custom-fields/ticket-fields.tsx'
import { useTicketRead } from '../../../features/notifications/use-notifications.ts'
import {
  PortalSurvey,
  PortalSurveyFragment,
  useOpenSurvey,
} from '../../../features/satisfaction/portal-survey.tsx'
import { useTicketChanges } from '../../../features/tickets/use-ticket-changes.ts'
import { problemOf } from '../../../graphql/errors.ts'
import { usePages } from '../../../graphql/pages.ts'
import { useReread } from '../../../graphql/reread.ts'
import { graphql } from '../../../graphql/tada.ts'
import { ticketNumber } from '../ticket-number.ts'
import { NotFoundPage } from '../not-found-page.tsx'

const PortalTicketQuery = graphql(
  `
    query PortalTicket($number: Int!) {
      ticketByNumber(number: $number) {
        id
        rowId
        reference
        subject
        status
        state {
          id
          name
        }
        mergedIntoId
        mergedInto {
          id
          number
          reference
          subject
        }
        updatedAt
        customFields
        service {
          id
          name
        }
        survey {
          id
          ...PortalSurvey
        }
      }
    }
  `,
  [PortalSurveyFragment],
)

/** A request as the person who made it follows it. */
export function Component() {
  const number = ticketNumber(useParams()['number'])
  return number === null ? <NotFoundPage /> : <PortalTicket key={number} number={number} />
}

function PortalTicket({ number }: { number: number }) {
  const { t } = useTranslation(['tickets', 'comments', 'errors'])
  const [{ data, error, fetching }, reread] = useQuery({ query: PortalTicketQuery, variables: { number } })
  const timeline = usePages({
    document: TimelineQuery,
    variables: { number, forTeam: false },
    connectionOf: timelineConnection,
  })
  const rereadTimeline = timeline.reread
  const rereadSoon = useReread(
    useCallback(() => {
      reread({ requestPolicy: 'network-only' })
      rereadTimeline()
    }, [reread, rereadTimeline]),
  )
  const navigate = useNavigate()
  const ticket = data?.ticketByNumber
  useTicketChanges(ticket?.rowId, rereadSoon)
  useTicketRead(ticket?.rowId)
  const survey = useOpenSurvey(ticket?.survey)

  if (!ticket) {
    if (error) {
      return (
        <ErrorState isPage title={t('ticket.error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      )
    }
    if (fetching || data === undefined) {
      return (
        <div role="status" aria-label={t('ticket.loading')} className="mx-auto flex max-w-3xl flex-col gap-4">
          <Skeleton className="h-4 w-32" />
          <Skeleton className="h-9 w-3/5" />
          <Skeleton className="mt-4 h-36 rounded-xl" />
        </div>
      )
    }
    return (
      <EmptyState
        isPage
        title={t('ticket.notFoundTitle')}
        action={<ButtonLink to="/portal">{t('ticket.backToMine')}</ButtonLink>}
      >
        {t('ticket.notFoundBody')}
      </EmptyState>
    )
  }

  return (
    <div className="mx-auto flex max-w-3xl flex-col gap-7">
      <header className="flex flex-col gap-3">
        <Link
          to="/portal"
          className="-ms-1 inline-flex items-center gap-1 self-start rounded-sm px-1 text-sm text-muted hover:text-text"
        >
          <ArrowLeft className="size-4 rtl:-scale-x-100" aria-hidden="true" />
          {t('ticket.backToMine')}
        </Link>
        <PageHeading title={`${ticket.reference} ${ticket.subject}`} className="[overflow-wrap:anywhere]">
          {ticket.subject}
        </PageHeading>
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1.5 text-sm text-muted">
          <StatusPill status={ticket.status} name={ticket.state?.name} />
          <span className="figures">{ticket.reference}</span>
          {ticket.service && <span>{ticket.service.name}</span>}
          <span>
            {t('ticket.updated')} <RelativeTime at={ticket.updatedAt} />
          </span>
        </p>
      </header>
      <SharedFields values={ticket.customFields} />
      <Timeline pages={timeline} audience="requester" />
      {survey && <PortalSurvey survey={survey} />}
      {ticket.mergedIntoId ? (
        <GoesOn target={ticket.mergedInto} />
      ) : ticket.status === 'closed' ? (
        <div className="flex flex-wrap items-center justify-between gap-3 rounded-xl border border-border bg-surface px-4 py-3">
          <p className="text-muted">{t('comments:composer.closed')}</p>
          <ButtonLink to="/portal/new">{t('comments:composer.closedAction')}</ButtonLink>
        </div>
      ) : (
        <BottomDock isDocked={survey === null}>
          {ticket.status === 'resolved' && (
            <p className="px-1 py-2 text-sm text-muted">{t('comments:composer.reopens')}</p>
          )}
          <Composer
            ticketId={ticket.rowId}
            audience="requester"
            onSent={rereadSoon}
            onFollowUp={(body) =>
              void navigate('/portal/new', {
                state: { start: { subject: t('form.followUp', { subject: ticket.subject }), body } },
              })
            }
          />
        </BottomDock>
      )}
    </div>
  )
}

interface GoesOnProps {
  /** Null when it is somebody else's. */
  target: { number: number; reference: string; subject: string } | null
}

/** Where a request that was merged is answered. */
function GoesOn({ target }: GoesOnProps) {
  const { t } = useTranslation('tickets')
  return (
    <div className="rounded-xl border border-border bg-surface px-4 py-3 text-muted [overflow-wrap:anywhere]">
      {target ? (
        <Trans
          t={t}
          i18nKey="ticket.goesOn"
          values={{ reference: target.reference, subject: target.subject }}
          components={{ ticket: <TextLink to={`/portal/tickets/${target.number}`} /> }}
        />
      ) : (
        t('ticket.goesOnUnseen')
      )}
    </div>
  )
}
