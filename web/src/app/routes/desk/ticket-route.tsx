import { ArrowLeft, ChevronDown } from 'lucide-react'
import { useCallback, useId, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate, useParams } from 'react-router'
import { useQuery } from 'urql'
import { Deadline } from '../../../components/deadline.tsx'
import { ButtonLink } from '../../../components/button-link.tsx'
import { EmptyState } from '../../../components/empty-state.tsx'
import { ErrorState } from '../../../components/error-state.tsx'
import { PageHeading } from '../../../components/page-heading.tsx'
import { PriorityMark } from '../../../components/priority-mark.tsx'
import { Skeleton } from '../../../components/skeleton.tsx'
import { StatusPill } from '../../../components/status-pill.tsx'
import { Composer, type ComposerHandle } from '../../../features/comments/composer.tsx'
import { Timeline, timelineConnection, TimelineQuery } from '../../../features/comments/timeline.tsx'
import { RequesterCard, RequesterCardFragment } from '../../../features/identity/requester-card.tsx'
import { SlaClocks, SlaClocksFragment } from '../../../features/sla/sla-clocks.tsx'
import { inboxPlace } from '../../../features/tickets/inbox-place.ts'
import { TicketProperties, TicketPropertiesFragment } from '../../../features/tickets/ticket-properties.tsx'
import { useTicketChanges } from '../../../features/tickets/use-ticket-changes.ts'
import { problemOf } from '../../../graphql/errors.ts'
import { usePages } from '../../../graphql/pages.ts'
import { useReread } from '../../../graphql/reread.ts'
import { graphql } from '../../../graphql/tada.ts'
import { classNames } from '../../../lib/class-names.ts'
import { useShortcuts } from '../../../lib/shortcuts.ts'
import { ticketNumber } from '../ticket-number.ts'
import { NotFoundPage } from '../not-found-page.tsx'

const DeskTicketQuery = graphql(
  `
    query DeskTicket($number: Int!) {
      ticketByNumber(number: $number) {
        id
        rowId
        reference
        subject
        status
        priority
        channel
        createdAt
        nextDueAt
        requester {
          id
          name
          ...RequesterCard
        }
        ...TicketProperties
        ...SlaClocks
      }
    }
  `,
  [RequesterCardFragment, TicketPropertiesFragment, SlaClocksFragment],
)

/** A ticket as the team works on it. */
export function Component() {
  const number = ticketNumber(useParams()['number'])
  // A new ticket is a new page: nothing of the one before may stay, least of all its draft.
  return number === null ? <NotFoundPage /> : <DeskTicket key={number} number={number} />
}

