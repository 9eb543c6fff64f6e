import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import { placeOf, type Encryption } from './encryption.ts'
import { LatestValue } from './latest-value.ts'
import type { Logger } from './log.ts'
import type { Notifications } from './notifications.ts'
import { PresenceBoard, type PresentPerson } from './presence-board.ts'

const channel = 'atum_presence'
/** How often a server says who is with it. */
const beatMilliseconds = 4_000
/** How long it is believed: two beats may be lost, and who is with a server that was killed is gone within 10 s. */
const believedMilliseconds = 8_500
/** How long somebody stays who went: a page that is loaded again, and a socket whose token ended, come back sooner. */
const graceMilliseconds = 1_500
const typingMilliseconds = 6_000
/** What is said again sooner says nothing new. */
const typingPauseMilliseconds = 1_000
const tickMilliseconds = 500
/** What comes within this time is told together. */
const gatherMilliseconds = 20
const retryMilliseconds = 500
/** A NOTIFY has less than 8,000 bytes; sealed, fifty people have 6,200. */
const peopleInMessage = 50

/** Somebody at a ticket. */
export interface Place {
  organizationId: string
  ticketId: string
  userId: string
  /** Whether others see it: a program that follows a ticket is nobody who answers. */
  isShown: boolean
}

/** Who else is at a ticket. */
export interface PresenceOnTicket {
  ticketId: string
  people: PresentPerson[]
}

/** What one server tells the others. */
interface Message {
  server: string
  /** Counts from one on: what was said before is not believed again. */
  number: number
  here?: [ticketId: string, userId: string, since: number][]
  gone?: [ticketId: string, userId: string][]
  typing?: [ticketId: string, userId: string, isTyping: boolean]
}

interface Follower extends Place {
  others: LatestValue<PresenceOnTicket>
  told: string
}

const keyOf = ({ ticketId, userId }: { ticketId: string; userId: string }) => `${ticketId} ${userId}`

/**
 * Who is looking at a ticket or typing on it. It is kept in memory and written nowhere: each server tells the others by
 * NOTIFY who comes and goes, and every few seconds who is there, so that nobody outlives the server they were at. Any
 * login of the database can send a NOTIFY and hear one, so that what servers say to each other is sealed.
 */
export class Presence {
  readonly #pool: Pool
  readonly #notifications: Notifications
  readonly #encryption: Encryption
  readonly #logger: Logger
  readonly #server = randomUUID()
  readonly #board = new PresenceBoard()
  readonly #followers = new Map<string, Set<Follower>>()
  /** Who came or went since that was last told. */
  readonly #news = new Map<string, { ticketId: string; userId: string }>()
  /** The number of the last message of each other server. */
  readonly #heard = new Map<string, number>()
  readonly #stopping = new AbortController()
  #sent = 0
  #sending: Promise<unknown> = Promise.resolve()
  #gathering: NodeJS.Timeout | undefined
  #timers: NodeJS.Timeout[] = []
  #subscription: AsyncIterableIterator<string> | undefined
  #running: Promise<void> | undefined

  constructor(options: { pool: Pool; notifications: Notifications; encryption: Encryption; logger: Logger }) {
    this.#pool = options.pool
    this.#notifications = options.notifications
    this.#encryption = options.encryption
    this.#logger = options.logger
  }

  start(): void {
    this.#running ??= this.#listen()
    this.#timers = [
      setInterval(() => this.#tick(), tickMilliseconds),
      setInterval(() => void this.#beat(), beatMilliseconds),
    ]
  }

  /** Tells the others that nobody is here any more, and ends. */
  async release(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#gathering)
    for (const follower of this.#all()) follower.others.end()
    for (const { ticketId, gone } of this.#board.expire(Infinity)) {
      for (const { server, userId } of gone) {
        if (server === this.#server) this.#news.set(keyOf({ ticketId, userId }), { ticketId, userId })
      }
    }
    this.#tellNews()
    await this.#sending
    this.#stopping.abort()
    await this.#subscription?.return?.()
    await this.#running
  }

  /** Whether it hears of the other servers. */
  get isListening(): boolean {
    return this.#subscription !== undefined
  }

  /** How many people are at tickets, at this server and at others. */
  get size(): number {
    return this.#board.size
  }

  /** Somebody comes to a ticket, and is told who else is there, until they go. */
  join(place: Place): AsyncIterableIterator<PresenceOnTicket> {
    const follower: Follower = { ...place, others: new LatestValue(() => this.#leave(follower)), told: '' }
    const followers = this.#followers.get(place.ticketId)
    if (followers) followers.add(follower)
    else this.#followers.set(place.ticketId, new Set([follower]))
    if (place.isShown) {
      this.#see(place, Infinity)
      this.#changed(place)
    }
    this.#show(place.ticketId)
    return follower.others
  }

  /** Somebody who is at a ticket types, or does not any more. */
  type({ ticketId, userId }: { ticketId: string; userId: string }, isTyping: boolean): void {
    const now = performance.now()
    // Who is not known here yet may be known to another server.
    const typingUntil = this.#board.typingUntil(ticketId, userId)
    const isNews = isTyping
      ? (typingUntil ?? 0) < now + typingMilliseconds - typingPauseMilliseconds
      : typingUntil !== 0
    if (!isNews) return
    this.#board.type(ticketId, userId, isTyping ? now + typingMilliseconds : 0)
    this.#show(ticketId)
    this.#send([{ typing: [ticketId, userId, isTyping] }])
  }

  #leave(follower: Follower): void {
    const { ticketId, userId } = follower
    const followers = this.#followers.get(ticketId)
    followers?.delete(follower)
    if (followers?.size === 0) this.#followers.delete(ticketId)
    if (!follower.isShown || this.#isHere(ticketId, userId)) return
    this.#see(follower, performance.now() + graceMilliseconds)
  }

  #see({ ticketId, userId }: Place, until: number): void {
    this.#board.see(this.#server, ticketId, userId, { since: Date.now(), until })
  }

  #isHere(ticketId: string, userId: string): boolean {
    for (const follower of this.#followers.get(ticketId) ?? []) {
      if (follower.userId === userId && follower.isShown) return true
    }
    return false
  }

  *#all(): IterableIterator<Follower> {
    for (const followers of [...this.#followers.values()]) yield* [...followers]
  }

  /** Shows those at a ticket who else is there, where that changed. */
  #show(ticketId: string): void {
    for (const follower of this.#followers.get(ticketId) ?? []) {
      const people = this.#board.peopleAt(ticketId, follower.userId)
      const told = JSON.stringify(people)
      if (told === follower.told) continue
      follower.told = told
      follower.others.set({ ticketId, people })
    }
  }

  #tick(): void {
    for (const { ticketId, gone } of this.#board.expire(performance.now())) {
      for (const { server, userId } of gone) if (server === this.#server) this.#changed({ ticketId, userId })
      this.#show(ticketId)
    }
  }

  #changed({ ticketId, userId }: { ticketId: string; userId: string }): void {
    this.#news.set(keyOf({ ticketId, userId }), { ticketId, userId })
    this.#gathering ??= setTimeout(() => this.#tellNews(), gatherMilliseconds)
  }

  #tellNews(): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    const news = [...this.#news.values()]
    this.#news.clear()
    const here = news.filter(({ ticketId, userId }) => this.#isHere(ticketId, userId))
    const gone = news.filter(({ ticketId, userId }) => !this.#isHere(ticketId, userId))
    this.#send([
      ...this.#sayHere(here),
      ...chunks(gone).map((some) => ({
        gone: some.map(({ ticketId, userId }): [string, string] => [ticketId, userId]),
      })),
    ])
  }

  #sayHere(people: { ticketId: string; userId: string }[]): Partial<Message>[] {
    return chunks(people).map((some) => ({
      here: some.map(({ ticketId, userId }): [string, string, number] => [
        ticketId,
        userId,
        this.#board.since(this.#server, ticketId, userId),
      ]),
    }))
  }

