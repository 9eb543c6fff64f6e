import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { type Answer, loginsOn, type Newcomer } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer, forgiveFailures, recordedWhile, actsWithoutOrigin } = loginsOn(stage)
const visitor = { ip_address: '192.0.2.7', user_agent: 'a browser' }
const code = '01234-56789-abcde-f0123'

beforeEach(forgiveFailures)

/** Somebody whose codes are asked for. */
async function withCodes(): Promise<Newcomer> {
  const person = await newcomer(stage.acme, 'agent')
  await stage.superuser.query(
    `insert into app_private.authenticators (organization_id, user_id, sealed, confirmed_at) values ($1, $2, 'v1.sealed', now())`,
    [person.organizationId, person.userId],
  )
  await stage.superuser.query(
    `insert into app_private.recovery_codes (organization_id, user_id, code_hash) values ($1, $2, app_private.token_hash($3))`,
    [person.organizationId, person.userId, code.replaceAll('-', '')],
  )
  return person
}

/** What the right password gives a person who has a second factor, without what the password costs. */
async function challengeFor({ userId }: { userId: string }): Promise<string> {
  const { challenge } = await value<Answer>(
    stage.superuser,
    `select app_private.admit(person, 'password', '192.0.2.7', 'a browser') from app_public.users as person where id = $1`,
    [userId],
  )
  return challenge!
}

const pass = (challenge: string | null, step: number | null, client = stage.server) =>
  stage.ask<Answer>('pass_two_factor', { challenge, time_step: step, ...visitor }, { client })
const recover = (challenge: string | null, recoveryCode: string | null, client = stage.server) =>
  stage.ask<Answer>('pass_recovery_code', { challenge, code: recoveryCode, ...visitor }, { client })
const fail = (challenge: string | null) => stage.ask<Answer>('fail_two_factor', { challenge })
const lookUp = (challenge: string | null) => stage.ask<Answer>('challenge_of', { challenge })

const expired = { outcome: 'challenge_expired' }
const wrong = { outcome: 'invalid_code' }

const twoClients = () =>
  Promise.all([stage.open(stage.database.serverUrl), stage.open(stage.database.serverUrl)])

describe('a challenge is none', () => {
  const refusedEverywhere = async (challenge: string | null) => {
    expect(await lookUp(challenge)).toEqual(expired)
    expect(await pass(challenge, 100)).toEqual(expired)
    expect(await recover(challenge, code)).toEqual(expired)
    expect(await fail(challenge)).toEqual(expired)
  }

  test.each(['', 'x', 'f'.repeat(64), null])('that was never given (%j)', refusedEverywhere)

  test('that is the stored hash', async () => {
    await challengeFor(await withCodes())
    await refusedEverywhere(
      await value<string>(
        stage.superuser,
        `select encode(challenge_hash, 'hex') from app_private.login_challenges order by id desc limit 1`,
      ),
    )
  })

  test('after ten minutes', async () => {
    const challenge = await challengeFor(await withCodes())
    const lasts = `update app_private.login_challenges set expires_at = expires_at - $1::interval`
    await stage.superuser.query(lasts, ['9 minutes 30 seconds'])
    expect((await lookUp(challenge)).outcome).toBe('ok')
    await stage.superuser.query(lasts, ['1 minute'])
    await refusedEverywhere(challenge)
  })

  test('once it was used', async () => {
    const challenge = await challengeFor(await withCodes())
    expect((await pass(challenge, 100)).outcome).toBe('ok')
    await refusedEverywhere(challenge)
  })

  test('after five wrong codes, also for the right one', async () => {
    const challenge = await challengeFor(await withCodes())
    for (let each = 1; each <= 5; each += 1) expect(await fail(challenge)).toEqual(wrong)
    await forgiveFailures()
    await refusedEverywhere(challenge)
  })

  test('of somebody who was disabled meanwhile', async () => {
    const person = await withCodes()
    const challenges = [await challengeFor(person), await challengeFor(person)]
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [
      person.userId,
    ])
    expect(await pass(challenges[0]!, 100)).toEqual(expired)
    expect(await recover(challenges[1]!, code)).toEqual(expired)
  })
})

