import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword as password, type Person } from '../support/fixture.ts'
import { type Answer, loginsOn, type Newcomer } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer, openSession, forgiveFailures, recordedWhile, actsWithoutOrigin } = loginsOn(stage)
const visitor = { ip_address: '192.0.2.7', user_agent: 'a browser' }

beforeEach(forgiveFailures)

interface Confirmed {
  outcome: string
  recoveryCodes?: string[]
  admission?: Answer | null
}

const begin = (actor: Partial<Person>, challenge: string | null = null, secret = 'v1.secret') =>
  stage.ask<Answer>('begin_two_factor', { secret, challenge }, { actor })
const confirm = (
  actor: Partial<Person>,
  step: number,
  challenge: string | null = null,
  { client = stage.server, secret = 'v1.secret' } = {},
) =>
  stage.ask<Confirmed>(
    'confirm_two_factor',
    { time_step: step, secret, challenge, ...visitor },
    { actor, client },
  )
const pending = (actor: Partial<Person>) => stage.ask<unknown>('pending_two_factor', {}, { actor })
const disable = (actor: Partial<Person>, secret: string | null, step: number | null) =>
  stage.ask<Answer>('disable_two_factor', { password: secret, time_step: step }, { actor })
const renew = (actor: Partial<Person>, secret: string | null, step: number | null) =>
  stage.ask<Confirmed>('renew_recovery_codes', { password: secret, time_step: step }, { actor })
const statusOf = async (actor: Person) =>
  (await stage.sees(actor, 'select to_jsonb(status) from app_public.two_factor_status() as status'))[0]

const asToken = ({ sessionId: _session, ...person }: Person) => person
const off = { outcome: 'two_factor_off' }
const expired = { outcome: 'challenge_expired' }

/** Somebody with a password and codes, whose step 100 was used to turn them on. */
async function withCodes(): Promise<Newcomer> {
  const person = await newcomer(stage.acme, 'agent')
  await stage.superuser.query('select app_private.set_password($1, $2, $3)', [
    person.organizationId,
    person.userId,
    password,
  ])
  await begin(person)
  await confirm(person, 100)
  return person
}

const demand = (roles: string) =>
  stage.superuser.query('update app_public.security_policies set two_factor_roles = $1', [roles])

/** What the right password gives an agent whose role came to demand a second factor; the sessions ended with it. */
async function enrolmentOf({ userId }: Person): Promise<string> {
  await demand('{agent}')
  const { outcome, challenge } = await value<Answer>(
    stage.superuser,
    `select app_private.admit(person, 'password', '192.0.2.7', 'a browser') from app_public.users as person where id = $1`,
    [userId],
  )
  await demand('{}')
  expect(outcome).toBe('two_factor_enrolment')
  return challenge!
}

const isConfirmed = (person: Person) =>
  value<boolean>(
    stage.superuser,
    `select exists (select from app_private.authenticators where user_id = $1 and confirmed_at is not null)`,
    [person.userId],
  )
const sessionsOf = (person: Person) =>
  value<number>(
    stage.superuser,
    'select count(*)::int from app_private.sessions where user_id = $1 and revoked_at is null',
    [person.userId],
  )