  /** Tells the others who is here, after asking who may be. */
  async #beat(): Promise<void> {
    const followers = [...this.#all()]
    if (followers.length === 0) return
    try {
      await this.#endThoseWhoMayNot(followers)
    } catch (error) {
      this.#logger.debug({ reason: String(error) }, 'cannot ask who may be at a ticket')
    }
    const here = new Map(
      [...this.#all()].filter(({ isShown }) => isShown).map((place) => [keyOf(place), place]),
    )
    this.#send(this.#sayHere([...here.values()]))
  }

  async #endThoseWhoMayNot(followers: Follower[]): Promise<void> {
    const { rows } = await this.#pool.query<{ positions: number[] }>(
      'select app_private.lost_from_sight($1, $2, $3) as positions',
      [
        followers.map(({ organizationId }) => organizationId),
        followers.map(({ ticketId }) => ticketId),
        followers.map(({ userId }) => userId),
      ],
    )
    for (const position of rows[0]!.positions) followers[position - 1]!.others.end()
  }

  /** One after the other: the others believe a message only when it comes after the last. */
  #send(messages: Partial<Message>[]): void {
    if (messages.length === 0) return
    const sealed = messages.map((message) => {
      this.#sent += 1
      const whole = { server: this.#server, number: this.#sent, ...message } satisfies Message
      return this.#encryption.encrypt(JSON.stringify(whole), placeOf.presence)
    })
    this.#sending = this.#sending
      .then(() =>
        this.#pool.query(`select pg_notify('${channel}', message) from unnest($1::text[]) as message`, [
          sealed,
        ]),
      )
      // The next beat says it again.
      .catch((error: unknown) => this.#logger.debug({ reason: String(error) }, 'presence was not told'))
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopping
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    while (!signal.aborted) {
      await Promise.race([this.#notifications.whenConnected(), aborted])
      if (signal.aborted) return
      try {
        this.#subscription = await this.#notifications.subscribe(channel)
        for await (const payload of this.#subscription) this.#hear(payload)
      } catch (error) {
        this.#logger.debug({ reason: String(error) }, 'presence is not heard of')
      }
      this.#subscription = undefined
      await delay(retryMilliseconds, undefined, { signal }).catch(() => {})
    }
  }

  #hear(payload: string): void {
    let message: Message
    try {
      message = JSON.parse(this.#encryption.decrypt(payload, placeOf.presence)) as Message
    } catch {
      // Not of one of us.
      return
    }
    const { server, number, here = [], gone = [], typing } = message
    if (server === this.#server || number <= (this.#heard.get(server) ?? 0)) return
    this.#heard.set(server, number)
    const until = performance.now() + believedMilliseconds
    const changed = new Set<string>()
    for (const [ticketId, userId, since] of here) {
      this.#board.see(server, ticketId, userId, { since, until })
      changed.add(ticketId)
    }
    for (const [ticketId, userId] of gone) {
      this.#board.lose(server, ticketId, userId)
      changed.add(ticketId)
    }
    if (typing) {
      const [ticketId, userId, isTyping] = typing
      this.#board.type(ticketId, userId, isTyping ? performance.now() + typingMilliseconds : 0)
      changed.add(ticketId)
    }
    for (const ticketId of changed) this.#show(ticketId)
  }
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / peopleInMessage) }, (_, index) =>
    items.slice(index * peopleInMessage, (index + 1) * peopleInMessage),
  )
}
