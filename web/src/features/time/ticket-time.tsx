import { History, Pencil, Play, Plus, Square } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery, useSubscription } from 'urql'
import { Button } from '../../components/button.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PanelSection } from '../../components/panel-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useSessionUser } from '../../lib/session.ts'
import { clockOf } from '../../lib/duration.ts'
import { TickingClock } from './running-timer.tsx'
import { TimeActivityChoiceFragment, TimeEntryDialog, TimeEntryDialogFragment } from './time-entry-dialog.tsx'
import { useTimer } from './timer.ts'

const TimeEntryRowFragment = graphql(
  `
    fragment TimeEntryRow on TimeEntry {
      id
      seconds
      workedOn
      isBillable
      isCapped
      note
      agentId
      agent {
        id
        name
      }
      activity {
        id
        name
      }
      corrections(first: 5, orderBy: [PRIMARY_KEY_DESC]) {
        nodes {
          id
          reason
          previousSeconds
          correctedAt
          correctedBy {
            id
            name
          }
        }
      }
      ...TimeEntryDialog
    }
  `,
  [TimeEntryDialogFragment],
)

const TicketTimeQuery = graphql(
  `
    query TicketTime($ticketId: UUID!) {
      ticketTime(ticketId: $ticketId) {
        entries
        seconds
        billableSeconds
      }
      timeEntries(first: 100, filter: { ticketId: { equalTo: $ticketId } }, orderBy: [PRIMARY_KEY_DESC]) {
        nodes {
          id
          ...TimeEntryRow
        }
      }
      timeActivities(first: 100, orderBy: [NAME_ASC]) {
        nodes {
          id
          ...TimeActivityChoice
        }
      }
    }
  `,
  [TimeEntryRowFragment, TimeActivityChoiceFragment],
)

const TicketTimeChanged = graphql(`
  subscription TicketTimeChanged($ticketId: UUID!) {
    ticketChanged(ticketId: $ticketId) {
      event
      ticketId
      eventId
    }
  }
`)

/** What changes the time on a ticket. */
const CHANGES: readonly string[] = ['time_recorded', 'time_corrected', 'merge_received', 'merge_undone']

/** How many entries stand there before one asks for more. */
const FEW = 3

