import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { password, startTestServer, type TestServer } from '../../testing.ts'
import { apiTokenOf, auditOf, bearer, cookieOf, expectRefusal, post, program } from './testing/requests.ts'

const newPassword = 'a horse that nobody has stapled'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

beforeEach(async () => {
  await desk.superuser.query('delete from app_private.login_failures')
  await desk.superuser.query(
    `update app_private.account_mails set created_at = created_at - interval '1 day'`,
  )
})

const logIn = (email: string, withPassword: string) => post(desk, 'login', { email, password: withPassword })

/** The token that the mail of this purpose would carry to this address now; undefined where no mail waits. */
async function tokenFor(email: string, purpose: string): Promise<string | undefined> {
  const { superuser, acme } = desk
  await superuser.query('begin')
  await superuser.query(`select set_config('atum.organization_id', $1, true)`, [acme.id])
  const { rows } = await superuser.query<{ token: string }>(
    `select app_private.issue_account_token(mail.id) as token
     from app_private.account_mails as mail
     join app_public.users as person on person.organization_id = mail.organization_id and person.id = mail.user_id
     where person.organization_id = $1 and person.email = $2 and mail.purpose = $3 and mail.used_at is null`,
    [acme.id, email, purpose],
  )
  await superuser.query('commit')
  return rows[0]?.token
}

async function mailsTo(email: string): Promise<string[]> {
  const { rows } = await desk.superuser.query<{ purpose: string }>(
    `select mail.purpose from app_private.account_mails as mail
     join app_public.users as person on person.organization_id = mail.organization_id and person.id = mail.user_id
     where person.email = $1 order by mail.created_at`,
    [email],
  )
  return rows.map(({ purpose }) => purpose)
}

async function invite(email: string): Promise<string> {
  const { rows } = await desk.superuser.query<{ id: string }>(
    `insert into app_public.users (organization_id, email, name, activated_at) values ($1, $2, 'Invited', null) returning id`,
    [desk.acme.id, email],
  )
  await desk.superuser.query('begin')
  await desk.superuser.query(
    `select app_private.write_account_mail(person, 'invitation') from app_public.users as person where person.id = $1`,
    [rows[0]!.id],
  )
  await desk.superuser.query('commit')
  return (await tokenFor(email, 'invitation'))!
}

describe.each([
  ['forgot', { email: '' }],
  ['forgot', { email: 'a@b.test', organization: 1 }],
  ['verification', {}],
  ['account-token', { token: null }],
  ['reset', { token: 'x' }],
  ['reset', { password }],
  ['invitation', { token: 'x', password }],
  ['register', { email: 'a@b.test', name: 'A' }],
  ['register', { organization: 'acme', email: 'a@b.test', name: ['A'] }],
])('%s refuses', (path, body) => {
  test(JSON.stringify(body), async () => {
    await expectRefusal(await post(desk, path, body), 400, 'INVALID_INPUT')
  })

  test('a form, and a page of another site', async () => {
    const form = await post(desk, path, body, { 'content-type': 'text/plain' })
    await expectRefusal(form, 400, 'INVALID_INPUT')
    const elsewhere = await post(desk, path, body, { ...program, origin: 'https://evil.test' })
    await expectRefusal(elsewhere, 403, 'FORBIDDEN')
  })
})

test.each(['account-token', 'reset', 'invitation'])('%s refuses a token that is none', async (path) => {
  for (const token of ['f'.repeat(64), "' or true --", '𝕏']) {
    await expectRefusal(
      await post(desk, path, { token, name: 'N', password: newPassword }),
      422,
      'TOKEN_INVALID',
    )
  }
})

test('an address that is known and one that is not get the same answer after the same time', async () => {
  const timed = async (email: string) => {
    const started = performance.now()
    const response = await post(desk, 'forgot', { email })
    return { status: response.status, text: await response.text(), milliseconds: performance.now() - started }
  }
  // The first use of each function plans it.
  await timed(desk.acme.neighbour.email)
  const known = await timed(desk.acme.customer.email)
  const unknown = await timed('nobody@acme.test')
  const nonsense = await timed('no address at all')
  for (const { status, text, milliseconds } of [known, unknown, nonsense]) {
    expect([status, text]).toEqual([202, '{}'])
    expect(milliseconds).toBeGreaterThanOrEqual(149)
  }
  expect(Math.abs(known.milliseconds - unknown.milliseconds)).toBeLessThan(40)
  expect(await mailsTo(desk.acme.customer.email)).toEqual(['password_reset'])
})

