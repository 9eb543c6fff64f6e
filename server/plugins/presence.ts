import 'postgraphile'
import {
  context,
  get,
  lambda,
  listen,
  object,
  sideEffect,
  type GrafastSubscriber,
  type Step,
} from 'postgraphile/grafast'
import { extendSchema, gql } from 'postgraphile/utils'
import { RequestError } from '../errors.ts'
import type { Place, Presence, PresenceOnTicket } from '../presence.ts'

type Settings = Record<string, string>

interface QueryClient {
  query(query: { text: string; values?: unknown[] }): Promise<{ rows: readonly unknown[] }>
}

type WithClient = <T>(settings: Settings, callback: (client: QueryClient) => Promise<T>) => Promise<T>

/** Where somebody is to be, once the row-level security of whoever asks has shown them the ticket. */
async function placeOf([ticketId, settings, withPgClient]: readonly [
  string,
  Settings,
  WithClient,
]): Promise<Place> {
  const userId = settings['atum.user_id']
  const organizationId = settings['atum.organization_id']
  if (!userId || !organizationId) throw new RequestError('UNAUTHENTICATED', 'Log in to be told who is there')
  if (settings.role === 'atum_customer')
    throw new RequestError('FORBIDDEN', 'Only staff are told who is there')
  const visible = await withPgClient(settings, async (client) => {
    const { rows } = await client.query({
      text: 'select id from app_public.tickets where organization_id = $1 and id = $2',
      values: [organizationId, ticketId],
    })
    return rows[0] as { id: string } | undefined
  })
  if (!visible) throw new RequestError('NOT_FOUND', 'There is no such ticket')
  // The id as Postgres writes it: a UUID has several spellings.
  return { organizationId, ticketId: visible.id, userId, isShown: !settings['atum.api_token_id'] }
}

/** The topic of `listen` is a text. */
const subscriberOf = (presence: Presence): GrafastSubscriber<Record<string, PresenceOnTicket>> => ({
  subscribe: (topic) => presence.join(JSON.parse(topic) as Place),
})

const fromContext = <T>(key: string) => context().get(key as never) as unknown as Step<T>

const placeAt = ($ticketId: Step<string>) =>
  lambda(
    [$ticketId, fromContext<Settings>('pgSettings'), fromContext<WithClient>('withPgClient')] as const,
    placeOf,
  )

/** Who is at a ticket: known to the servers alone, written nowhere. Ids only, as with all that is live. */
export const PresencePlugin = extendSchema({
  typeDefs: gql`
    extend type Subscription {
      """
      Who else of staff is at this ticket, now and whenever that changes. While it is open, others are shown that the
      caller is there; a program with an API token is told and not shown. It ends when the caller does not see the
      ticket any more. Staff only. Errors FORBIDDEN, NOT_FOUND.
      """
      ticketPresence("The row id of the ticket." ticketId: UUID!): TicketPresencePayload
    }

    "Who else is at a ticket."
    type TicketPresencePayload {
      "The row id of the ticket."
      ticketId: UUID!
      "Those who are there besides the caller, each once, in the order in which they came."
      people: [PresentPerson!]!
    }

    "Somebody of staff who is at a ticket."
    type PresentPerson {
      "The row id of the person."
      userId: UUID!
      "What they do there."
      state: PresenceState!
      "When they came."
      since: Datetime!
    }

    "What somebody does at a ticket."
    enum PresenceState {
      "Looks at it."
      viewing
      "Writes an answer or a note."
      typing
    }

    extend type Mutation {
      """
      Shows others at the ticket that the caller, who is there by \`ticketPresence\`, types or does not any more. It holds
      for six seconds: say it again, every three seconds or so, for as long as somebody types. Nothing is stored. Staff
      only, not with an API token. Errors: FORBIDDEN, NOT_FOUND, SESSION_REQUIRED.
      """
      showTyping(input: ShowTypingInput!): ShowTypingPayload
    }

    "All input for \`showTyping\`."
    input ShowTypingInput {
      "The row id of the ticket."
      ticketId: UUID!
      "Whether the caller types."
      isTyping: Boolean!
    }

    "The output of \`showTyping\`."
    type ShowTypingPayload {
      "The row id of the ticket."
      ticketId: UUID!
    }
  `,
  objects: {
    Subscription: {
      plans: {
        ticketPresence: {
          subscribePlan(_$root, args) {
            const $place = placeAt(args.getRaw('ticketId') as Step<string>)
            return listen(
              lambda(fromContext<Presence>('presence'), subscriberOf),
              lambda($place, (place) => JSON.stringify(place)),
            )
          },
          plan: ($event) => $event,
        },
      },
    },
    PresentPerson: {
      plans: {
        since: ($person: Step) =>
          lambda(get($person, 'since'), (since) => new Date(Number(since)).toISOString()),
      },
    },
    Mutation: {
      plans: {
        showTyping(_$root, args) {
          const $place = placeAt(args.getRaw(['input', 'ticketId']) as Step<string>)
          const $isTyping = args.getRaw(['input', 'isTyping']) as Step<boolean>
          const $done = sideEffect(
            [$place, $isTyping, fromContext<Presence>('presence')] as const,
            ([place, isTyping, presence]) => {
              if (!place.isShown) throw new RequestError('SESSION_REQUIRED', 'A program does not type')
              presence.type(place, isTyping)
              return place.ticketId
            },
          )
          return object({ ticketId: $done })
        },
      },
    },
  },
})