/** The time that was worked on a ticket, with the timer. */
export function TicketTime({ ticketId, isMerged }: { ticketId: string; isMerged: boolean }) {
  const { t } = useTranslation(['time', 'errors'])
  const [{ data, error, fetching }, reread] = useQuery({ query: TicketTimeQuery, variables: { ticketId } })
  const rereadSoon = useReread(() => reread({ requestPolicy: 'network-only' }))
  const [{ data: news }] = useSubscription({ query: TicketTimeChanged, variables: { ticketId } })
  useEffect(() => {
    if (news?.ticketChanged && CHANGES.includes(news.ticketChanged.event)) rereadSoon()
  }, [news, rereadSoon])
  const [isRecording, setIsRecording] = useState(false)
  const [showsAll, setShowsAll] = useState(false)
  const entries = (data?.timeEntries.nodes ?? []).filter((entry) => entry !== null)
  const activities = (data?.timeActivities.nodes ?? []).filter((activity) => activity !== null)
  const total = data?.ticketTime
  const shown = showsAll ? entries : entries.slice(0, FEW)

  return (
    <PanelSection
      title={t('title')}
      {...(total && entries.length > 0 ? { count: clockOf(Number(total.seconds)) } : {})}
      foldsAs="time"
      actions={
        !isMerged && (
          <Button
            variant="quiet"
            size="small"
            isIconOnly
            aria-label={t('record.open')}
            onPress={() => setIsRecording(true)}
          >
            <Plus className="size-4" aria-hidden="true" />
          </Button>
        )
      }
    >
      {!isMerged && <TicketTimer ticketId={ticketId} />}
      {error && !data ? (
        <ErrorState title={t('error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      ) : !total ? (
        fetching && <Skeleton className="h-5 w-40" />
      ) : entries.length === 0 ? (
        <p className="text-sm text-muted">{t('none')}</p>
      ) : (
        <>
          <p className="text-sm">
            <span className="figures font-semibold">{clockOf(Number(total.seconds))}</span>{' '}
            <span className="text-muted">
              {t('billableShare', { time: clockOf(Number(total.billableSeconds)) })}
            </span>
          </p>
          <ul aria-label={t('entries')} className="flex flex-col divide-y divide-border">
            {shown.map((entry) => (
              <TimeEntryRow
                key={entry.id}
                ticketId={ticketId}
                entry={entry}
                activities={activities}
                onChanged={rereadSoon}
              />
            ))}
          </ul>
          {entries.length > FEW && (
            <Button
              variant="quiet"
              size="small"
              className="self-start"
              onPress={() => setShowsAll(!showsAll)}
            >
              {showsAll ? t('fewer') : t('all', { count: entries.length })}
            </Button>
          )}
        </>
      )}
      <TimeEntryDialog
        ticketId={ticketId}
        entry={null}
        activities={activities}
        isOpen={isRecording}
        onClose={() => setIsRecording(false)}
        onChanged={rereadSoon}
      />
    </PanelSection>
  )
}

/** Starts and stops the timer; says so when it runs somewhere else. */
function TicketTimer({ ticketId }: { ticketId: string }) {
  const { t } = useTranslation('time')
  const { timer, start, stop, discard, isBusy } = useTimer()
  if (timer?.ticketId === ticketId) {
    return (
      <div className="flex flex-wrap items-center gap-2">
        <Button size="small" isPending={isBusy} onPress={() => void stop()}>
          <Square className="size-3.5 fill-current" aria-hidden="true" />
          {t('timer.stop')}
        </Button>
        <TickingClock since={timer.startedAt} className="!ms-0 text-sm font-medium" />
        <Button variant="quiet" size="small" className="ms-auto" onPress={() => void discard()}>
          {t('timer.discard')}
        </Button>
      </div>
    )
  }
  return (
    <div className="flex flex-col gap-1.5">
      <Button size="small" className="self-start" isPending={isBusy} onPress={() => void start(ticketId)}>
        <Play className="size-3.5 fill-current" aria-hidden="true" />
        {t('timer.start')}
      </Button>
      {timer?.ticket && (
        <p className="text-xs text-muted">{t('timer.switches', { ticket: timer.ticket.reference })}</p>
      )}
    </div>
  )
}

interface TimeEntryRowProps {
  ticketId: string
  entry: FragmentOf<typeof TimeEntryRowFragment>
  activities: readonly FragmentOf<typeof TimeActivityChoiceFragment>[]
  onChanged: () => void
}

function TimeEntryRow({ ticketId, entry: row, activities, onChanged }: TimeEntryRowProps) {
  const { t, i18n } = useTranslation('time')
  const user = useSessionUser()
  const entry = readFragment(TimeEntryRowFragment, row)
  const [isOpen, setIsOpen] = useState(false)
  const corrections = entry.corrections.nodes.filter((correction) => correction !== null)
  const mayCorrect = entry.agentId === user.id || user.role === 'manager' || user.role === 'admin'
  const day = new Intl.DateTimeFormat(readerLocale(i18n.language), {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  }).format(new Date(entry.workedOn))
  const time = clockOf(entry.seconds)
  return (
    <li className="flex items-start gap-2 py-2 text-sm">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className={entry.seconds === 0 ? 'figures text-muted line-through' : 'figures font-medium'}>
            {time}
          </span>
          <span className="min-w-0 truncate">{entry.agent?.name}</span>
          <span className="text-muted">{day}</span>
        </p>
        <p className="text-muted [overflow-wrap:anywhere]">
          {[
            entry.seconds === 0 ? t('takenBack') : null,
            entry.activity?.name,
            entry.isBillable ? null : t('notBillable'),
            entry.isCapped ? t('capped') : null,
            entry.note,
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
        {corrections.map((correction) => (
          <p
            key={correction.id}
            className="flex items-start gap-1.5 text-xs text-muted [overflow-wrap:anywhere]"
          >
            <History className="mt-0.5 size-3 shrink-0" aria-hidden="true" />
            {t('corrected', {
              name: correction.correctedBy?.name ?? t('somebody'),
              time: clockOf(correction.previousSeconds),
              reason: correction.reason,
            })}
          </p>
        ))}
      </div>
      {mayCorrect && (
        <Button
          variant="quiet"
          size="small"
          isIconOnly
          aria-label={t('correct.of', { time, name: entry.agent?.name ?? '' })}
          onPress={() => setIsOpen(true)}
        >
          <Pencil className="size-3.5" aria-hidden="true" />
        </Button>
      )}
      <TimeEntryDialog
        ticketId={ticketId}
        entry={entry}
        activities={activities}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        onChanged={onChanged}
      />
    </li>
  )
}
