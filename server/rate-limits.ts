import { isIP } from 'node:net'
import type { Pool } from 'pg'
import type { Bearer } from './caller.ts'
import { RequestError } from './errors.ts'
import type { Logger } from './log.ts'

/** An allowance that fills again by itself. */
export interface Limit {
  name: string
  perSecond: number
  burst: number
}

/** How much is answered. nginx, where it stands in front, holds to the same numbers. */
export const limits = {
  /** Logging in, and whatever else could be guessed at, from one address. */
  login: { name: 'login', perSecond: 1, burst: 5 },
  /** Looking at surveys and answering them, from one address, where nobody is known: an office may have one address. */
  survey: { name: 'survey', perSecond: 2, burst: 20 },
  /** API tokens that are none, from one address. */
  wrongToken: { name: 'wrong-token', perSecond: 1, burst: 5 },
  /** Requests of one session or one API token, and of strangers from one address. */
  api: { name: 'api', perSecond: 10, burst: 20 },
  /** Files that come in, of one session or API token. */
  upload: { name: 'upload', perSecond: 1, burst: 40 },
  /** Files that are read, of one session or API token: a conversation shows many pictures at once. */
  file: { name: 'file', perSecond: 20, burst: 100 },
  /** All requests from one address. */
  address: { name: 'address', perSecond: 50, burst: 100 },
} as const satisfies Record<string, Limit>

const leaseMilliseconds = 1_000
// Longer than Postgres ever takes for it: what then waits is Postgres, and not who asks.
const patienceMilliseconds = 300
const retryMilliseconds = 1_000
const rememberedKeys = 20_000

/** Requests that this server took from an allowance, for those that come next. */
interface Lease {
  taken: number
  left: number
  until: number
  /** Nothing is left anywhere before this time. */
  emptyUntil: number
  asking: Promise<void> | undefined
}

/** Counts requests. */
export interface RateLimits {
  /** Takes one request from the allowance of whoever `key` names; throws RATE_LIMITED where there is none left. */
  spend(limit: Limit, key: string): Promise<void>
  /** Throws where it is known that nothing is left, and takes nothing. */
  refuseWhenSpent(limit: Limit, key: string): void
}

/** What counts where nothing is limited. */
export const noRateLimits: RateLimits = {
  async spend() {},
  refuseWhenSpent() {},
}

/**
 * Counts that all servers share. Postgres keeps them, and gives each server a few requests at once to count by itself,
 * a quarter of the burst where they are used up, so that most requests ask nothing. What a server does not use within
 * a second is lost. Where Postgres is away everything passes: the request that asks for something fails by itself.
 */
export class SharedRateLimits implements RateLimits {
  readonly #pool: Pool
  readonly #logger: Logger
  readonly #leases = new Map<string, Lease>()
  readonly #maximum: number
  #awayUntil = 0

  constructor(options: { pool: Pool; logger: Logger; maximum?: number }) {
    this.#pool = options.pool
    this.#logger = options.logger
    this.#maximum = options.maximum ?? rememberedKeys
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#leases.size
  }

  async spend(limit: Limit, key: string): Promise<void> {
    const name = `${limit.name}:${key}`
    const lease = this.#leaseOf(name)
    for (;;) {
      const now = performance.now()
      if (lease.emptyUntil > now) throw rateLimited(lease.emptyUntil - now)
      if (lease.left > 0 && lease.until > now) {
        lease.left -= 1
        return
      }
      if (this.#awayUntil > now) return
      // One question at a time: the others wait for what it brings.
      lease.asking ??= this.#extend(limit, name, lease)
      await lease.asking
    }
  }

  refuseWhenSpent(limit: Limit, key: string): void {
    const remaining = (this.#leases.get(`${limit.name}:${key}`)?.emptyUntil ?? 0) - performance.now()
    if (remaining > 0) throw rateLimited(remaining)
  }

  /** The lease of a key, which was used last from now on: those that were not used for the longest time make room. */
  #leaseOf(name: string): Lease {
    const known = this.#leases.get(name)
    if (known) this.#leases.delete(name)
    else if (this.#leases.size >= this.#maximum) {
      const [oldest] = this.#leases.keys()
      if (oldest !== undefined) this.#leases.delete(oldest)
    }
    const lease = known ?? { taken: 0, left: 0, until: -Infinity, emptyUntil: 0, asking: undefined }
    this.#leases.set(name, lease)
    return lease
  }

  /** Never rejects. */
  async #extend(limit: Limit, name: string, lease: Lease): Promise<void> {
    const wanted = wantedFor(limit, lease)
    const { promise: impatience, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error('Postgres did not answer in time')), patienceMilliseconds)
    try {
      const answer = this.#pool.query<{ granted: number; retry_after: number }>({
        name: 'take_tokens',
        text: 'select granted, retry_after from app_private.take_tokens($1, $2, $3, $4)',
        values: [name, limit.perSecond, limit.burst, wanted],
      })
      answer.catch(() => {})
      const { granted, retry_after: retryAfter } = (await Promise.race([answer, impatience])).rows[0]!
      const now = performance.now()
      lease.taken = lease.left = granted
      lease.until = now + leaseMilliseconds
      lease.emptyUntil = granted > 0 ? 0 : now + retryAfter * 1_000
    } catch (error) {
      this.#logger.warn({ reason: String(error) }, 'requests are not counted right now')
      this.#awayUntil = performance.now() + retryMilliseconds
    } finally {
      clearTimeout(timer)
      lease.asking = undefined
    }
  }
}

/** A quarter of the burst, unless a whole second was not enough to use up what was taken the last time. */
function wantedFor({ perSecond, burst }: Limit, { taken, left, until }: Lease): number {
  const most = Math.max(1, Math.floor(burst / 4))
  const isFullAgain = performance.now() - until > (burst / perSecond) * 1_000
  const wasUsedUp = left === 0 && performance.now() < until
  return isFullAgain || wasUsedUp ? most : Math.min(most, Math.max(1, taken - left))
}

function rateLimited(milliseconds: number): RequestError {
  return new RequestError('RATE_LIMITED', 'These are too many requests; wait a moment', {
    retryAfterSeconds: Math.max(1, Math.ceil(milliseconds / 1_000)),
  })
}

/** One request to the API: of a session or a token, else of the address; and always of the address besides. */
export async function spendRequest(
  rateLimits: RateLimits,
  bearer: Bearer | null,
  ipAddress: string,
  limit: Limit = limits.api,
): Promise<void> {
  const network = networkOf(ipAddress)
  await rateLimits.spend(limit, bearer ? nameOf(bearer) : network)
  await rateLimits.spend(limits.address, network)
}

const nameOf = (bearer: Bearer): string => ('sessionId' in bearer ? bearer.sessionId : bearer.apiTokenId)

/** What one caller has many addresses of: an IPv6 customer has a /64 at least. */
export function networkOf(ipAddress: string): string {
  if (isIP(ipAddress) !== 6) return ipAddress
  // As a URL it is written in one way, with an IPv4 part in hexadecimal digits.
  const { hostname } = new URL(`http://[${ipAddress}]`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const first = head.split(':').filter(Boolean)
  const last = (tail ?? '').split(':').filter(Boolean)
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0')
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`
}
