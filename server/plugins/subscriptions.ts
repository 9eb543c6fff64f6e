import 'postgraphile'
import { jsonParse } from 'postgraphile/@dataplan/json'
import { context, get, lambda, listen, type GrafastSubscriber, type Step } from 'postgraphile/grafast'
import { extendSchema, gql } from 'postgraphile/utils'
import { RequestError } from '../errors.ts'

type Settings = Record<string, string>

interface QueryClient {
  query(query: { text: string; values?: unknown[] }): Promise<{ rows: readonly unknown[] }>
}

type WithClient = <T>(settings: Settings, callback: (client: QueryClient) => Promise<T>) => Promise<T>

const isCustomer = (settings: Settings) => settings.role === 'atum_customer'

function claimed(settings: Settings | null | undefined): Settings {
  if (!settings?.['atum.user_id']) throw new RequestError('UNAUTHENTICATED', 'Log in to be told of changes')
  return settings
}

/**
 * Where one ticket is heard of, once the row-level security of whoever asks has shown it to them. Only those from whom no
 * ticket can go away hear its own channel; the others the channel of all they see, `channel/ticket`, so that they are
 * told no more of it from the moment at which it left their sight.
 */
async function ticketChannel([ticketId, pgSettings, withPgClient]: readonly [string, Settings, WithClient]) {
  const settings = claimed(pgSettings)
  const visible = await withPgClient(settings, async (client) => {
    const { rows } = await client.query({
      text: 'select id from app_public.tickets where organization_id = $1 and id = $2',
      values: [settings['atum.organization_id'], ticketId],
    })
    return rows[0] as { id: string } | undefined
  })
  if (!visible) throw new RequestError('NOT_FOUND', 'There is no such ticket')
  const channel = await inboxChannel([settings, withPgClient])
  // The id as Postgres writes it: NOTIFY goes to that spelling, and a UUID has several.
  return channel.startsWith('inbox:') ? `ticket:${visible.id}:staff` : `${channel}/${visible.id}`
}