describe('a code lets nobody in', () => {
  test('whose step was used, or is before one that was', async () => {
    const person = await withCodes()
    expect((await pass(await challengeFor(person), 100)).outcome).toBe('ok')
    for (const step of [100, 99, 0, -1, null]) {
      expect(await pass(await challengeFor(person), step)).toEqual(wrong)
      await forgiveFailures()
    }
    expect((await pass(await challengeFor(person), 101)).outcome).toBe('ok')
  })

  test('twice in the same step, when two logins come at the same moment', async () => {
    const person = await withCodes()
    const challenges = [await challengeFor(person), await challengeFor(person)]
    const clients = await twoClients()
    const answers = await Promise.all(clients.map((client, index) => pass(challenges[index]!, 100, client)))
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['invalid_code', 'ok'])
  })

  test('twice with one challenge', async () => {
    const challenge = await challengeFor(await withCodes())
    const clients = await twoClients()
    const answers = await Promise.all(clients.map((client, index) => pass(challenge, 100 + index, client)))
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['challenge_expired', 'ok'])
  })

  test('where enrolment is asked for', async () => {
    const person = await newcomer(stage.acme, 'agent')
    await stage.superuser.query(`update app_public.security_policies set two_factor_roles = '{agent}'`)
    const challenge = await challengeFor(person)
    await stage.superuser.query(`update app_public.security_policies set two_factor_roles = '{}'`)
    expect(await lookUp(challenge)).toMatchObject({ outcome: 'ok', purpose: 'enrol', secret: null })
    expect(await pass(challenge, 100)).toEqual(wrong)
    expect(await recover(challenge, code)).toEqual(wrong)
    await stage.superuser.query(
      `insert into app_private.authenticators (organization_id, user_id, sealed) values ($1, $2, 'v1.begun')`,
      [person.organizationId, person.userId],
    )
    expect(await pass(challenge, 101)).toEqual(wrong)
  })

  test.each([
    [
      'organization_suspended',
      `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
      'update app_public.organizations set suspended_at = null',
    ],
    [
      'address_not_allowed',
      `insert into app_public.ip_rules (organization_id, role, network)
        select id, 'agent', '198.51.100.0/24' from app_public.organizations where slug = 'acme'`,
      `delete from app_public.ip_rules where role = 'agent'`,
    ],
  ])('where meanwhile the answer is %s', async (outcome, obstacle, relief) => {
    const challenge = await challengeFor(await withCodes())
    await stage.superuser.query(obstacle)
    expect(await pass(challenge, 100)).toEqual({ outcome })
    await stage.superuser.query(relief)
    expect(await pass(challenge, 101)).toEqual(expired)
  })
})

describe('guessing codes gets slower', () => {
  test('also with a new challenge each time, and for the right code too', async () => {
    const person = await withCodes()
    const first = await challengeFor(person)
    for (let each = 1; each <= 5; each += 1) await fail(first)
    const second = await challengeFor(person)
    const waiting = { outcome: 'too_many_attempts', retryAfterSeconds: expect.any(Number) }
    await stage.superuser.query(
      `update app_private.login_failures set blocked_until = now() + interval '5 seconds' where blocked_until > '-infinity'`,
    )
    expect(await fail(second)).toEqual(waiting)
    expect(await pass(second, 100)).toEqual(waiting)
    expect(await recover(second, code)).toEqual(waiting)
    await stage.superuser.query('update app_private.login_failures set blocked_until = now()')
    expect(await fail(second)).toEqual(wrong)
    expect((await fail(second)).outcome).toBe('too_many_attempts')
    await stage.superuser.query('update app_private.login_failures set blocked_until = now()')
    expect((await pass(second, 100)).outcome).toBe('ok')
  })

  test('without keeping the password out, or the codes of others', async () => {
    const [person, other] = [await withCodes(), await withCodes()]
    const challenge = await challengeFor(person)
    for (let each = 1; each <= 5; each += 1) await fail(challenge)
    expect(
      await value(stage.superuser, 'select app_private.login_wait($1, $2)', [
        person.userId,
        visitor.ip_address,
      ]),
    ).toBe(0)
    expect((await pass(await challengeFor(other), 100)).outcome).toBe('ok')
  })

  test('and the right code forgets what was wrong before', async () => {
    const person = await withCodes()
    const challenge = await challengeFor(person)
    for (let each = 1; each <= 4; each += 1) await fail(challenge)
    expect((await pass(challenge, 100)).outcome).toBe('ok')
    const next = await challengeFor(person)
    for (let each = 1; each <= 4; each += 1) expect(await fail(next)).toEqual(wrong)
    expect((await pass(next, 101)).outcome).toBe('ok')
  })
})

describe('a recovery code lets nobody in', () => {
  test.each([null, '', 'x', '01234-56789-abcde-f0124', '%'])('that is none (%j)', async (guess) => {
    expect(await recover(await challengeFor(await withCodes()), guess)).toEqual(wrong)
  })

  test('that is the stored hash', async () => {
    const person = await withCodes()
    const hash = await value<string>(
      stage.superuser,
      `select encode(code_hash, 'hex') from app_private.recovery_codes where user_id = $1`,
      [person.userId],
    )
    expect(await recover(await challengeFor(person), hash)).toEqual(wrong)
  })

  test('of somebody else', async () => {
    const [person, other] = [await withCodes(), await withCodes()]
    await stage.superuser.query('delete from app_private.recovery_codes where user_id = $1', [person.userId])
    expect(await recover(await challengeFor(person), code)).toEqual(wrong)
    expect((await recover(await challengeFor(other), code)).outcome).toBe('ok')
  })

  test('twice, one after the other or at the same moment', async () => {
    const person = await withCodes()
    const challenges = [await challengeFor(person), await challengeFor(person), await challengeFor(person)]
    const clients = await twoClients()
    const answers = await Promise.all(
      clients.map((client, index) => recover(challenges[index]!, code, client)),
    )
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['invalid_code', 'ok'])
    expect(await recover(challenges[2]!, code)).toEqual(wrong)
  })
})

describe('somebody is let in', () => {
  test('by a code, and told who they are', async () => {
    const person = await withCodes()
    const challenge = await challengeFor(person)
    expect(await lookUp(challenge)).toEqual({
      outcome: 'ok',
      organizationId: person.organizationId,
      userId: person.userId,
      email: person.email,
      purpose: 'verify',
      secret: 'v1.sealed',
      lastTimeStep: null,
    })
    const answer = await pass(challenge, 100)
    expect(answer).toMatchObject({ outcome: 'ok', user: { id: person.userId, role: 'agent' } })
    expect(answer.refreshToken).toMatch(/^[0-9a-f]{96}$/)
    expect(
      await value(
        stage.superuser,
        'select count(*)::int from app_private.login_challenges where user_id = $1',
        [person.userId],
      ),
    ).toBe(0)
    expect(await lookUp(await challengeFor(person))).toMatchObject({ lastTimeStep: 100 })
  })

  test.each([code, code.toUpperCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' - ')} `])(
    'by a recovery code, however it is written (%s)',
    async (written) => {
      expect((await recover(await challengeFor(await withCodes()), written)).outcome).toBe('ok')
    },
  )

  test('by the provider who asked first, so that logging out ends there too', async () => {
    const person = await withCodes()
    const { challenge } = await value<Answer>(
      stage.superuser,
      `select app_private.admit(person, 'provider', '192.0.2.7', null, $2, 'v1.id-token') from app_public.users as person where id = $1`,
      [person.userId, stage.acme.providerId],
    )
    const { sessionId } = await pass(challenge!, 100)
    const { rows } = await stage.superuser.query(
      'select identity_provider_id, id_token from app_private.sessions where id = $1',
      [sessionId],
    )
    expect(rows).toEqual([{ identity_provider_id: stage.acme.providerId, id_token: 'v1.id-token' }])
  })
})

test('what is recorded: each wrong code, the delay, a recovery code, and the login', async () => {
  const person = await withCodes()
  const challenge = await challengeFor(person)
  const acts = async (work: () => Promise<unknown>) =>
    (await recordedWhile(work)).map(({ operation, row_id, actor_id }) => {
      expect([row_id, actor_id]).toEqual([person.userId, person.userId])
      return operation
    })
  expect(await acts(() => fail(challenge))).toEqual(['two_factor_failed'])
  for (let each = 2; each <= 4; each += 1) await fail(challenge)
  expect(await acts(() => fail(challenge))).toEqual(['two_factor_failed', 'lockout'])
  await forgiveFailures()
  const next = await challengeFor(person)
  expect(await acts(() => pass(next, null))).toEqual(['two_factor_failed'])
  expect(await acts(() => recover(next, code))).toEqual(['recovery_code_used', 'login'])
  expect(await actsWithoutOrigin()).toEqual([])
})
