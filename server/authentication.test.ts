import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createAuthentication, type Authentication } from './authentication.ts'
import { createPool } from './database.ts'
import { IpVerdicts } from './ip-verdicts.ts'
import { createLogger } from './log.ts'
import { Notifications } from './notifications.ts'
import { noRateLimits } from './rate-limits.ts'
import { Revocations } from './revocations.ts'
import { createPerson, startTestServer, type Person, type TestServer } from './testing.ts'

let desk: TestServer
let notifications: Notifications
let revocations: Revocations
let authentication: Authentication
let pool: ReturnType<typeof createPool>

const logger = createLogger('silent')

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

// The parts alone, so that what they ask can be counted.
beforeEach(() => {
  const { accessTokens } = desk.server
  pool = createPool(desk.database.serverUrl, logger)
  notifications = new Notifications(desk.database.serverUrl, logger)
  revocations = new Revocations({ pool, notifications, logger })
  authentication = createAuthentication({ pool, accessTokens, revocations, rateLimits: noRateLimits })
  return async () => {
    await revocations.release()
    await notifications.release()
    await pool.end()
  }
})

async function listen() {
  notifications.start()
  revocations.start()
  await expect.poll(() => revocations.isComplete).toBe(true)
}

const newcomer = (name: string): Promise<Person> =>
  createPerson(desk.superuser, desk.server, desk.acme, name, 'agent')

const end = ({ sessionId }: Person) =>
  desk.superuser.query('update app_private.sessions set revoked_at = now() where id = $1', [sessionId])

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'let in',
    ({ code }: { code: string }) => code,
  )

test('what is no token of ours is refused without asking anybody', async () => {
  await listen()
  const query = vi.spyOn(pool, 'query')
  for (const token of ['', 'garbage', 'a.b.c', `atum_${'0'.repeat(56)}`, 'atum_']) {
    expect(await codeOf(authentication.identify(token, '127.0.0.1')), token).toBe('UNAUTHENTICATED')
  }
  expect(query).not.toHaveBeenCalled()
})

describe('until everything is heard the database is asked each time', () => {
  test('about the session and the address', async () => {
    const person = await newcomer('unheard')
    expect(await authentication.identify(person.token, '127.0.0.1')).toMatchObject({ userId: person.id })
    await end(person)
    expect(await codeOf(authentication.identify(person.token, '127.0.0.1'))).toBe('UNAUTHENTICATED')
    const other = await newcomer('unheard-too')
    const bearer = await authentication.identify(other.token, '127.0.0.1')
    await end(other)
    expect(await codeOf(authentication.confirm(bearer, '127.0.0.1'))).toBe('UNAUTHENTICATED')
  })

  test('and where it is away nobody is let in', async () => {
    await desk.superuser.query('alter function app_private.session_is_live(uuid, uuid) rename to hidden')
    try {
      expect(await codeOf(authentication.identify(desk.acme.agent.token, '127.0.0.1'))).not.toBe('let in')
    } finally {
      await desk.superuser.query('alter function app_private.hidden(uuid, uuid) rename to session_is_live')
    }
  })
})

test('a session that ended before we listened is refused', async () => {
  const person = await newcomer('earlier')
  await end(person)
  await listen()
  const query = vi.spyOn(pool, 'query')
  expect(await codeOf(authentication.identify(person.token, '127.0.0.1'))).toBe('UNAUTHENTICATED')
  expect(query).not.toHaveBeenCalled()
})

