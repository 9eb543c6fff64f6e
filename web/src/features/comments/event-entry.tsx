import {
  AlarmClock,
  AlarmClockOff,
  ArrowRightLeft,
  Bell,
  CalendarClock,
  CircleCheck,
  CircleX,
  Clock,
  Eye,
  EyeOff,
  FileCheck,
  FileX,
  Link2,
  ListChecks,
  MailWarning,
  Merge,
  Paperclip,
  PenLine,
  ShieldAlert,
  Smile,
  Split,
  Stamp,
  Sunrise,
  Tags,
  TextCursorInput,
  Undo2,
  UserRound,
  Zap,
  type LucideIcon,
} from 'lucide-react'
import { Trans, useTranslation } from 'react-i18next'
import { TextLink } from '../../components/text-link.tsx'
import { PriorityGlyph, type Priority } from '../../components/priority-mark.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { StatusGlyph, type Status } from '../../components/status-glyph.tsx'
import { STATUS_INK } from '../../components/status-pill.tsx'
import { useCustomFields } from '../../graphql/custom-fields.ts'
import { classNames } from '../../lib/class-names.ts'
import { fieldText } from '../../lib/custom-fields.ts'
import { clockOf } from '../../lib/duration.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
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
  const { t, i18n } = useTranslation(['comments', 'components'])
  const { fields } = useCustomFields({ pause: event.type !== 'custom_fields_changed' })
  const fieldWords = {
    language: readerLocale(i18n.language),
    yes: t('components:customField.yes'),
    no: t('components:customField.no'),
  }
  const sentence = eventSentence(event, {
    fields: (values) =>
      fields
        .filter(({ key }) => key in values)
        .map((field) => {
          const value = values[field.key]
          if (value === null) return t('emptiedField', { field: field.label })
          const text = fieldText(field, value, fieldWords)
          return text === '' ? field.label : t('setField', { field: field.label, value: text })
        }),
    status: (value) => (isOneOf(STATUSES, value) ? t(`components:status.${value}`) : value),
    priority: (value) => (isOneOf(PRIORITIES, value) ? t(`components:priority.${value}`) : value),
    list: (values) => new Intl.ListFormat(i18n.language).format(values),
    time: (value) =>
      new Intl.DateTimeFormat(readerLocale(i18n.language), {
        dateStyle: 'medium',
        timeStyle: 'short',
      }).format(new Date(value)),
    duration: clockOf,
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
            who: event.actor?.name ?? event.actorName ?? t('system'),
            before: sentence.before ?? '',
            after: sentence.after ?? '',
            thing: t(`thing.${audience}`),
            target: t(`target.${eventTarget(event)}`),
          }}
          components={{
            who: <span className="font-medium text-text" />,
            what:
              sentence.ticket && audience === 'team' ? (
                <TextLink to={`/desk/tickets/${sentence.ticket}`} />
              ) : (
                <span className="font-medium text-text" />
              ),
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
    case 'state_changed':
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
    case 'time_recorded':
    case 'time_corrected':
      return <Clock className={sign} aria-hidden="true" />
    case 'sla_met':
      return <CircleCheck className={classNames(sign, 'text-success-text')} aria-hidden="true" />
    case 'sla_warned':
      return <CalendarClock className={classNames(sign, 'text-warning-text')} aria-hidden="true" />
    case 'sla_breached':
      return <CircleX className={classNames(sign, 'text-danger-text')} aria-hidden="true" />
    default: {
      const Sign = SIGNS[event.type] ?? ArrowRightLeft
      return <Sign className={sign} aria-hidden="true" />
    }
  }
}

const SIGNS: Record<string, LucideIcon> = {
  approval_cancelled: Undo2,
  approval_decided: Stamp,
  approval_requested: Stamp,
  assignee_changed: UserRound,
  attachment_added: Paperclip,
  attachment_blocked: ShieldAlert,
  attachment_released: FileCheck,
  attachment_removed: FileX,
  checklist_changed: ListChecks,
  custom_fields_changed: TextCursorInput,
  automation_fired: Zap,
  mail_failed: MailWarning,
  merge_received: Merge,
  merge_undone: Undo2,
  notice_sent: Bell,
  relationship_added: Link2,
  relationship_removed: Link2,
  requester_changed: UserRound,
  snooze_ended: AlarmClockOff,
  subject_changed: PenLine,
  survey_answered: Smile,
  survey_sent: Smile,
  tags_changed: Tags,
  ticket_merged: Merge,
  ticket_snoozed: AlarmClock,
  ticket_split: Split,
  watcher_added: Eye,
  watcher_removed: EyeOff,
}

function isOneOf<Member extends string>(members: readonly Member[], value: string): value is Member {
  return (members as readonly string[]).includes(value)
}