function DeskTicket({ number }: { number: number }) {
  const { t } = useTranslation(['tickets', 'sla', 'errors'])
  const navigate = useNavigate()
  const composer = useRef<ComposerHandle>(null)
  const [{ data, error, fetching }, reread] = useQuery({ query: DeskTicketQuery, variables: { number } })
  const timeline = usePages({
    document: TimelineQuery,
    variables: { number },
    connectionOf: timelineConnection,
  })
  const rereadTimeline = timeline.reread
  const rereadSoon = useReread(
    useCallback(() => {
      reread({ requestPolicy: 'network-only' })
      rereadTimeline()
    }, [reread, rereadTimeline]),
  )
  const ticket = data?.ticketByNumber
  useTicketChanges(ticket?.rowId, rereadSoon)
  useShortcuts([
    { key: 'c', label: t('shortcuts.reply'), run: () => composer.current?.write('public') },
    { key: 'n', label: t('shortcuts.note'), run: () => composer.current?.write('internal') },
    { key: 'u', label: t('shortcuts.back'), run: () => void navigate(inboxPlace()) },
  ])

  if (!ticket) {
    if (error) {
      return (
        <ErrorState isPage title={t('ticket.error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      )
    }
    if (fetching || data === undefined) return <LoadingTicket label={t('ticket.loading')} />
    return (
      <EmptyState
        isPage
        title={t('ticket.notFoundTitle')}
        action={<ButtonLink to={inboxPlace()}>{t('ticket.back')}</ButtonLink>}
      >
        {t('ticket.notFoundBody')}
      </EmptyState>
    )
  }

  return (
    <div className="flex flex-1 flex-col xl:flex-row">
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="border-b border-border bg-canvas px-4 pt-3 pb-3.5 md:px-6 lg:sticky lg:top-0 lg:z-20">
          <div className="mx-auto flex max-w-4xl flex-col gap-1">
            <div className="flex items-center gap-3 text-sm text-muted">
              <Link
                to={inboxPlace()}
                className="-ms-1 inline-flex items-center gap-1 rounded-sm px-1 hover:text-text"
              >
                <ArrowLeft className="size-4 rtl:-scale-x-100" aria-hidden="true" />
                {t('ticket.back')}
              </Link>
              <span className="figures">{ticket.reference}</span>
              {ticket.nextDueAt && <Deadline dueAt={ticket.nextDueAt} className="ms-auto xl:hidden" />}
            </div>
            <div className="flex items-start justify-between gap-4">
              <PageHeading
                title={`${ticket.reference} ${ticket.subject}`}
                className="min-w-0 text-xl [overflow-wrap:anywhere]"
              >
                {ticket.subject}
              </PageHeading>
              <StatusPill status={ticket.status} className="mt-0.5" />
            </div>
          </div>
        </header>
        <div className="flex flex-1 flex-col px-4 md:px-6">
          <div className="mx-auto flex w-full max-w-4xl flex-1 flex-col">
            <div className="flex-1 py-6">
              <Timeline pages={timeline} audience="team" />
            </div>
            <div className="sticky bottom-0 z-10 -mx-1 bg-canvas px-1 pb-4">
              <Composer
                ref={composer}
                ticketId={ticket.rowId}
                audience="team"
                requesterName={ticket.requester?.name}
                isClosed={ticket.status === 'closed'}
                onSent={rereadSoon}
              />
            </div>
          </div>
        </div>
      </div>
      <TicketPanel summary={<PriorityMark priority={ticket.priority} />}>
        {ticket.requester && <RequesterCard requester={ticket.requester} />}
        <section
          aria-labelledby="properties-heading"
          className="flex flex-col gap-3 border-t border-border pt-5"
        >
          <h2 id="properties-heading" className="text-sm font-semibold">
            {t('ticket.properties')}
          </h2>
          <TicketProperties ticket={ticket} />
        </section>
        <section aria-labelledby="sla-heading" className="flex flex-col gap-3 border-t border-border pt-5">
          <h2 id="sla-heading" className="text-sm font-semibold">
            {t('sla:title')}
          </h2>
          <SlaClocks ticket={ticket} />
        </section>
      </TicketPanel>
    </div>
  )
}

/** Beside the conversation where there is room; above it, folded, where there is not. */
function TicketPanel({ summary, children }: { summary: ReactNode; children: ReactNode }) {
  const { t } = useTranslation('tickets')
  const [isOpen, setIsOpen] = useState(false)
  const id = useId()
  return (
    <aside
      aria-label={t('ticket.properties')}
      className="order-first border-b border-border bg-surface xl:sticky xl:top-0 xl:order-none xl:h-dvh xl:w-80 xl:shrink-0 xl:overflow-y-auto xl:border-s xl:border-b-0 2xl:w-96"
    >
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
        className="flex min-h-11 w-full items-center gap-3 px-4 text-sm font-medium md:px-6 xl:hidden"
      >
        {t('ticket.properties')}
        <span className="ms-auto font-normal">{summary}</span>
        <ChevronDown
          className={classNames('size-4 text-muted transition-transform', isOpen && 'rotate-180')}
          aria-hidden="true"
        />
      </button>
      <div
        id={id}
        className={classNames(
          'flex-col gap-6 px-4 pt-1 pb-6 md:px-6 xl:flex xl:px-5 xl:py-5',
          isOpen ? 'flex' : 'hidden',
        )}
      >
        {children}
      </div>
    </aside>
  )
}

function LoadingTicket({ label }: { label: string }) {
  return (
    <div
      role="status"
      aria-label={label}
      className="mx-auto flex w-full max-w-4xl flex-col gap-4 px-4 py-6 md:px-6"
    >
      <Skeleton className="h-4 w-40" />
      <Skeleton className="h-7 w-3/5" />
      <Skeleton className="mt-6 h-36 rounded-xl" />
      <Skeleton className="h-24 rounded-xl" />
    </div>
  )
}