describe('nothing is enrolled', () => {
  test('by strangers and API tokens', async () => {
    const person = await newcomer(stage.acme)
    for (const call of [begin, (actor: Partial<Person>) => confirm(actor, 100)]) {
      expect(await sqlState(call({}))).toBe('AD001')
      expect(await sqlState(call(asToken(person)))).toBe('AD004')
    }
    expect(await pending({})).toBe(null)
  })

  test('by a challenge that waits for a code, that is over, or never was', async () => {
    const person = await withCodes()
    const { challenge } = await value<Answer>(
      stage.superuser,
      `select app_private.admit(person, 'password', '192.0.2.7', null) from app_public.users as person where id = $1`,
      [person.userId],
    )
    const over = await enrolmentOf(await newcomer(stage.acme, 'agent'))
    await stage.superuser.query(
      'update app_private.login_challenges set expires_at = now() where purpose = $1',
      ['enrol'],
    )
    for (const none of [challenge!, over, 'x', '']) {
      expect(await begin({}, none)).toEqual(expired)
      expect(await confirm({}, 101, none)).toEqual(expired)
    }
  })

  test('that is not encrypted', async () => {
    expect(await sqlState(begin(await newcomer(stage.acme), null, 'JBSWY3DPEHPK3PXP'))).toBe('23514')
  })

  test('twice', async () => {
    const person = await withCodes()
    expect(await begin(person)).toEqual({ outcome: 'two_factor_already_on' })
    expect(await confirm(person, 101)).toEqual(off)
    expect(await pending(person)).toEqual({ secret: 'v1.secret', lastTimeStep: 100, confirmed: true })
  })

  test('that was not begun', async () => {
    expect(await confirm(await newcomer(stage.acme), 100)).toEqual(off)
  })

  test('by a code of the secret that another one took the place of', async () => {
    const person = await newcomer(stage.acme, 'agent')
    await begin(person, null, 'v1.shown')
    await begin(person, null, 'v1.slipped-in')
    expect(await confirm(person, 100, null, { secret: 'v1.shown' })).toEqual({ outcome: 'invalid_code' })
    expect(await isConfirmed(person)).toBe(false)
    expect(await confirm(person, 100, null, { secret: 'v1.slipped-in' })).toMatchObject({ outcome: 'ok' })

    const other = await newcomer(stage.acme, 'agent')
    const challenge = await enrolmentOf(other)
    await begin({}, challenge, 'v1.shown')
    await begin(other, null, 'v1.slipped-in')
    expect(await confirm({}, 100, challenge, { secret: 'v1.shown' })).toEqual({ outcome: 'invalid_code' })
    expect(await isConfirmed(other)).toBe(false)
  })

  test('twice at the same moment', async () => {
    const person = await newcomer(stage.acme)
    await begin(person)
    const clients = await Promise.all([1, 2].map(() => stage.open(stage.database.serverUrl)))
    const answers = await Promise.all(clients.map((client) => confirm(person, 100, null, { client })))
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['ok', 'two_factor_off'])
    expect(await statusOf(person)).toMatchObject({ recovery_codes_left: 10 })
  })
})

