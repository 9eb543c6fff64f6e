import {
  AlarmClock,
  AtSign,
  BellRing,
  CircleCheck,
  CircleDot,
  ClipboardCheck,
  Clock,
  Inbox,
  type LucideIcon,
  Megaphone,
  MessageSquare,
  ShieldAlert,
  Star,
  StickyNote,
  TriangleAlert,
  UserCheck,
  Users,
} from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Button } from '../../components/button.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { isStaff, useSessionUser } from '../../lib/session.ts'
import { placeOf } from './notification-words.ts'
import { useSaid } from './use-said.ts'

export const NotificationFragment = graphql(`
  fragment Notification on Notification {
    id
    rowId
    kind
    facts
    readAt
    createdAt
    ticket {
      id
      number
    }
  }
`)

const SIGNS: Readonly<Record<string, LucideIcon>> = {
  acknowledgement: Inbox,
  new_ticket: Users,
  assigned: UserCheck,
  reply: MessageSquare,
  note: StickyNote,
  mention: AtSign,
  status_changed: CircleDot,
  resolved: CircleCheck,
  approval: ClipboardCheck,
  sla_warning: Clock,
  sla_breach: AlarmClock,
  notice: Megaphone,
  problem: TriangleAlert,
  rating: Star,
  alert: ShieldAlert,
}

const GROUNDS: Readonly<Record<string, string>> = {
  note: 'bg-note text-note-text',
  mention: 'bg-accent-soft text-accent-text',
  assigned: 'bg-accent-soft text-accent-text',
  resolved: 'bg-success-soft text-success-text',
  sla_warning: 'bg-warning-soft text-warning-text',
  sla_breach: 'bg-danger-soft text-danger-text',
  problem: 'bg-danger-soft text-danger-text',
  alert: 'bg-danger-soft text-danger-text',
}

export interface NotificationEntryProps {
  notification: FragmentOf<typeof NotificationFragment>
  onRead: (rowId: string) => void
  /** After the reader went where it leads. */
  onFollowed?: (() => void) | undefined
}

/** One thing that the reader was told; pressing it leads there. */
export function NotificationEntry({ notification, onRead, onFollowed }: NotificationEntryProps) {
  const { t } = useTranslation('notifications')
  const { role } = useSessionUser()
  const said = useSaid()
  const told = readFragment(NotificationFragment, notification)
  const { title, subject, detail } = said(told)
  const place = placeOf(told, isStaff(role))
  const isUnread = told.readAt === null
  const Sign = SIGNS[told.kind] ?? BellRing
  const follow = () => {
    if (isUnread) onRead(told.rowId)
    onFollowed?.()
  }
  return (
    <li
      className={classNames(
        'relative flex gap-3 px-4 py-3 transition-colors',
        place !== null && 'hover:bg-hover',
        isUnread && 'bg-selected',
      )}
    >
      <span
        className={classNames(
          'mt-0.5 grid size-8 shrink-0 place-items-center rounded-full',
          GROUNDS[told.kind] ?? 'bg-sunken text-muted',
        )}
      >
        <Sign className="size-4" aria-hidden="true" />
      </span>
      <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <p className={classNames('text-sm', isUnread && 'font-semibold')}>
          {isUnread && <span className="sr-only">{t('unread')}: </span>}
          {place === null ? (
            title
          ) : (
            <Link to={place} onClick={follow} className="rounded-sm after:absolute after:inset-0">
              {title}
            </Link>
          )}
        </p>
        {subject && <p className="truncate text-sm text-muted">{subject}</p>}
        {detail && <p className="line-clamp-2 text-sm">{detail}</p>}
        <RelativeTime at={told.createdAt} className="text-xs text-muted" />
      </div>
      {isUnread && (
        <Button
          variant="quiet"
          size="small"
          isIconOnly
          aria-label={t('readOne', { what: title })}
          onPress={() => onRead(told.rowId)}
          className="z-10 -me-2"
        >
          <span className="size-2.5 rounded-full bg-sun" aria-hidden="true" />
        </Button>
      )}
    </li>
  )
}
