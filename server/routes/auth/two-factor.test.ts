import { setTimeout as delay } from 'node:timers/promises'
import { generateSync } from 'otplib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { password, startTestServer, type Person, type TestServer } from '../../testing.ts'
import { apiTokenOf, auditOf, bearer, cookieOf, expectRefusal, post, program } from './testing/requests.ts'

let desk: TestServer

/** Has codes, and all others have not. */
let agent: Person
let secret: string
let recoveryCodes: string[]

beforeAll(async () => {
  desk = await startTestServer()
  agent = desk.acme.agent
  for (const { id } of [agent, desk.acme.manager, desk.acme.admin]) {
    await desk.superuser.query('select app_private.set_password($1, $2, $3)', [desk.acme.id, id, password])
  }
  const enrolment = (await (await post(desk, 'two-factor/enrol', {}, bearer(agent))).json()) as {
    secret: string
  }
  secret = enrolment.secret
  const confirmed = await post(
    desk,
    'two-factor/confirm',
    { code: await codeAt(0) },
    { ...program, ...bearer(agent) },
  )
  expect(confirmed.status).toBe(200)
  ;({ recoveryCodes } = (await confirmed.json()) as { recoveryCodes: string[] })
})

afterAll(() => desk.close())

beforeEach(async () => {
  await desk.superuser.query('delete from app_private.login_failures')
  await desk.superuser.query('update app_private.authenticators set last_time_step = null')
})

/** The code of the step that is so many away from now. Where a step is about to end, of the next. */
async function codeAt(steps: number, of = secret): Promise<string> {
  const second = (Date.now() / 1_000) % 30
  if (second > 26) await delay((30.2 - second) * 1_000)
  return generateSync({ secret: of, epoch: Date.now() / 1_000 + steps * 30 })
}

async function wrongCode(): Promise<string> {
  const right = await Promise.all([-2, -1, 0, 1, 2].map((steps) => codeAt(steps)))
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code))!
}

const logIn = ({ email }: Person) => post(desk, 'login', { email, password })

async function challengeOf(person: Person): Promise<string> {
  const { challenge } = (await (await logIn(person)).json()) as { challenge: string }
  return challenge
}

const verify = (body: unknown, headers = program) => post(desk, 'two-factor/verify', body, headers)

