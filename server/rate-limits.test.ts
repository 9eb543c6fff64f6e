import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool, QueryConfig } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import type { Bearer } from './caller.ts'
import { createPool } from './database.ts'
import { createLogger } from './log.ts'
import { limits, networkOf, SharedRateLimits, spendRequest, type Limit } from './rate-limits.ts'

let database: TestDatabase
let pools: Pool[] = []

const logger = createLogger('silent')

beforeAll(async () => {
  database = await createTestDatabase()
})

afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.end()))
  pools = []
})

afterAll(() => database.drop())

/** A server's counts, and what it asks Postgres: how many each time, and how often at once. */
function counting(options: { url?: string; maximum?: number } = {}) {
  const pool = createPool(options.url ?? database.serverUrl, logger, 'questions')
  pools.push(pool)
  const asked = { wanted: [] as number[], running: 0, mostAtOnce: 0 }
  const query = pool.query.bind(pool) as (question: QueryConfig<unknown[]>) => Promise<unknown>
  pool.query = (async (question: QueryConfig<unknown[]>) => {
    asked.wanted.push(question.values![3] as number)
    asked.running += 1
    asked.mostAtOnce = Math.max(asked.mostAtOnce, asked.running)
    try {
      return await query(question)
    } finally {
      asked.running -= 1
    }
  }) as typeof pool.query
  return { rateLimits: new SharedRateLimits({ pool, logger, ...options }), asked }
}

const limit = (perSecond: number, burst: number): Limit => ({ name: crypto.randomUUID(), perSecond, burst })

/** How many of those that came at once were let through. */
async function passed(attempts: Promise<void>[]): Promise<number> {
  const results = await Promise.allSettled(attempts)
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'RATE_LIMITED' })
  }
  return results.filter(({ status }) => status === 'fulfilled').length
}

const times = <T>(count: number, work: () => T): T[] => Array.from({ length: count }, work)

describe('refuses', () => {
  test('what is too many, says when there is one again, and asks nobody until then', async () => {
    const { rateLimits, asked } = counting()
    const slow = limit(0.1, 2)
    await rateLimits.spend(slow, 'somebody')
    await rateLimits.spend(slow, 'somebody')
    await expect(rateLimits.spend(slow, 'somebody')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      status: 429,
      details: { retryAfterSeconds: 10 },
    })
    expect(() => rateLimits.refuseWhenSpent(slow, 'somebody')).toThrow('too many requests')
    expect(() => rateLimits.refuseWhenSpent(slow, 'somebody else')).not.toThrow()
    asked.wanted = []
    expect(await passed(times(1_000, () => rateLimits.spend(slow, 'somebody')))).toBe(0)
    expect(asked.wanted).toEqual([])
    await rateLimits.spend(slow, 'somebody else')
  })

  test('as soon as one may wait a part of a second it says one', async () => {
    const { rateLimits } = counting()
    const quick = limit(10, 1)
    await rateLimits.spend(quick, 'somebody')
    await expect(rateLimits.spend(quick, 'somebody')).rejects.toMatchObject({
      details: { retryAfterSeconds: 1 },
    })
  })

  test('of two servers together exactly what is too many', async () => {
    const servers = [counting(), counting()]
    const { api } = limits
    const shared = { ...api, name: crypto.randomUUID() }
    const started = performance.now()
    const attempts = servers.flatMap(({ rateLimits }) =>
      times(50, () => rateLimits.spend(shared, 'somebody')),
    )
    let through = await passed(attempts)
    expect(through).toBeGreaterThanOrEqual(api.burst)
    // From here on as fast as both can, for more than a second.
    while (performance.now() - started < 1_200) {
      through += await passed(servers.map(({ rateLimits }) => rateLimits.spend(shared, 'somebody')))
      await delay(5)
    }
    const elapsed = (performance.now() - started) / 1_000
    expect(through).toBeLessThanOrEqual(api.burst + api.perSecond * elapsed)
    // What one server has taken and the other would have needed.
    expect(through).toBeGreaterThanOrEqual(Math.floor(api.burst + api.perSecond * elapsed) - api.burst / 4)
  })
})

test('one question is asked at a time, however many come at once', async () => {
  const { rateLimits, asked } = counting()
  const wide = limit(1, 40)
  expect(await passed(times(60, () => rateLimits.spend(wide, 'somebody')))).toBe(40)
  expect(asked.mostAtOnce).toBe(1)
  // Four quarters, and the one that brought nothing.
  expect(asked.wanted).toEqual([10, 10, 10, 10, 10])
})

test('who keeps to the limits costs one question in four requests, at both limits together', async () => {
  const { rateLimits, asked } = counting()
  const session = (): Bearer => ({
    sessionId: crypto.randomUUID(),
    userId: crypto.randomUUID(),
    organizationId: crypto.randomUUID(),
    role: 'agent',
    expiresAt: 0,
  })
  const sessions = times(5, session)
  let requests = 0
  // Eight requests a second of each, for two and a half.
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(sessions.map((bearer) => spendRequest(rateLimits, bearer, '198.51.100.1')))
    requests += sessions.length
    await delay(125)
  }
  expect(asked.wanted.length / requests).toBeLessThanOrEqual(0.25)
})

test('who asks now and then takes no more than they use', async () => {
  const { rateLimits, asked } = counting()
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    await rateLimits.spend(limits.api, 'now and then')
    for (let round = 0; round < 3; round += 1) {
      vi.advanceTimersByTime(1_500)
      await rateLimits.spend(limits.api, 'now and then')
    }
    expect(asked.wanted).toEqual([5, 1, 1, 1])
    // After a while the allowance is full again, and a screen that opens asks for several things at once.
    vi.advanceTimersByTime(60_000)
    await rateLimits.spend(limits.api, 'now and then')
    expect(asked.wanted.at(-1)).toBe(5)
  } finally {
    vi.useRealTimers()
  }
})

test('only so many keys are remembered, and those that are not used make room', async () => {
  const { rateLimits, asked } = counting({ maximum: 10 })
  const wide = limit(1, 40)
  await rateLimits.spend(wide, 'regular')
  for (let count = 0; count < 30; count += 1) {
    await rateLimits.spend(wide, `passing ${count}`)
    await rateLimits.spend(wide, 'regular')
  }
  expect(rateLimits.size).toBe(10)
  expect(asked.wanted.length).toBeLessThanOrEqual(30 + 6)
})

describe('where Postgres is away everything passes', () => {
  test('at once where nobody is there', async () => {
    const { rateLimits, asked } = counting({ url: 'postgres://atum_server@127.0.0.1:1/atum' })
    expect(await passed(times(50, () => rateLimits.spend(limits.login, 'somebody')))).toBe(50)
    expect(asked.wanted).toHaveLength(1)
  })

  test('and soon where nobody answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const { rateLimits } = counting({ url: `postgres://atum_server@127.0.0.1:${port}/atum` })
    const started = performance.now()
    await rateLimits.spend(limits.login, 'somebody')
    expect(performance.now() - started).toBeLessThan(600)
    await rateLimits.spend(limits.login, 'somebody else')
    expect(performance.now() - started).toBeLessThan(650)
    silent.close()
  })
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
  ['::1', '0:0:0:0::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
