import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Logger } from './log.ts'
import type { Notifications } from './notifications.ts'

const channel = 'atum_revocations'
const firstPauseMilliseconds = 50
const longestPauseMilliseconds = 2_000
// A minute more than an access token lives: by then nothing can name the session any more.
const rememberedMilliseconds = 11 * 60 * 1_000
// More sessions than ever end within that time, unless somebody makes them up.
const mostDoubts = 100_000

const kinds = ['session', 'user', 'organization', 'ip_rules', 'api_token'] as const

/** Something that was taken back: of an organization and of its IP rules the id is the organization's. */
export interface Revocation {
  kind: (typeof kinds)[number]
  id: string
}

/** What listeners are told; `everything` after a time in which something may have been missed. */
export type RevocationNews = Revocation | { kind: 'everything' }

interface State {
  sessions: string[]
  organizations: string[]
}

/** A session of which something was heard. */
interface Ended {
  since: number
  /** Whether the database says so. */
  isSure: boolean
}

/**
 * What was taken back before its time, as every server hears it from Postgres: so that a request is refused without a
 * look-up. It is only believed while `isComplete`; at all other times whoever asks must ask the database. Any login can
 * send a NOTIFY, so that one only says about whom the database is to be asked.
 */
export class Revocations {
  readonly #pool: Pool
  readonly #notifications: Notifications
  readonly #logger: Logger
  readonly #listeners: ((news: RevocationNews) => void)[] = []
  readonly #stopping = new AbortController()
  /** Sessions in the order in which we heard of them. */
  #sessions = new Map<string, Ended>()
  /** How many sessions were heard of since the state was read. */
  #doubts = 0
  #organizations = new Set<string>()
  #isComplete = false
  #heard = 0
  #subscription: AsyncIterableIterator<string> | undefined
  #running: Promise<void> | undefined

  constructor(options: { pool: Pool; notifications: Notifications; logger: Logger }) {
    this.#pool = options.pool
    this.#notifications = options.notifications
    this.#logger = options.logger
  }

  /** Whether we know all there is to know. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** How often something was heard: what was found out before it changed may be wrong after. */
  get heard(): number {
    return this.#heard
  }

  /** Whether a session has ended. Where that was only heard `ask` says whether it is live, until it is or is not. */
  async isSessionEnded(sessionId: string, ask: () => Promise<boolean>): Promise<boolean> {
    const ended = this.#sessions.get(sessionId)
    if (!ended || ended.isSure) return ended !== undefined
    const isLive = await ask()
    if (!isLive) ended.isSure = true
    // Unless it was heard again while we asked.
    else if (this.#sessions.get(sessionId) === ended) this.#sessions.delete(sessionId)
    return !isLive
  }

  isOrganizationSuspended(organizationId: string): boolean {
    return this.#organizations.has(organizationId)
  }

  /** Calls back with each news, in the order in which listeners came: who forgets answers comes before who asks again. */
  listen(listener: (news: RevocationNews) => void): void {
    this.#listeners.push(listener)
  }

  /** Listens, and from then on listens again whenever that was interrupted. */
  start(): void {
    this.#running ??= this.#run()
  }

  async release(): Promise<void> {
    this.#stopping.abort()
    await this.#subscription?.return?.()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    for (let failures = 0; !signal.aborted;) {
      await Promise.race([this.#notifications.whenConnected(), aborted])
      if (signal.aborted) break
      try {
        await this.#follow()
      } catch (error) {
        failures = this.#isComplete ? 1 : failures + 1
        // The end of the connection is told where it ends; here is what else may be wrong, once.
        if (failures === 2) this.#logger.warn({ reason: String(error) }, 'revocations are not heard of')
      }
      this.#isComplete = false
      const pause = Math.min(firstPauseMilliseconds * 2 ** failures, longestPauseMilliseconds)
      await delay(pause, undefined, { signal }).catch(() => {})
    }
  }

  async #follow(): Promise<void> {
    const subscription = await this.#notifications.subscribe(channel)
    this.#subscription = subscription
    try {
      if (this.#stopping.signal.aborted) return
      // Only now: what happened before we listened is in the state, what happens from here on is told.
      await this.#readState()
      this.#tell({ kind: 'everything' })
      for await (const payload of subscription) await this.#hear(payload)
    } finally {
      await subscription.return?.()
    }
  }

  async #hear(payload: string): Promise<void> {
    const revocation = parse(payload)
    if (!revocation) {
      this.#logger.warn({ payload }, 'a revocation could not be read')
      return
    }
    if (revocation.kind === 'session') this.#hearOfSession(revocation.id)
    // Suspended or open again: the state says which. It also takes the place of more doubts than we can keep.
    if (revocation.kind === 'organization' || this.#doubts > mostDoubts) await this.#readState()
    this.#tell(revocation)
  }

  async #readState(): Promise<void> {
    this.#isComplete = false
    const { rows } = await this.#pool.query<{ state: State }>(
      'select app_private.revocation_state() as state',
    )
    const { sessions, organizations } = rows[0]!.state
    const since = performance.now()
    // A session that was removed is not in the state: what was heard is asked about again.
    const heard = this.#doubts > mostDoubts ? [] : [...this.#sessions]
    this.#sessions = new Map(heard.map(([sessionId, ended]) => [sessionId, { ...ended, isSure: false }]))
    this.#doubts = 0
    for (const sessionId of sessions) this.#remember(sessionId, { since, isSure: true })
    this.#organizations = new Set(organizations)
    this.#isComplete = true
  }

  #hearOfSession(sessionId: string): void {
    const since = performance.now()
    for (const [oldest, ended] of this.#sessions) {
      if (since - ended.since < rememberedMilliseconds) break
      this.#sessions.delete(oldest)
    }
    this.#doubts += 1
    this.#remember(sessionId, { since, isSure: false })
  }

  /** Also again: it comes last. */
  #remember(sessionId: string, ended: Ended): void {
    this.#sessions.delete(sessionId)
    this.#sessions.set(sessionId, ended)
  }

  #tell(news: RevocationNews): void {
    this.#heard += 1
    for (const listener of this.#listeners) listener(news)
  }
}

function parse(payload: string): Revocation | undefined {
  try {
    const { kind, id } = JSON.parse(payload) as { kind?: unknown; id?: unknown }
    const known = kinds.find((name) => name === kind)
    return known && typeof id === 'string' ? { kind: known, id } : undefined
  } catch {
    return undefined
  }
}
