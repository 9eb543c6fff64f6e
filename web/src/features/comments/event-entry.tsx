import {
  ArrowRightLeft,
  CalendarClock,
  CircleCheck,
  CircleX,
  PenLine,
  Sunrise,
  UserRound,
} from 'lucide-react'
import { Trans, useTranslation } from 'react-i18next'
import { PriorityGlyph, type Priority } from '../../components/priority-mark.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { StatusGlyph, type Status } from '../../components/status-glyph.tsx'
import { STATUS_INK } from '../../components/status-pill.tsx'
import { classNames } from '../../lib/class-names.ts'
import { eventSentence, eventTarget, type TimelineEvent } from './event-sentence.ts'

const STATUSES = [
  'new',
  'open',
  'pending',
  'on_hold',
  'resolved',
  'closed',
] as const satisfies readonly Status[]
const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const satisfies readonly Priority[]

export interface EventEntryProps {
  event: TimelineEvent & { createdAt: string }
  /** What is a ticket to the team is a request to whoever made it. */
  audience: 'requester' | 'team'
}

/** Something that happened, in one quiet sentence. */
export function EventEntry({ event, audience }: EventEntryProps) {
  const { t } = useTranslation(['comments', 'components'])
  const sentence = eventSentence(event, {
    status: (value) => (isOneOf(STATUSES, value) ? t(`components:status.${value}`) : value),
    priority: (value) => (isOneOf(PRIORITIES, value) ? t(`components:priority.${value}`) : value),
  })
  return (
    <div className="flex items-start gap-3 px-4 py-0.5 text-sm text-muted">
      <span className="mt-0.5 grid w-8 shrink-0 place-items-center">
        <EventSign event={event} />
      </span>
      <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <Trans
          t={t}
          i18nKey={`event.${sentence.key}`}
          values={{
            who: event.actor?.name ?? t('system'),
            before: sentence.before ?? '',
            after: sentence.after ?? '',
            thing: t(`thing.${audience}`),
            target: t(`target.${eventTarget(event)}`),
          }}
          components={{
            who: <span className="font-medium text-text" />,
            what: <span className="font-medium text-text" />,
          }}
        />
      </p>
      <RelativeTime at={event.createdAt} className="shrink-0" />
    </div>
  )
}

function EventSign({ event }: { event: TimelineEvent }) {
  const sign = 'size-4'
  switch (event.type) {
    case 'ticket_created':
      return <Sunrise className={sign} aria-hidden="true" />
    case 'status_changed': {
      const status = (event.after as { status?: string } | null)?.status ?? ''
      return isOneOf(STATUSES, status) ? (
        <StatusGlyph status={status} className={classNames(sign, STATUS_INK[status])} />
      ) : (
        <ArrowRightLeft className={sign} aria-hidden="true" />
      )
    }
    case 'priority_changed': {
      const priority = (event.after as { priority?: string } | null)?.priority ?? ''
      return isOneOf(PRIORITIES, priority) ? (
        <PriorityGlyph priority={priority} className={sign} />
      ) : (
        <ArrowRightLeft className={sign} aria-hidden="true" />
      )
    }
    case 'assignee_changed':
      return <UserRound className={sign} aria-hidden="true" />
    case 'subject_changed':
      return <PenLine className={sign} aria-hidden="true" />
    case 'sla_met':
      return <CircleCheck className={classNames(sign, 'text-success-text')} aria-hidden="true" />
    case 'sla_warned':
      return <CalendarClock className={classNames(sign, 'text-warning-text')} aria-hidden="true" />
    case 'sla_breached':
      return <CircleX className={classNames(sign, 'text-danger-text')} aria-hidden="true" />
    default:
      return <ArrowRightLeft className={sign} aria-hidden="true" />
  }
}

function isOneOf<Member extends string>(members: readonly Member[], value: string): value is Member {
  return (members as readonly string[]).includes(value)
}
