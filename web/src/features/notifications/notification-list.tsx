import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { useNow } from '../../lib/clock.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { NotificationEntry, NotificationFragment } from './notification-entry.tsx'
import { byDay, dayOf } from './notification-words.ts'
import { useNotificationNews } from './use-notifications.ts'

const NotificationsQuery = graphql(
  `
    query Notifications($after: Cursor, $filter: NotificationFilter) {
      notifications(first: 20, after: $after, filter: $filter, orderBy: [PRIMARY_KEY_DESC]) {
        nodes {
          id
          createdAt
          ...Notification
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [NotificationFragment],
)

const MarkNotificationRead = graphql(`
  mutation MarkNotificationRead($notificationId: UUID!) {
    markNotificationRead(input: { notificationId: $notificationId }) {
      notification {
        id
        readAt
      }
    }
  }
`)

const connectionOf = (data: ResultOf<typeof NotificationsQuery>) => data.notifications
const EVERYTHING = {}
const UNREAD = { filter: { readAt: { isNull: true } } }

export interface NotificationListProps {
  show: 'all' | 'unread'
  /** The level of the headings of the days. */
  heading: 'h2' | 'h3'
  onFollowed?: (() => void) | undefined
}

/** What the reader was told, the latest first and by days; it goes on where it is scrolled to its end. */
export function NotificationList({ show, heading, onFollowed }: NotificationListProps) {
  const { t } = useTranslation(['notifications', 'errors'])
  const list = usePages({
    document: NotificationsQuery,
    variables: show === 'all' ? EVERYTHING : UNREAD,
    connectionOf,
  })
  const rereadSoon = useReread(list.reread)
  useNotificationNews(rereadSoon)
  const [, markRead] = useMutation(MarkNotificationRead)

  if (list.error && list.nodes.length === 0) {
    return (
      <ErrorState title={t('error')} onRetry={rereadSoon}>
        {t(`errors:${problemOf(list.error).code}`)}
      </ErrorState>
    )
  }
  if (list.isLoading) return <SkeletonRows label={t('loading')} rows={4} />
  if (list.nodes.length === 0) {
    const words = show === 'all' ? 'empty' : 'emptyUnread'
    return <EmptyState title={t(`${words}.title`)}>{t(`${words}.body`)}</EmptyState>
  }
  return (
    <>
      {byDay(list.nodes).map(({ day, entries }) => (
        <Day key={day} at={entries[0]?.createdAt ?? ''} heading={heading}>
          {entries.map((entry) => (
            <NotificationEntry
              key={entry.id}
              notification={entry}
              onRead={(notificationId) => void markRead({ notificationId })}
              onFollowed={onFollowed}
            />
          ))}
        </Day>
      ))}
      {list.hasMore && (
        <More
          key={list.nodes.length}
          isLoading={list.isLoadingMore}
          hasFailed={list.error !== null}
          onMore={list.more}
        />
      )}
    </>
  )
}

interface DayProps {
  at: string
  heading: 'h2' | 'h3'
  children: React.ReactNode
}

function Day({ at, heading: Heading, children }: DayProps) {
  const { t, i18n } = useTranslation('notifications')
  const now = useNow('minute')
  const day = dayOf(at)
  const yesterday = new Date(now)
  yesterday.setDate(yesterday.getDate() - 1)
  const title =
    day === dayOf(new Date(now).toISOString())
      ? t('today')
      : day === dayOf(yesterday.toISOString())
        ? t('yesterday')
        : new Intl.DateTimeFormat(readerLocale(i18n.language), { dateStyle: 'full' }).format(new Date(at))
  return (
    <section className="border-t border-border first:border-t-0">
      <Heading className="bg-sunken px-4 py-1.5 text-xs font-semibold text-muted first:rounded-t-[inherit]">
        {title}
      </Heading>
      <ul className="divide-y divide-border">{children}</ul>
    </section>
  )
}

interface MoreProps {
  isLoading: boolean
  hasFailed: boolean
  onMore: () => void
}

/** Reads on as soon as it comes into sight; by hand where that failed. */
function More({ isLoading, hasFailed, onMore }: MoreProps) {
  const { t } = useTranslation('notifications')
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!end.current || isLoading || hasFailed) return
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) onMore()
    })
    observer.observe(end.current)
    return () => observer.disconnect()
  }, [isLoading, hasFailed, onMore])
  return (
    <div ref={end} className="border-t border-border px-4 py-3 text-center">
      <Button onPress={onMore} isPending={isLoading}>
        {t('more')}
      </Button>
    </div>
  )
}