describe('a session of which a NOTIFY says that it ended, as any login can make one,', () => {
  const say = ({ sessionId }: Person) =>
    desk.superuser.query(`select pg_notify('atum_revocations', $1)`, [
      JSON.stringify({ kind: 'session', id: sessionId }),
    ])
  async function saidOf(person: Person, said: () => Promise<unknown>) {
    await listen()
    const bearer = await authentication.identify(person.token, '127.0.0.1')
    const { heard } = revocations
    await said()
    await expect.poll(() => revocations.heard).toBeGreaterThan(heard)
    return { bearer, query: vi.spyOn(pool, 'query') }
  }

  test('goes on where the database does not say so, and is asked about once', async () => {
    const person = await newcomer('slandered')
    const { bearer, query } = await saidOf(person, () => say(person))
    for (let count = 0; count < 3; count += 1) {
      expect(await codeOf(authentication.confirm(bearer, '127.0.0.1'))).toBe('let in')
      expect(await codeOf(authentication.identify(person.token, '127.0.0.1'))).toBe('let in')
    }
    expect(query).toHaveBeenCalledTimes(1)
    // And ends when it ends.
    await end(person)
    await expect.poll(() => codeOf(authentication.confirm(bearer, '127.0.0.1'))).toBe('UNAUTHENTICATED')
  })

  test('has ended where the database says so, and is asked about once', async () => {
    const person = await newcomer('ended')
    const { bearer, query } = await saidOf(person, () => end(person))
    for (let count = 0; count < 3; count += 1) {
      expect(await codeOf(authentication.confirm(bearer, '127.0.0.1'))).toBe('UNAUTHENTICATED')
    }
    expect(query).toHaveBeenCalledTimes(1)
  })

  test('is not let in while the database cannot say', async () => {
    const person = await newcomer('uncertain')
    const { bearer } = await saidOf(person, () => say(person))
    await desk.superuser.query('alter function app_private.session_is_live(uuid, uuid) rename to hidden')
    try {
      expect(await codeOf(authentication.confirm(bearer, '127.0.0.1'))).not.toBe('let in')
    } finally {
      await desk.superuser.query('alter function app_private.hidden(uuid, uuid) rename to session_is_live')
    }
    expect(await codeOf(authentication.confirm(bearer, '127.0.0.1'))).toBe('let in')
  })

  test('is not believed live by an answer from before it was heard again', async () => {
    const person = await newcomer('twice')
    const { bearer, query } = await saidOf(person, () => say(person))
    query.mockRestore()
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    const { promise: told, resolve: tell } = Promise.withResolvers<void>()
    const { heard } = revocations
    const ask = pool.query.bind(pool) as (...given: unknown[]) => Promise<unknown>
    vi.spyOn(pool, 'query').mockImplementationOnce(async (...question: unknown[]) => {
      const live = await ask(...question)
      answer()
      await told
      return live
    })
    const early = codeOf(authentication.confirm(bearer, '127.0.0.1'))
    await answered
    await end(person)
    await expect.poll(() => revocations.heard).toBeGreaterThan(heard)
    tell()
    expect(await early).toBe('let in')
    expect(await codeOf(authentication.confirm(bearer, '127.0.0.1'))).toBe('UNAUTHENTICATED')
  })
})

test('once everything is heard a thousand requests ask once, for each address', async () => {
  await listen()
  const query = vi.spyOn(pool, 'query')
  const { token } = desk.acme.agent
  for (let count = 0; count < 500; count += 1) {
    await authentication.identify(token, '127.0.0.1')
    await authentication.identify(token, '192.0.2.7')
  }
  expect(query).toHaveBeenCalledTimes(2)
})

test('verdicts on addresses are forgotten by organization, and there are never more than fit', async () => {
  await listen()
  const { acme, globex, superuser } = desk
  const verdicts = new IpVerdicts({ pool, revocations, maximum: 50 })
  for (let host = 0; host < 60; host += 1) {
    expect(await verdicts.isAllowed(acme.id, 'agent', `192.0.2.${host}`)).toBe(true)
  }
  expect(verdicts.size).toBe(50)
  await verdicts.isAllowed(globex.id, 'agent', '192.0.2.1')

  const rule = await superuser.query<{ id: string }>(
    `insert into app_public.ip_rules (organization_id, network) values ($1, '2001:db8::/32') returning id`,
    [acme.id],
  )
  await expect.poll(() => verdicts.size).toBe(1)
  expect(await verdicts.isAllowed(acme.id, 'agent', '192.0.2.1')).toBe(false)
  expect(await verdicts.isAllowed(acme.id, 'agent', '2001:db8:1::7')).toBe(true)
  expect(await verdicts.isAllowed(acme.id, 'customer', '::1')).toBe(false)
  await superuser.query('delete from app_public.ip_rules where id = $1', [rule.rows[0]!.id])
  await expect.poll(() => verdicts.size).toBe(1)
  expect(await verdicts.isAllowed(acme.id, 'agent', '192.0.2.1')).toBe(true)
})
