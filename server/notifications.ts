import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { RequestError } from './errors.ts'
import type { Logger } from './log.ts'

const connectMilliseconds = 2_000
const checkMilliseconds = 1_000
const longestPauseMilliseconds = 2_000
/** More than a subscriber that reads at all ever has waiting. */
const longestBacklog = 1_000

/** One subscriber's notifications, in order. It ends with an error when some may have been missed. */
class Subscription implements AsyncIterableIterator<string> {
  readonly #leave: (subscription: Subscription) => void
  #backlog: string[] = []
  #waiting: PromiseWithResolvers<IteratorResult<string>> | undefined
  #end: { error?: Error } | undefined

  constructor(leave: (subscription: Subscription) => void) {
    this.#leave = leave
  }

  push(payload: string): void {
    if (this.#end) return
    if (this.#waiting) {
      this.#waiting.resolve({ done: false, value: payload })
      this.#waiting = undefined
    } else if (this.#backlog.push(payload) > longestBacklog) {
      this.finish(new Error('A subscriber reads slower than things happen'))
    }
  }

  finish(error?: Error): void {
    if (this.#end) return
    this.#end = error ? { error } : {}
    this.#backlog = []
    if (error) this.#waiting?.reject(error)
    else this.#waiting?.resolve({ done: true, value: undefined })
    this.#waiting = undefined
    this.#leave(this)
  }

  async next(): Promise<IteratorResult<string>> {
    const payload = this.#backlog.shift()
    if (payload !== undefined) return { done: false, value: payload }
    if (this.#end?.error) {
      const { error } = this.#end
      this.#end = {}
      throw error
    }
    if (this.#end) return { done: true, value: undefined }
    this.#waiting = Promise.withResolvers()
    return this.#waiting.promise
  }

  async return(): Promise<IteratorResult<string>> {
    this.finish()
    return { done: true, value: undefined }
  }

  async throw(error: Error): Promise<IteratorResult<string>> {
    this.finish()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.finish()
  }
}

/**
 * LISTEN for many subscribers over one connection of its own. The provider that comes with PostGraphile (1.1.2) loses
 * every second subscriber of a channel when its connection breaks, and tells nobody whether it listens yet; this one
 * answers `subscribe` once Postgres has confirmed, and when the connection breaks ends every subscription with an
 * error, because what was said meanwhile is lost: whoever subscribes again reads again.
 */
export class Notifications {
  readonly #connectionString: string
  readonly #logger: Logger
  readonly #channels = new Map<string, Set<Subscription>>()
  readonly #stopping = new AbortController()
  #client: pg.Client | undefined
  #connecting = Promise.withResolvers<void>()
  #lastQuery: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | undefined

  constructor(connectionString: string, logger: Logger) {
    this.#connectionString = connectionString
    this.#logger = logger
  }

  /** Whether notifications arrive right now. */
  get connected(): boolean {
    return this.#client !== undefined
  }

  /** Settles when notifications arrive, at once where they do. */
  whenConnected(): Promise<void> {
    return this.#connecting.promise
  }

  /** The channels that somebody listens to. */
  get channels(): readonly string[] {
    return [...this.#channels.keys()]
  }

  /** Connects, and from then on connects again whenever the connection breaks. */
  start(): void {
    this.#running ??= this.#run()
  }

  async release(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async subscribe(channel: string): Promise<AsyncIterableIterator<string>> {
    const client = this.#client
    if (!client) throw new RequestError('SERVICE_UNAVAILABLE', 'Live updates are not available right now')
    const subscription = new Subscription((left) => this.#leave(channel, left))
    const others = this.#channels.get(channel)
    if (others) others.add(subscription)
    else this.#channels.set(channel, new Set([subscription]))
    try {
      // Also when others listen: one connection answers in order, so the answer to ours is that theirs is heard.
      await this.#query(client, `listen ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      subscription.finish()
      throw error
    }
    return subscription
  }

  #leave(channel: string, subscription: Subscription): void {
    const subscribers = this.#channels.get(channel)
    if (!subscribers?.delete(subscription) || subscribers.size > 0) return
    this.#channels.delete(channel)
    // If it fails the connection is gone, and with it what it listened to.
    if (this.#client) this.#query(this.#client, `unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {})
  }

  /** One after the other, in the order in which they were asked for: leaving and coming back must end with listening. */
  #query(client: pg.Client, text: string): Promise<unknown> {
    const query = this.#lastQuery.then(() => client.query(text))
    this.#lastQuery = query.catch(() => {})
    return query
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted;) {
      const client = new pg.Client({
        connectionString: this.#connectionString,
        application_name: 'atum-server listen',
        connectionTimeoutMillis: connectMilliseconds,
        query_timeout: connectMilliseconds,
        keepAlive: true,
      })
      const broken = new Promise<void>((resolve) => {
        client.on('error', () => resolve())
        client.on('end', () => resolve())
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      try {
        await client.connect()
        failures = 0
        client.on('notification', ({ channel, payload }) => {
          for (const subscription of this.#channels.get(channel) ?? []) subscription.push(payload ?? '')
        })
        this.#client = client
        this.#connecting.resolve()
        await Promise.race([broken, this.#check(client)])
      } catch (error) {
        failures += 1
        if (failures === 1) this.#logger.warn({ reason: reasonOf(error) }, 'cannot listen to the database')
      }
      if (this.#client) this.#connecting = Promise.withResolvers()
      this.#client = undefined
      this.#interrupt(signal.aborted)
      // It may be a connection that nobody answers on any more, which `end` would wait for.
      client.connection.stream.destroy()
      if (!signal.aborted) {
        await delay(Math.min(100 * 2 ** failures, longestPauseMilliseconds), undefined, { signal }).catch(
          () => {},
        )
      }
    }
  }

  /** Asks from time to time, because a connection that was cut off without a word looks like one with no news. */
  async #check(client: pg.Client): Promise<void> {
    const { signal } = this.#stopping
    for (;;) {
      await delay(checkMilliseconds, undefined, { signal })
      await this.#query(client, 'select')
    }
  }

  #interrupt(onPurpose: boolean): void {
    const subscriptions = [...this.#channels.values()].flatMap((subscribers) => [...subscribers])
    if (!onPurpose)
      this.#logger.warn({ subscriptions: subscriptions.length }, 'live updates were interrupted')
    for (const subscription of subscriptions) {
      subscription.finish(onPurpose ? undefined : new Error('Live updates were interrupted'))
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