describe('the second step refuses', () => {
  test('without the header, without a code and without a challenge', async () => {
    const challenge = await challengeOf(agent)
    await expectRefusal(
      await post(desk, 'two-factor/verify', { challenge, code: await codeAt(0) }, {}),
      403,
      'FORBIDDEN',
    )
    await expectRefusal(await verify({ challenge }), 400, 'INVALID_INPUT')
    await expectRefusal(await verify({ code: '123456' }), 400, 'INVALID_INPUT')
    await expectRefusal(await verify({ challenge: ['a'], code: '123456' }), 400, 'INVALID_INPUT')
    await expectRefusal(await verify({ challenge, code: 123456 }), 400, 'INVALID_INPUT')
  })

  test('a page of another site', async () => {
    const challenge = await challengeOf(agent)
    await expectRefusal(
      await verify({ challenge, code: await codeAt(0) }, {
        ...program,
        origin: 'https://evil.test',
      } as typeof program),
      403,
      'FORBIDDEN',
    )
  })

  test('a challenge that is none, and one that waited too long', async () => {
    await expectRefusal(
      await verify({ challenge: 'f'.repeat(64), code: await codeAt(0) }),
      401,
      'CHALLENGE_EXPIRED',
    )
    await expectRefusal(await verify({ challenge: "' or true --", code: '123456' }), 401, 'CHALLENGE_EXPIRED')
    const challenge = await challengeOf(agent)
    await desk.superuser.query('update app_private.login_challenges set expires_at = now()')
    await expectRefusal(await verify({ challenge, code: await codeAt(0) }), 401, 'CHALLENGE_EXPIRED')
  })

  test.each(['12345', '1234567', 'abcdef', '12 34', '１２３４５６', '-12345', '12345.', '0x1234'])(
    'the malformed code %s',
    async (code) => {
      await expectRefusal(await verify({ challenge: await challengeOf(agent), code }), 401, 'INVALID_CODE')
    },
  )

  test('a wrong code, and codes of two steps ago and two steps ahead', async () => {
    const challenge = await challengeOf(agent)
    for (const code of [await wrongCode(), await codeAt(-2), await codeAt(2)]) {
      await expectRefusal(await verify({ challenge, code }), 401, 'INVALID_CODE')
    }
  })

  test('a code whose step was used, also by somebody who was faster', async () => {
    const code = await codeAt(0)
    const [first, second] = [await challengeOf(agent), await challengeOf(agent)]
    const answers = await Promise.all([
      verify({ challenge: first, code }),
      verify({ challenge: second, code }),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    await expectRefusal(
      answers.find(({ status }) => status === 401)!,
      401,
      'INVALID_CODE',
    )
    await expectRefusal(await verify({ challenge: await challengeOf(agent), code }), 401, 'INVALID_CODE')
  })

  test('a code of the step before the one that was used', async () => {
    const earlier = await codeAt(-1)
    expect((await verify({ challenge: await challengeOf(agent), code: await codeAt(0) })).status).toBe(200)
    await expectRefusal(
      await verify({ challenge: await challengeOf(agent), code: earlier }),
      401,
      'INVALID_CODE',
    )
  })

  test('a challenge that was passed already', async () => {
    const challenge = await challengeOf(agent)
    expect((await verify({ challenge, code: await codeAt(0) })).status).toBe(200)
    await expectRefusal(await verify({ challenge, code: await codeAt(1) }), 401, 'CHALLENGE_EXPIRED')
  })

  test('everything after five wrong codes, and then makes who goes on wait', async () => {
    const challenge = await challengeOf(agent)
    const code = await wrongCode()
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await expectRefusal(await verify({ challenge, code }), 401, 'INVALID_CODE')
    }
    await expectRefusal(await verify({ challenge, code: await codeAt(0) }), 401, 'CHALLENGE_EXPIRED')
    await expectRefusal(await verify({ challenge, recoveryCode: recoveryCodes[9] }), 401, 'CHALLENGE_EXPIRED')

    // The delay begins with a second, which a slow machine needs for the next step.
    await desk.superuser.query(
      `update app_private.login_failures set blocked_until = now() + interval '1 minute' where blocked_until > '-infinity'`,
    )
    const next = await verify({ challenge: await challengeOf(agent), code: await codeAt(0) })
    expect(next.headers.get('retry-after')).toMatch(/^\d+$/)
    const details = await expectRefusal(next, 429, 'TOO_MANY_ATTEMPTS')
    expect(details?.retryAfterSeconds).toBeGreaterThan(0)
  })

  test('a recovery code that is none, and one that was used', async () => {
    const recoveryCode = recoveryCodes[0]!
    await expectRefusal(
      await verify({ challenge: await challengeOf(agent), recoveryCode: '0000-0000' }),
      401,
      'INVALID_CODE',
    )
    expect((await verify({ challenge: await challengeOf(agent), recoveryCode })).status).toBe(200)
    await expectRefusal(
      await verify({ challenge: await challengeOf(agent), recoveryCode }),
      401,
      'INVALID_CODE',
    )
  })

  test('a secret that somebody copied from another person', async () => {
    const { superuser, acme } = desk
    await superuser.query(
      `insert into app_private.authenticators (organization_id, user_id, sealed, confirmed_at)
       select organization_id, $2, sealed, confirmed_at from app_private.authenticators where user_id = $1`,
      [agent.id, acme.admin.id],
    )
    const response = await verify({ challenge: await challengeOf(acme.admin), code: await codeAt(0) })
    await superuser.query('delete from app_private.authenticators where user_id = $1', [acme.admin.id])
    await expectRefusal(response, 500, 'INTERNAL')
  })
})

test('the first step gives a challenge, and neither a cookie nor a token', async () => {
  const response = await logIn(agent)
  expect(response.status).toBe(200)
  expect(response.headers.get('set-cookie')).toBeNull()
  expect(await response.json()).toEqual({
    challenge: expect.stringMatching(/^[0-9a-f]{64}$/),
    step: 'verify',
  })
})

test.each([-1, 0, 1])('a code of the step %i away is right', async (steps) => {
  const response = await verify({ challenge: await challengeOf(agent), code: await codeAt(steps) })
  expect(response.status).toBe(200)
  expect(cookieOf(response)).toMatch(/^atum_refresh=[0-9a-f]{96}$/)
  expect(await response.json()).toMatchObject({
    accessToken: expect.any(String),
    expiresIn: 600,
    user: { id: agent.id, organization: { slug: 'acme' } },
  })
})

test('spaces in a code, and hyphens and capitals in a recovery code, do not matter', async () => {
  const code = await codeAt(0)
  const spaced = `${code.slice(0, 3)} ${code.slice(3)}`
  expect((await verify({ challenge: await challengeOf(agent), code: spaced })).status).toBe(200)
  const recoveryCode = recoveryCodes[1]!.replaceAll('-', '').toUpperCase()
  expect((await verify({ challenge: await challengeOf(agent), recoveryCode })).status).toBe(200)
})

test('the audit log has what happened', async () => {
  const acts = await auditOf(desk, agent)
  for (const act of ['two_factor_on', 'two_factor_failed', 'recovery_code_used', 'lockout', 'login']) {
    expect(acts).toContain(act)
  }
})

describe('a role that must have a second factor', () => {
  const demand = (roles: string) =>
    desk.superuser.query(
      `update app_public.security_policies set two_factor_roles = $2::app_public.user_role[] where organization_id = $1`,
      [desk.acme.id, roles],
    )

  beforeAll(() => demand('{manager}'))
  afterAll(() => demand('{}'))

  test('gets only the enrolment at login: neither a cookie nor a token', async () => {
    const response = await logIn(desk.acme.manager)
    expect(response.status).toBe(200)
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(await response.json()).toEqual({
      challenge: expect.stringMatching(/^[0-9a-f]{64}$/),
      step: 'enrol',
    })
  })

  test('cannot use the challenge of the enrolment for anything else, nor the other way round', async () => {
    const enrolment = await challengeOf(desk.acme.manager)
    await expectRefusal(await verify({ challenge: enrolment, code: '123456' }), 401, 'CHALLENGE_EXPIRED')
    await expectRefusal(
      await verify({ challenge: enrolment, recoveryCode: recoveryCodes[8] }),
      401,
      'INVALID_CODE',
    )
    await expectRefusal(
      await post(desk, 'two-factor/confirm', { challenge: enrolment, code: '123456' }),
      409,
      'TWO_FACTOR_OFF',
    )
    const verification = await challengeOf(agent)
    await expectRefusal(
      await post(desk, 'two-factor/enrol', { challenge: verification }),
      401,
      'CHALLENGE_EXPIRED',
    )
    await expectRefusal(
      await post(desk, 'two-factor/confirm', { challenge: verification, code: await codeAt(0) }),
      401,
      'CHALLENGE_EXPIRED',
    )
    // It is no access token either.
    await expectRefusal(
      await post(desk, 'two-factor/enrol', {}, bearer({ token: enrolment })),
      401,
      'UNAUTHENTICATED',
    )
  })

  test('is in when it has enrolled', async () => {
    const challenge = await challengeOf(desk.acme.manager)
    const enrolled = await post(desk, 'two-factor/enrol', { challenge })
    const enrolment = (await enrolled.json()) as { secret: string; uri: string }
    expect(enrolment.uri).toBe(
      `otpauth://totp/ATUM%20Desk:manager%40acme.test?secret=${enrolment.secret}&issuer=ATUM%20Desk`,
    )
    const wrong = await post(desk, 'two-factor/confirm', { challenge, code: await codeAt(0) })
    await expectRefusal(wrong, 401, 'INVALID_CODE')

    const confirmed = await post(desk, 'two-factor/confirm', {
      challenge,
      code: await codeAt(0, enrolment.secret),
    })
    expect(confirmed.status).toBe(200)
    expect(cookieOf(confirmed)).toMatch(/^atum_refresh=[0-9a-f]{96}$/)
    const answer = (await confirmed.json()) as { recoveryCodes: string[]; grant: unknown }
    expect(new Set(answer.recoveryCodes).size).toBe(10)
    expect(answer.grant).toMatchObject({ user: { role: 'manager' }, accessToken: expect.any(String) })

    // The code that confirmed is spent.
    await expectRefusal(
      await verify({
        challenge: await challengeOf(desk.acme.manager),
        code: await codeAt(0, enrolment.secret),
      }),
      401,
      'INVALID_CODE',
    )
  })
})

describe('turning it on and off', () => {
  const asAgent = (path: string, body: unknown) =>
    post(desk, `two-factor/${path}`, body, { ...program, ...bearer(agent) })

  test.each(['enrol', 'confirm', 'disable', 'recovery-codes'])(
    '%s refuses strangers and programs',
    async (path) => {
      const body = { code: '123456', password }
      await expectRefusal(await post(desk, `two-factor/${path}`, body), 401, 'UNAUTHENTICATED')
      await expectRefusal(
        await post(desk, `two-factor/${path}`, body, { ...program, ...bearer({ token: 'ey.not.ours' }) }),
        401,
        'UNAUTHENTICATED',
      )
      const robot = await apiTokenOf(desk, desk.acme, agent)
      await expectRefusal(
        await post(desk, `two-factor/${path}`, body, { ...program, ...bearer(robot) }),
        403,
        'SESSION_REQUIRED',
      )
    },
  )

  test('refuses to enrol again what is on, and to confirm or turn off what is not', async () => {
    await expectRefusal(await asAgent('enrol', {}), 409, 'TWO_FACTOR_ALREADY_ON')
    await expectRefusal(await asAgent('confirm', { code: await codeAt(0) }), 409, 'TWO_FACTOR_ALREADY_ON')
    const admin = { ...program, ...bearer(desk.acme.admin) }
    const body = { password, code: '123456' }
    await expectRefusal(await post(desk, 'two-factor/confirm', body, admin), 409, 'TWO_FACTOR_OFF')
    await expectRefusal(await post(desk, 'two-factor/disable', body, admin), 409, 'TWO_FACTOR_OFF')
    await expectRefusal(await post(desk, 'two-factor/recovery-codes', body, admin), 409, 'TWO_FACTOR_OFF')
  })

  test('does not count what was begun and not confirmed', async () => {
    const admin = { ...program, ...bearer(desk.acme.admin) }
    expect((await post(desk, 'two-factor/enrol', {}, admin)).status).toBe(200)
    expect(await (await logIn(desk.acme.admin)).json()).toHaveProperty('accessToken')
    await expectRefusal(
      await post(desk, 'two-factor/confirm', { code: '000000' }, admin),
      401,
      'INVALID_CODE',
    )
  })

  test.each(['disable', 'recovery-codes'])('%s refuses a wrong password and a wrong code', async (path) => {
    const code = await codeAt(0)
    await expectRefusal(await asAgent(path, { password: 'wrong', code }), 401, 'INVALID_CREDENTIALS')
    await expectRefusal(await asAgent(path, { password, code: await wrongCode() }), 401, 'INVALID_CODE')
    await expectRefusal(await asAgent(path, { password, code: recoveryCodes[7] }), 401, 'INVALID_CODE')
  })

  test('new recovery codes take the place of the old ones', async () => {
    const response = await asAgent('recovery-codes', { password, code: await codeAt(0) })
    expect(response.status).toBe(200)
    const renewed = ((await response.json()) as { recoveryCodes: string[] }).recoveryCodes
    expect(renewed).toHaveLength(10)
    await expectRefusal(
      await verify({ challenge: await challengeOf(agent), recoveryCode: recoveryCodes[5] }),
      401,
      'INVALID_CODE',
    )
    expect((await verify({ challenge: await challengeOf(agent), recoveryCode: renewed[5] })).status).toBe(200)
  })

  test('once off, a password is enough', async () => {
    expect((await asAgent('disable', { password, code: await codeAt(0) })).status).toBe(204)
    expect(await (await logIn(agent)).json()).toHaveProperty('accessToken')
    expect(await auditOf(desk, agent)).toContain('two_factor_off')
  })
})
