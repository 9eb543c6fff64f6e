import { useCallback, useEffect, useRef } from 'react'
import { useMutation, useQuery, useSubscription } from 'urql'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { usePageSeen } from '../../lib/page-seen.ts'

const NotificationsChanged = graphql(`
  subscription NotificationsChanged {
    notificationsChanged(replaySeconds: 20) {
      event
      notificationId
    }
  }
`)

const UnreadNotifications = graphql(`
  query UnreadNotifications {
    unreadNotificationCount
  }
`)

const MarkTicketNotificationsRead = graphql(`
  mutation MarkTicketNotificationsRead($ticketId: UUID!) {
    markTicketNotificationsRead(input: { ticketId: $ticketId }) {
      marked
    }
  }
`)

export interface NotificationNews {
  event: 'added' | 'read'
  notificationId: string | null
}

/** Calls back whenever the reader was told something, or read it in another window. */
export function useNotificationNews(onNews: (news: NotificationNews) => void): void {
  const latest = useRef(onNews)
  useEffect(() => {
    latest.current = onNews
  }, [onNews])
  const [{ data }] = useSubscription({ query: NotificationsChanged })
  useEffect(() => {
    if (data?.notificationsChanged) latest.current(data.notificationsChanged)
  }, [data])
}

/** How many notifications are unread, up to a hundred; null until it is known. The watch of the layout keeps it. */
export function useUnreadCount(): number | null {
  const [{ data }] = useQuery({ query: UnreadNotifications, requestPolicy: 'cache-first' })
  return data?.unreadNotificationCount ?? null
}

/** Returns a function that has the count read again soon, for the one who does it for all. */
export function useUnreadReread(): () => void {
  const [, reread] = useQuery({ query: UnreadNotifications, requestPolicy: 'cache-first' })
  return useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
}

/** Whoever has a ticket before them has read what they were told of it, also of what happens while they look. */
export function useTicketRead(ticketId: string | undefined): void {
  const unread = useUnreadCount()
  const isSeen = usePageSeen()
  const [, markRead] = useMutation(MarkTicketNotificationsRead)
  useEffect(() => {
    if (ticketId && isSeen && unread) void markRead({ ticketId })
  }, [ticketId, isSeen, unread, markRead])
}