describe('a forgotten password', () => {
  const forget = async () => {
    await post(desk, 'forgot', { email: desk.acme.customer.email, organization: 'acme' })
    return (await tokenFor(desk.acme.customer.email, 'password_reset'))!
  }

  test('is not replaced by one that is too short, too long or common, and the link stays good', async () => {
    const token = await forget()
    await expectRefusal(await post(desk, 'reset', { token, password: 'short' }), 422, 'PASSWORD_TOO_SHORT')
    await expectRefusal(
      await post(desk, 'reset', { token, password: 'ä'.repeat(37) }),
      422,
      'PASSWORD_TOO_LONG',
    )
    await expectRefusal(await post(desk, 'reset', { token, password: '1234567890' }), 422, 'PASSWORD_COMMON')
    const about = await post(desk, 'account-token', { token })
    expect(await about.json()).toEqual({
      purpose: 'password_reset',
      email: desk.acme.customer.email,
      name: 'customer of acme',
      organization: { slug: 'acme', name: 'The acme company' },
    })
  })

  test('is not replaced after an hour', async () => {
    const token = await forget()
    await desk.superuser.query(
      'update app_private.account_mails set expires_at = now() where used_at is null',
    )
    await expectRefusal(await post(desk, 'reset', { token, password: newPassword }), 422, 'TOKEN_INVALID')
  })

  test('is replaced once, and everybody who was logged in is out', async () => {
    const token = await forget()
    await expectRefusal(await post(desk, 'invitation', { token, name: 'N', password }), 422, 'TOKEN_INVALID')
    const cookie = cookieOf(await logIn(desk.acme.customer.email, password))
    expect((await post(desk, 'reset', { token, password: newPassword })).status).toBe(204)
    await expectRefusal(await post(desk, 'reset', { token, password: newPassword }), 422, 'TOKEN_INVALID')
    await expectRefusal(await post(desk, 'refresh', {}, { ...program, cookie }), 401, 'UNAUTHENTICATED')
    await expectRefusal(await logIn(desk.acme.customer.email, password), 401, 'INVALID_CREDENTIALS')
    expect((await logIn(desk.acme.customer.email, newPassword)).status).toBe(200)
    expect(await auditOf(desk, desk.acme.customer)).toContain('password_reset')
  })
})

describe('an invitation', () => {
  test('lets nobody in before it is accepted', async () => {
    const token = await invite('early@acme.test')
    await expectRefusal(await logIn('early@acme.test', password), 401, 'INVALID_CREDENTIALS')
    await expectRefusal(await post(desk, 'reset', { token, password }), 422, 'TOKEN_INVALID')
  })

  test('is refused where the person was disabled or the organization suspended meanwhile', async () => {
    const token = await invite('late@acme.test')
    const accept = () => post(desk, 'invitation', { token, name: 'Late', password: newPassword })
    await desk.superuser.query(
      `update app_public.users set disabled_at = now() where email = 'late@acme.test'`,
    )
    await expectRefusal(await accept(), 422, 'TOKEN_INVALID')
    await desk.superuser.query(
      `update app_public.users set disabled_at = null where email = 'late@acme.test'`,
    )
    await desk.superuser.query(`update app_public.organizations set suspended_at = now() where slug = 'acme'`)
    await expectRefusal(await accept(), 422, 'TOKEN_INVALID')
    await desk.superuser.query(`update app_public.organizations set suspended_at = null where slug = 'acme'`)
    expect((await accept()).status).toBe(204)
  })

  test('is accepted once, with a name and a password', async () => {
    const token = await invite('new@acme.test')
    const about = (await (await post(desk, 'account-token', { token })).json()) as Record<string, unknown>
    expect(about).toMatchObject({ purpose: 'invitation', email: 'new@acme.test' })
    expect(
      (await post(desk, 'invitation', { token, name: ' Ada Lovelace ', password: newPassword })).status,
    ).toBe(204)
    await expectRefusal(
      await post(desk, 'invitation', { token, name: 'Eve', password: newPassword }),
      422,
      'TOKEN_INVALID',
    )
    const grant = (await (await logIn('new@acme.test', newPassword)).json()) as Record<string, unknown>
    expect(grant).toMatchObject({ user: { name: 'Ada Lovelace', role: 'customer' } })
  })
})