describe('enrolling', () => {
  test('counts once it is confirmed, and may be begun anew until then', async () => {
    const person = await newcomer(stage.acme)
    expect(await pending(person)).toBe(null)
    expect(await begin(person, null, 'v1.first')).toEqual({ outcome: 'ok' })
    expect(await begin(person, null, 'v1.second')).toEqual({ outcome: 'ok' })
    expect(await pending(person)).toEqual({ secret: 'v1.second', lastTimeStep: null, confirmed: false })
    expect(await pending(asToken(person))).toBe(null)
    expect(await pending(stage.acme.neighbour)).toBe(null)
    expect(await statusOf(person)).toEqual({ is_on: false, is_required: false, recovery_codes_left: 0 })
    const { outcome, admission } = await confirm(person, 100, null, { secret: 'v1.second' })
    expect([outcome, admission]).toEqual(['ok', null])
    expect(await statusOf(person)).toEqual({ is_on: true, is_required: false, recovery_codes_left: 10 })
  })

  test('gives ten codes of 128 random bits, of which a hash is kept', async () => {
    const person = await newcomer(stage.acme)
    await begin(person)
    const { recoveryCodes } = await confirm(person, 100)
    expect(new Set(recoveryCodes).size).toBe(10)
    for (const code of recoveryCodes!) expect(code).toMatch(/^([0-9a-f]{8}-){3}[0-9a-f]{8}$/)
    const kept = await value<string>(
      stage.superuser,
      `select string_agg(to_jsonb(code)::text, ' ') || (select string_agg(to_jsonb(link)::text, ' ') from app_public.audit_log as link)
      from app_private.recovery_codes as code`,
    )
    for (const code of recoveryCodes!) {
      expect(kept).not.toContain(code)
      expect(kept).not.toContain(code.replaceAll('-', ''))
    }
    expect(kept).not.toContain('v1.secret')
  })

  test('by challenge gives a session, and only when it is confirmed', async () => {
    const person = await newcomer(stage.acme, 'agent')
    const challenge = await enrolmentOf(person)
    expect(await begin({}, challenge)).toEqual({ outcome: 'ok' })
    expect(await sessionsOf(person)).toBe(0)
    const { outcome, recoveryCodes, admission } = await confirm({}, 100, challenge)
    expect([outcome, recoveryCodes?.length]).toEqual(['ok', 10])
    expect(admission).toMatchObject({ outcome: 'ok', user: { id: person.userId } })
    expect(await sessionsOf(person)).toBe(1)
    expect(await confirm({}, 101, challenge)).toEqual(expired)
    expect(await begin({}, challenge)).toEqual(expired)
    expect(await sessionsOf(person)).toBe(1)
  })

  test('by challenge gives no session where codes were turned on meanwhile', async () => {
    const person = await newcomer(stage.acme, 'agent')
    const challenge = await enrolmentOf(person)
    await begin(person)
    await confirm(person, 100)
    expect(await begin({}, challenge, 'v1.mine')).toEqual({ outcome: 'two_factor_already_on' })
    expect(await confirm({}, 101, challenge)).toEqual(off)
    expect(await sessionsOf(person)).toBe(0)
  })

  test('by challenge where the organization was closed meanwhile turns nothing on and gives no session', async () => {
    const person = await newcomer(stage.acme, 'agent')
    const challenge = await enrolmentOf(person)
    await begin({}, challenge)
    await stage.superuser.query(
      `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
    )
    expect(await confirm({}, 100, challenge)).toEqual({ outcome: 'organization_suspended' })
    await stage.superuser.query('update app_public.organizations set suspended_at = null')
    expect(await sessionsOf(person)).toBe(0)
    expect(await isConfirmed(person)).toBe(false)
    expect(await statusOf(person)).toMatchObject({ is_on: false, recovery_codes_left: 0 })
  })
})

describe.each([
  ['turning it off', disable],
  ['renewing the recovery codes', renew],
] as const)('%s', (_name, change) => {
  test('needs a session', async () => {
    const person = await withCodes()
    expect(await sqlState(change({}, password, 101))).toBe('AD001')
    expect(await sqlState(change(asToken(person), password, 101))).toBe('AD004')
  })

  test('needs the password, and a code whose step was not used', async () => {
    const person = await withCodes()
    for (const secret of ['wrong', '', null]) {
      expect(await change(person, secret, 101)).toEqual({ outcome: 'invalid_credentials' })
    }
    for (const step of [100, 99, null]) {
      expect(await change(person, password, step)).toEqual({ outcome: 'invalid_code' })
    }
    expect(await isConfirmed(person)).toBe(true)
    expect(await change(person, password, 101)).toMatchObject({ outcome: 'ok' })
  })

  test('is throttled as logging in is', async () => {
    const person = await withCodes()
    const waiting = { outcome: 'too_many_attempts', retryAfterSeconds: expect.any(Number) }
    for (const subject of [person.userId, `${person.userId} second factor`]) {
      await stage.superuser.query(
        `select count(app_private.count_login_failure($1, '192.0.2.7')) from generate_series(1, 8)`,
        [subject],
      )
      expect(await change(person, password, 101)).toEqual(waiting)
      await forgiveFailures()
    }
    for (let each = 1; each <= 4; each += 1) await change(person, 'wrong', 101)
    const acts = await recordedWhile(() => change(person, 'wrong', 101))
    expect(acts.map(({ operation }) => operation).toSorted()).toEqual(['lockout', 'login_failed'])
  })

  test('where it is not on changes nothing', async () => {
    const person = await newcomer(stage.acme)
    expect(await change(person, password, 101)).toEqual(off)
    await begin(person)
    expect(await change(person, password, 101)).toEqual(off)
    expect(await pending(person)).not.toBe(null)
  })
})

describe('turned off', () => {
  test('nothing is left of it, the person is told, and other sessions go on', async () => {
    const person = await withCodes()
    await openSession(person.userId)
    expect(await disable(person, password, 101)).toEqual({ outcome: 'ok' })
    expect(await statusOf(person)).toEqual({ is_on: false, is_required: false, recovery_codes_left: 0 })
    expect(await pending(person)).toBe(null)
    expect(await sessionsOf(person)).toBe(2)
    const purposes = await value(
      stage.superuser,
      'select array_agg(purpose order by created_at) from app_private.account_mails where user_id = $1',
      [person.userId],
    )
    expect(purposes).toEqual(['two_factor_on', 'two_factor_off'])
  })

  test('where the role demands it every session ends', async () => {
    const person = await withCodes()
    await openSession(person.userId)
    await demand('{agent}')
    expect(await statusOf(person)).toMatchObject({ is_on: true, is_required: true })
    expect(await disable(person, password, 101)).toEqual({ outcome: 'ok' })
    expect(await sessionsOf(person)).toBe(0)
    await demand('{}')
  })

  test('renewed codes stand in place of the ones before', async () => {
    const person = await withCodes()
    const hashes = () =>
      value<string[]>(
        stage.superuser,
        `select array_agg(encode(code_hash, 'hex') order by code_hash) from app_private.recovery_codes where user_id = $1`,
        [person.userId],
      )
    const before = await hashes()
    const { recoveryCodes } = await renew(person, password, 101)
    expect(recoveryCodes).toHaveLength(10)
    expect((await hashes()).filter((hash) => before.includes(hash))).toEqual([])
    expect(await hashes()).toHaveLength(10)
  })
})

describe('an admin resets', () => {
  const reset = 'select app_public.reset_two_factor($1)'

  test('nobody of another organization, and nobody else resets anybody', async () => {
    const { customer, agent, manager, admin } = stage.acme
    for (const actor of [customer, agent, manager]) {
      expect(await stage.refuses(actor, reset, [manager.userId])).toBe('42501')
    }
    expect(await stage.refuses(admin, reset, [stage.globex.manager.userId])).toBe('AD101')
    expect(await stage.refuses(asToken(admin), reset, [manager.userId])).toBe('AD004')
    // Whoever has only the session goes round neither the password nor the code.
    expect(await stage.refuses(admin, reset, [admin.userId])).toBe('AD009')
  })

  test('the second factor of a person who lost it, and ends their sessions', async () => {
    const person = await withCodes()
    const acts = await recordedWhile(() =>
      stage.does({ ...stage.acme.admin, ipAddress: '192.0.2.1', requestId: 'resetting' }, reset, [
        person.userId,
      ]),
    )
    expect(acts.map(({ operation, row_id, actor_id }) => [operation, row_id, actor_id])).toEqual([
      ['two_factor_off', person.userId, stage.acme.admin.userId],
    ])
    expect(await sessionsOf(person)).toBe(0)
    expect(await isConfirmed(person)).toBe(false)
  })
})

test('what is recorded: on, off and renewed, by whom and from where', async () => {
  const person = await newcomer(stage.acme, 'agent')
  await stage.superuser.query('select app_private.set_password($1, $2, $3)', [
    person.organizationId,
    person.userId,
    password,
  ])
  const acts = await recordedWhile(async () => {
    await begin(person)
    await confirm(person, 100)
    await renew(person, password, 101)
    await disable(person, password, 102)
  })
  expect(acts.map(({ operation, row_id, actor_id }) => [operation, row_id, actor_id])).toEqual(
    ['two_factor_on', 'recovery_codes_renewed', 'two_factor_off'].map((operation) => [
      operation,
      person.userId,
      person.userId,
    ]),
  )
  expect(await actsWithoutOrigin()).toEqual([])
})
