import { ArrowLeft, ChevronDown } from 'lucide-react'
import { useCallback, useId, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate, useParams } from 'react-router'
import { useQuery } from 'urql'
import { Deadline } from '../../../components/deadline.tsx'
import { BottomDock } from '../../../components/bottom-dock.tsx'
import { ButtonLink } from '../../../components/button-link.tsx'
import { EmptyState } from '../../../components/empty-state.tsx'
import { ErrorState } from '../../../components/error-state.tsx'
import { PanelSection } from '../../../components/panel-section.tsx'
import { PageHeading } from '../../../components/page-heading.tsx'
import { PriorityMark } from '../../../components/priority-mark.tsx'
import { Skeleton } from '../../../components/skeleton.tsx'
import { StatusPill } from '../../../components/status-pill.tsx'
import { Approvals, ApprovalsFragment } from '../../../features/approvals/approvals.tsx'
import { Checklist, ChecklistFragment } from '../../../features/checklists/checklist.tsx'
import { MacroMenu } from '../../../features/canned-responses/macro-menu.tsx'
import { Composer, SEND_KEYS, type ComposerHandle } from '../../../features/comments/composer.tsx'
import { Timeline, timelineConnection, TimelineQuery } from '../../../features/comments/timeline.tsx'
import { TicketFields, TicketFieldsFragment } from '../../../features/custom-fields/ticket-fields.tsx'
import { RequesterCard, RequesterCardFragment } from '../../../features/identity/requester-card.tsx'
import { PresentFaces, TypingGuard } from '../../../features/presence/ticket-presence.tsx'
import { usePresence } from '../../../features/presence/use-presence.ts'
import { TicketRating, TicketRatingFragment } from '../../../features/satisfaction/ticket-rating.tsx'
import { SlaClocks, SlaClocksFragment } from '../../../features/sla/sla-clocks.tsx'
import { TicketMenu, TicketMenuFragment } from '../../../features/ticket-work/ticket-menu.tsx'
import { TicketNotices, TicketNoticesFragment } from '../../../features/ticket-work/ticket-notices.tsx'
import {
  TicketRelationships,
  TicketRelationshipsFragment,
} from '../../../features/ticket-work/ticket-relationships.tsx'
import { TicketTags, TicketTagsFragment } from '../../../features/ticket-work/ticket-tags.tsx'
import { TicketWatchers, TicketWatchersFragment } from '../../../features/ticket-work/ticket-watchers.tsx'
import { TicketTime } from '../../../features/time/ticket-time.tsx'
import { inboxPlace } from '../../../features/tickets/inbox-place.ts'
import { TicketProperties, TicketPropertiesFragment } from '../../../features/tickets/ticket-properties.tsx'
import { useTicketRead } from '../../../features/notifications/use-notifications.ts'
import { useTicketChanges } from '../../../features/tickets/use-ticket-changes.ts'
import { problemOf } from '../../../graphql/errors.ts'
import { usePages } from '../../../graphql/pages.ts'
import { useReread } from '../../../graphql/reread.ts'
import { graphql } from '../../../graphql/tada.ts'
import { classNames } from '../../../lib/class-names.ts'
import { useSessionUser } from '../../../lib/session.ts'
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
        state {
          id
          name
        }
        priority
        channel
        createdAt
        nextDueAt
        mergedIntoId
        lastCommentAt
        requester {
          id
          name
          ...RequesterCard
        }
        ...TicketMenu
        ...TicketNotices
        ...TicketProperties
        ...TicketFields
        ...TicketTags
        ...TicketWatchers
        ...TicketRelationships
        ...SlaClocks
        ...TicketRating
        ...Checklist
        ...Approvals
      }
    }
  `,
  [
    RequesterCardFragment,
    TicketMenuFragment,
    TicketNoticesFragment,
    TicketPropertiesFragment,
    TicketFieldsFragment,
    TicketTagsFragment,
    TicketWatchersFragment,
    TicketRelationshipsFragment,
    SlaClocksFragment,
    TicketRatingFragment,
    ChecklistFragment,
    ApprovalsFragment,
  ],
)

/** A ticket as the team works on it. */
export function Component() {
  const number = ticketNumber(useParams()['number'])
  // A new ticket is a new page: nothing of the one before may stay, least of all its draft.
  return number === null ? <NotFoundPage /> : <DeskTicket key={number} number={number} />
}

function DeskTicket({ number }: { number: number }) {
  const { t } = useTranslation(['tickets', 'errors'])
  const navigate = useNavigate()
  const user = useSessionUser()
  const composer = useRef<ComposerHandle>(null)
  const [{ data, error, fetching }, reread] = useQuery({ query: DeskTicketQuery, variables: { number } })
  const timeline = usePages({
    document: TimelineQuery,
    variables: { number, forTeam: true },
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
  useTicketRead(ticket?.rowId)
  const people = usePresence(ticket?.rowId)
  useShortcuts([
    { key: 'c', label: t('shortcuts.reply'), run: () => composer.current?.write('public') },
    { key: 'n', label: t('shortcuts.note'), run: () => composer.current?.write('internal') },
    { key: SEND_KEYS, label: t('shortcuts.send') },
    { key: 'Esc', label: t('shortcuts.leave') },
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
      {/* Where there is no room beside it, the panel lies between the heading and the conversation. */}
      <div className="contents min-w-0 flex-1 flex-col xl:flex">
        <header className="sticky top-14 z-20 order-1 border-b border-border bg-canvas px-4 pt-2 pb-2.5 md:px-6 lg:top-0 lg:pt-3 lg:pb-3.5 xl:order-none">
          <div className="mx-auto grid max-w-4xl grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1">
            <div className="col-start-1 row-start-1 flex items-center gap-3 text-sm text-muted max-lg:min-h-7 lg:col-span-2">
              <Link
                to={inboxPlace()}
                className="touch-target -ms-1 inline-flex items-center gap-1 rounded-sm px-1 hover:text-text"
              >
                <ArrowLeft className="size-4 rtl:-scale-x-100" aria-hidden="true" />
                <span className="max-sm:sr-only">{t('ticket.back')}</span>
              </Link>
              <span className="figures whitespace-nowrap">{ticket.reference}</span>
              <span className="ms-auto flex items-center gap-2">
                <PresentFaces people={people} />
                <TicketMenu ticket={ticket} onChanged={rereadSoon} />
              </span>
            </div>
            <PageHeading
              title={`${ticket.reference} ${ticket.subject}`}
              className="col-start-1 row-start-2 line-clamp-2 text-base [overflow-wrap:anywhere] max-lg:col-span-2 max-lg:leading-5 lg:line-clamp-none lg:text-xl"
            >
              {ticket.subject}
            </PageHeading>
            <StatusPill
              status={ticket.status}
              name={ticket.state?.name}
              className="col-start-2 row-start-1 justify-self-end lg:row-start-2 lg:mt-0.5 lg:self-start"
            />
          </div>
        </header>
        <div className="order-3 flex flex-1 flex-col px-4 md:px-6 xl:order-none">
          <div className="mx-auto flex w-full max-w-4xl flex-1 flex-col">
            <TicketNotices ticket={ticket} onChanged={rereadSoon} />
            <div className="flex-1 py-6">
              <Timeline pages={timeline} audience="team" />
            </div>
            <BottomDock>
              <TypingGuard ticketId={ticket.rowId} people={people}>
                <Composer
                  ref={composer}
                  ticketId={ticket.rowId}
                  audience="team"
                  requesterName={ticket.requester?.name}
                  lastCommentAt={ticket.lastCommentAt}
                  isClosed={ticket.status === 'closed'}
                  tools={<MacroMenu ticketId={ticket.rowId} onApplied={rereadSoon} />}
                  onSent={rereadSoon}
                />
              </TypingGuard>
            </BottomDock>
          </div>
        </div>
      </div>
      <TicketPanel
        summary={
          <>
            {ticket.nextDueAt && <Deadline dueAt={ticket.nextDueAt} />}
            <PriorityMark priority={ticket.priority} />
          </>
        }
      >
        {/* Where the window is narrow the heading ends after two lines, which 40 characters fit into in any script. */}
        {ticket.subject.length > 40 && (
          <p className="font-semibold [overflow-wrap:anywhere] lg:hidden">{ticket.subject}</p>
        )}
        {ticket.requester && <RequesterCard requester={ticket.requester} />}
        <PanelSection title={t('ticket.properties')}>
          <TicketProperties ticket={ticket} />
        </PanelSection>
        <SlaClocks ticket={ticket} />
        <TicketRating ticket={ticket} />
        <TicketFields ticket={ticket} />
        <TicketTags ticket={ticket} />
        <Checklist ticket={ticket} onChanged={rereadSoon} />
        <Approvals ticket={ticket} userId={user.id} onChanged={rereadSoon} />
        <TicketRelationships ticket={ticket} onChanged={rereadSoon} />
        <TicketWatchers ticket={ticket} />
        <TicketTime ticketId={ticket.rowId} isMerged={ticket.mergedIntoId !== null} />
      </TicketPanel>
    </div>
  )
}

/** Beside the conversation where there is room; folded under the heading where there is not. */
function TicketPanel({ summary, children }: { summary: ReactNode; children: ReactNode }) {
  const { t } = useTranslation('tickets')
  const [isOpen, setIsOpen] = useState(false)
  const id = useId()
  return (
    <aside
      aria-label={t('ticket.details')}
      className="order-2 border-b border-border bg-surface xl:sticky xl:top-0 xl:order-none xl:h-dvh xl:w-80 xl:shrink-0 xl:overflow-y-auto xl:border-s xl:border-b-0 2xl:w-96"
    >
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
        className="flex min-h-11 w-full items-center gap-3 px-4 text-sm font-medium md:px-6 xl:hidden"
      >
        {t('ticket.details')}
        <span className="ms-auto flex items-center gap-3 font-normal">{summary}</span>
        <ChevronDown
          className={classNames('size-4 text-muted transition-transform', isOpen && 'rotate-180')}
          aria-hidden="true"
        />
      </button>
      <div
        id={id}
        className={classNames(
          'flex-col gap-4 px-4 pt-1 pb-6 md:px-6 xl:flex xl:px-5 xl:py-5',
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