describe('registration', () => {
  const register = (email: string, organization = 'acme') =>
    post(desk, 'register', { organization, email, name: 'Self Made' })

  test('is closed unless a mail domain is named, and for all other domains', async () => {
    await expectRefusal(await register('self@acme.test'), 403, 'REGISTRATION_CLOSED')
    await desk.superuser.query(
      `update app_public.security_policies set registration_domains = '{acme.test}' where organization_id = $1`,
      [desk.acme.id],
    )
    for (const email of [
      'self@evil.test',
      'self@sub.acme.test',
      'self@acme.test.evil.test',
      'acme.test',
      '@',
    ]) {
      await expectRefusal(await register(email), 403, 'REGISTRATION_CLOSED')
    }
    await expectRefusal(await register('self@acme.test', 'globex'), 403, 'REGISTRATION_CLOSED')
    await expectRefusal(await register('self@acme.test', 'nowhere'), 403, 'REGISTRATION_CLOSED')
  })

  test('of an address that is taken looks the same, takes as long, and changes nothing', async () => {
    const timed = async (email: string) => {
      const started = performance.now()
      const response = await register(email)
      return { answer: [response.status, await response.text()], milliseconds: performance.now() - started }
    }
    const free = await timed('free@acme.test')
    const taken = await timed(desk.acme.agent.email)
    expect(free.answer).toEqual([202, '{}'])
    expect(taken.answer).toEqual(free.answer)
    for (const { milliseconds } of [free, taken]) expect(milliseconds).toBeGreaterThanOrEqual(149)
    await expectRefusal(await logIn(desk.acme.agent.email, newPassword), 401, 'INVALID_CREDENTIALS')
    expect(await mailsTo(desk.acme.agent.email)).toEqual(['address_taken'])
  })

  test('lets in who has the address, with a password chosen there and then', async () => {
    await register('self@acme.test')
    await expectRefusal(await logIn('self@acme.test', newPassword), 401, 'INVALID_CREDENTIALS')
    const first = (await tokenFor('self@acme.test', 'email_verification'))!

    // Asked for once more, the first link is over.
    await desk.superuser.query(
      `update app_private.account_mails set created_at = created_at - interval '1 day'`,
    )
    expect((await post(desk, 'verification', { email: 'self@acme.test' })).status).toBe(202)
    const follow = (token: string, withPassword = newPassword) =>
      post(desk, 'invitation', { token, name: 'Self Made', password: withPassword })
    await expectRefusal(await follow(first), 422, 'TOKEN_INVALID')

    const token = (await tokenFor('self@acme.test', 'email_verification'))!
    await expectRefusal(await follow(token, 'password12'), 422, 'PASSWORD_COMMON')
    expect((await follow(token)).status).toBe(204)
    await expectRefusal(await follow(token), 422, 'TOKEN_INVALID')
    expect(await (await logIn('self@acme.test', newPassword)).json()).toMatchObject({
      user: { name: 'Self Made', role: 'customer' },
    })
  })
})

describe('changing the password', () => {
  const change = (body: unknown, headers: Record<string, string>) => post(desk, 'password', body, headers)

  test('is refused to strangers and programs, with a wrong password and for a weak one', async () => {
    const { superuser, acme } = desk
    await superuser.query('select app_private.set_password($1, $2, $3)', [acme.id, acme.agent.id, password])
    const body = { currentPassword: password, newPassword }
    await expectRefusal(await change(body, program), 401, 'UNAUTHENTICATED')
    await expectRefusal(
      await change(body, bearer(await apiTokenOf(desk, acme, acme.agent))),
      403,
      'SESSION_REQUIRED',
    )
    const agent = bearer(acme.agent)
    await expectRefusal(await change({ newPassword }, agent), 400, 'INVALID_INPUT')
    await expectRefusal(
      await change({ ...body, currentPassword: 'wrong' }, agent),
      401,
      'INVALID_CREDENTIALS',
    )
    await expectRefusal(
      await change({ ...body, newPassword: 'agent@acme.test' }, agent),
      422,
      'PASSWORD_COMMON',
    )
  })

  test('makes who guesses the old one wait', async () => {
    const body = { currentPassword: 'wrong', newPassword }
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await expectRefusal(await change(body, bearer(desk.acme.agent)), 401, 'INVALID_CREDENTIALS')
    }
    await desk.superuser.query(
      `update app_private.login_failures set blocked_until = now() + interval '1 minute' where blocked_until > '-infinity'`,
    )
    const response = await change({ ...body, currentPassword: password }, bearer(desk.acme.agent))
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
    await expectRefusal(response, 429, 'TOO_MANY_ATTEMPTS')
  })

  test('ends the other sessions, and not this one', async () => {
    const login = await logIn(desk.acme.agent.email, password)
    const other = cookieOf(login)
    const response = await change({ currentPassword: password, newPassword }, bearer(desk.acme.agent))
    expect(response.status).toBe(204)
    await expectRefusal(
      await post(desk, 'refresh', {}, { ...program, cookie: other }),
      401,
      'UNAUTHENTICATED',
    )
    const again = await change(
      { currentPassword: newPassword, newPassword: password },
      bearer(desk.acme.agent),
    )
    expect(again.status).toBe(204)
    expect(await auditOf(desk, desk.acme.agent)).toContain('password_changed')
  })
})
