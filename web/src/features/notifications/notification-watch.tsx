import { useEffect } from 'react'
import { useNavigate } from 'react-router'
import { useClient } from 'urql'
import { graphql } from '../../graphql/tada.ts'
import { isPageSeen } from '../../lib/page-seen.ts'
import { isStaff, useSessionUser } from '../../lib/session.ts'
import { browserPermission } from './browser-permission.ts'
import { placeOf } from './notification-words.ts'
import { useNotificationNews, useUnreadReread, type NotificationNews } from './use-notifications.ts'
import { useSaid } from './use-said.ts'

const LatestNotificationsQuery = graphql(`
  query LatestNotifications {
    notifications(first: 10, orderBy: [PRIMARY_KEY_DESC]) {
      nodes {
        id
        rowId
        kind
        facts
        inBrowser
        readAt
        ticket {
          id
          number
        }
      }
    }
  }
`)

/** Long enough for a window of the same person to say that it is being looked at. */
const ANSWER_MS = 150
const CHANNEL = 'atum.looking'

/**
 * Keeps the count of what is unread, and shows by means of the browser what happens while nobody looks at any window of
 * this desk. It draws nothing, and stands once in each layout.
 */
export function NotificationWatch() {
  const client = useClient()
  const navigate = useNavigate()
  const { role } = useSessionUser()
  const said = useSaid()

  useEffect(() => {
    if (typeof BroadcastChannel === 'undefined') return
    const channel = new BroadcastChannel(CHANNEL)
    channel.onmessage = ({ data }) => {
      if (data === 'anybody?' && isPageSeen()) channel.postMessage('here')
    }
    return () => channel.close()
  }, [])

  async function show({ event, notificationId }: NotificationNews) {
    if (event !== 'added' || isPageSeen() || browserPermission() !== 'granted' || (await isSeenElsewhere()))
      return
    const { data } = await client
      .query(LatestNotificationsQuery, {}, { requestPolicy: 'network-only' })
      .toPromise()
    const told = data?.notifications.nodes.find((node) => node?.rowId === notificationId)
    if (!told?.inBrowser || told.readAt !== null) return
    const { title, subject, detail } = said(told)
    const place = placeOf(told, isStaff(role))
    try {
      // The tag makes one of what several windows show.
      const shown = new Notification(title, {
        body: [subject, detail].filter(Boolean).join('\n'),
        tag: told.rowId,
        icon: '/brand/favicon.svg',
      })
      shown.onclick = () => {
        window.focus()
        if (place) void navigate(place)
        shown.close()
      }
    } catch {
      // Browsers of telephones show none for a page.
    }
  }

  const rereadCountSoon = useUnreadReread()
  useNotificationNews((news) => {
    rereadCountSoon()
    void show(news)
  })
  return null
}

function isSeenElsewhere(): Promise<boolean> {
  if (typeof BroadcastChannel === 'undefined') return Promise.resolve(false)
  const channel = new BroadcastChannel(CHANNEL)
  return new Promise((resolve) => {
    const settle = (isSeen: boolean) => {
      clearTimeout(timer)
      channel.close()
      resolve(isSeen)
    }
    const timer = setTimeout(() => settle(false), ANSWER_MS)
    channel.onmessage = ({ data }) => data === 'here' && settle(true)
    channel.postMessage('anybody?')
  })
}