/** What a channel says of one ticket. */
function ofTicket(
  ticketId: string,
  notifications: AsyncIterableIterator<string>,
): AsyncIterableIterator<string> {
  return {
    async next() {
      for (;;) {
        const result = await notifications.next()
        if (result.done || (JSON.parse(result.value) as { ticketId: string }).ticketId === ticketId)
          return result
      }
    },
    // At once, also while the next one is waited for, as a generator would not.
    return: () => notifications.return!(),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** What a channel says, after what was said before somebody listened. */
function beginningWith(
  earlier: string,
  notifications: AsyncIterableIterator<string>,
): AsyncIterableIterator<string> {
  let isTold = false
  return {
    async next() {
      if (isTold) return notifications.next()
      isTold = true
      return { done: false, value: earlier }
    },
    return: () => notifications.return!(),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

const longestReplaySeconds = 60

/**
 * Subscribes to a channel, for what `ticketChannel` answers to one ticket of it, and begins with the latest that was
 * said in the seconds before: `latest` asks for it once the channel is listened to, so that nothing falls in between.
 */
const subscriberFrom =
  (latest: { text: string; values: (seconds: number, ticketId: string | null) => unknown[] }) =>
  ([subscriber, replaySeconds, pgSettings, withPgClient, wantedId]: readonly [
    GrafastSubscriber,
    number | null | undefined,
    Settings,
    WithClient,
    (string | null)?,
  ]): GrafastSubscriber => ({
    async subscribe(topic) {
      const seconds = replaySeconds ?? 0
      if (seconds < 0 || seconds > longestReplaySeconds)
        throw new RequestError('INVALID_INPUT', `replaySeconds is 0 to ${longestReplaySeconds}`)
      const [channel, ticketId] = String(topic).split('/') as [string, string | undefined]
      const heard = (await subscriber.subscribe(channel as never)) as AsyncIterableIterator<string>
      const notifications = ticketId ? ofTicket(ticketId, heard) : heard
      if (seconds === 0) return notifications as never
      try {
        const { rows } = await withPgClient(claimed(pgSettings), (client) =>
          client.query({ text: latest.text, values: latest.values(seconds, wantedId ?? null) }),
        )
        const [{ said }] = rows as [{ said: string | null }]
        return (said === null ? notifications : beginningWith(said, notifications)) as never
      } catch (error) {
        await heard.return!()
        throw error
      }
    },
  })

const fromLatestChange = subscriberFrom({
  text: 'select app_hidden.latest_change($1, $2) as said',
  values: (seconds, ticketId) => [seconds, ticketId],
})

const fromLatestNotification = subscriberFrom({
  text: 'select app_hidden.latest_notification($1) as said',
  values: (seconds) => [seconds],
})

/**
 * The channel of all that concerns one person: staff hear of their organization, an agent who is restricted of the own
 * teams, customers of the tickets they see.
 */
async function inboxChannel([pgSettings, withPgClient]: readonly [Settings, WithClient]): Promise<string> {
  const settings = claimed(pgSettings)
  if (isCustomer(settings)) return `requester:${settings['atum.user_id']}`
  const seesEveryTeam = await withPgClient(settings, async (client) => {
    const { rows } = await client.query({ text: 'select app_hidden.sees_every_team() as answer' })
    return (rows[0] as { answer: boolean }).answer
  })
  return seesEveryTeam ? `inbox:${settings['atum.organization_id']}` : `agent:${settings['atum.user_id']}`
}

/** The channel of what one person is told. It follows from the claims; of others nobody can ask. */
const notificationsChannel = (pgSettings: Settings): string =>
  `notifications:${claimed(pgSettings)['atum.user_id']}`

const fromContext = <T>(key: string) => context().get(key as never) as unknown as Step<T>

/** Who subscribes to what, from when on. */
const subscription = ($replaySeconds: Step<number | null>) =>
  [
    fromContext<GrafastSubscriber>('pgSubscriber'),
    $replaySeconds,
    fromContext<Settings>('pgSettings'),
    fromContext<WithClient>('withPgClient'),
  ] as const

/**
 * Live changes. An event holds ids and nothing else; what it means the client reads again under its own row-level
 * security. Where to listen follows from the claims alone.
 */
export const SubscriptionsPlugin = extendSchema({
  typeDefs: gql`
    extend type Subscription {
      """
      Something happened to this ticket. Customers hear what is public. Error NOT_FOUND when there is no such ticket
      to be seen.
      """
      ticketChanged(
        "The row id of the ticket."
        ticketId: UUID!
        "Begins with the latest event of so many seconds before, up to 60: what happened since the page was read."
        replaySeconds: Int = 0
      ): TicketChangedPayload

      "Something happened to a ticket that the caller may see."
      inboxChanged(
        "Begins with the latest event of so many seconds before, up to 60: what happened since the page was read."
        replaySeconds: Int = 0
      ): InboxChangedPayload

      "The caller was told something, or read it in another window."
      notificationsChanged(
        "Begins with the latest notification of so many seconds before, up to 60."
        replaySeconds: Int = 0
      ): NotificationsChangedPayload
    }

    "What became of the notifications of the caller."
    enum NotificationsChange {
      "There is a new one."
      added
      "Some were read."
      read
    }

    "What became of the caller's notifications. Read the count and the list again; after a lost connection too."
    type NotificationsChangedPayload {
      "What happened."
      event: NotificationsChange!
      "The row id of the one that is new; null when some were read."
      notificationId: UUID
    }

    "What happened to a ticket. Read again what is on the screen; after a lost connection read everything again."
    type TicketChangedPayload {
      "What happened."
      event: TicketEventType!
      "The row id of the ticket."
      ticketId: UUID!
      "The row id of the event in the ticket's history."
      eventId: UUID!
    }

    "What happened to a ticket. Read again what is on the screen; after a lost connection read everything again."
    type InboxChangedPayload {
      "What happened."
      event: TicketEventType!
      "The row id of the ticket."
      ticketId: UUID!
      "The row id of the event in the ticket's history."
      eventId: UUID!
    }
  `,
  objects: {
    Subscription: {
      plans: {
        ticketChanged: {
          subscribePlan(_$root, args) {
            const $ticketId = args.getRaw('ticketId') as Step<string>
            const $replaySeconds = args.getRaw('replaySeconds') as Step<number | null>
            return listen(
              lambda([...subscription($replaySeconds), $ticketId] as const, fromLatestChange),
              lambda(
                [
                  $ticketId,
                  fromContext<Settings>('pgSettings'),
                  fromContext<WithClient>('withPgClient'),
                ] as const,
                ticketChannel,
              ),
              jsonParse,
            )
          },
          plan: ($event) => $event,
        },
        inboxChanged: {
          subscribePlan: (_$root, args) =>
            listen(
              lambda(subscription(args.getRaw('replaySeconds') as Step<number | null>), fromLatestChange),
              lambda(
                [fromContext<Settings>('pgSettings'), fromContext<WithClient>('withPgClient')] as const,
                inboxChannel,
              ),
              jsonParse,
            ),
          plan: ($event) => $event,
        },
        notificationsChanged: {
          subscribePlan: (_$root, args) =>
            listen(
              lambda(
                subscription(args.getRaw('replaySeconds') as Step<number | null>),
                fromLatestNotification,
              ),
              lambda(fromContext<Settings>('pgSettings'), notificationsChannel),
              jsonParse,
            ),
          plan: ($event) => $event,
        },
      },
    },
    NotificationsChangedPayload: {
      plans: {
        event: ($event: Step) => get($event, 'event'),
        notificationId: ($event: Step) => get($event, 'notificationId'),
      },
    },
    TicketChangedPayload: { plans: payloadPlans() },
    InboxChangedPayload: { plans: payloadPlans() },
  },
})

function payloadPlans() {
  return {
    event: ($event: Step) => get($event, 'event'),
    ticketId: ($event: Step) => get($event, 'ticketId'),
    eventId: ($event: Step) => get($event, 'eventId'),
  }
}
