import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, password, startTestServer, type TestServer } from '../../testing.ts'
import { cookieOf, expectRefusal, program } from './testing/requests.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(`${desk.origin}/api/v1/auth/${path}`, {
    method: 'POST',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })

const logIn = () => post('login', { email: desk.acme.customer.email, password })

describe('login refuses', () => {
  test('an unknown address and a wrong password with the same answer', async () => {
    const wrong = await post('login', { email: desk.acme.customer.email, password: 'wrong' })
    const unknown = await post('login', { email: 'nobody@acme.test', password: 'wrong' })
    const elsewhere = await post('login', {
      email: desk.acme.customer.email,
      password,
      organization: 'globex',
    })
    expect([wrong.status, unknown.status, elsewhere.status]).toEqual([401, 401, 401])
    const answer = await wrong.text()
    expect(JSON.parse(answer)).toMatchObject({ error: { code: 'INVALID_CREDENTIALS' } })
    expect(await unknown.text()).toBe(answer)
    expect(await elsewhere.text()).toBe(answer)
    expect(wrong.headers.get('set-cookie')).toBeNull()
  })

  test.each<[string, unknown, Record<string, string>?]>([
    ['no body', undefined],
    ['broken JSON', '{"email":'],
    ['a text', '"email"'],
    ['null', 'null'],
    ['a list', []],
    ['no password', { email: 'a@b.test' }],
    ['a password that is a number', { email: 'a@b.test', password: 1 }],
    ['an address that is an object', { email: { $gt: '' }, password: 'x' }],
    ['an empty address', { email: '', password: 'x' }],
    ['an address of more than a kilobyte', { email: `${'a'.repeat(1025)}@b.test`, password: 'x' }],
    ['a password of more than a kilobyte', { email: 'a@b.test', password: 'x'.repeat(1025) }],
    ['a NUL in the address', { email: 'a\0@b.test', password: 'x' }],
    ['a NUL in the password', { email: 'a@b.test', password: 'x\0' }],
    ['a NUL in the organization', { email: 'a@b.test', password: 'x', organization: '\0' }],
    ['an organization that is a list', { email: 'a@b.test', password: 'x', organization: ['acme'] }],
    ['a form', 'email=a&password=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['plain text', '{"email":"a@b.test","password":"x"}', { 'content-type': 'text/plain' }],
  ])('%s', async (_what, body, headers) => {
    const response = await post('login', body, headers)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'INVALID_INPUT' } })
  })

  test('a body that is too large', async () => {
    const response = await post('login', { email: 'a@b.test', password: 'x'.repeat(20_000) })
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { code: 'PAYLOAD_TOO_LARGE' } })
  })

  test('a page of another site', async () => {
    const response = await post(
      'login',
      { email: desk.acme.customer.email, password },
      { origin: 'https://evil.test' },
    )
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { code: 'FORBIDDEN' } })
  })
})

describe('login refuses the right password', () => {
  const change = (text: string) => desk.superuser.query(text, [desk.acme.id])

  test.each([
    [
      'of a suspended organization',
      'ORGANIZATION_SUSPENDED',
      'update app_public.organizations set suspended_at = now() where id = $1',
      'update app_public.organizations set suspended_at = null where id = $1',
    ],
    [
      'from an address that is not allowed',
      'ADDRESS_NOT_ALLOWED',
      `insert into app_public.ip_rules (organization_id, network) values ($1, '192.0.2.0/24')`,
      'delete from app_public.ip_rules where organization_id = $1',
    ],
    [
      'where passwords are off',
      'LOCAL_LOGIN_OFF',
      'update app_public.security_policies set local_login = false where organization_id = $1',
      'update app_public.security_policies set local_login = true where organization_id = $1',
    ],
  ])('%s', async (_what, code, before, after) => {
    await change(before)
    const response = await logIn()
    const wrong = await post('login', { email: desk.acme.customer.email, password: 'wrong' })
    await change(after)
    await expectRefusal(response, 403, code)
    // Whoever does not know the password is told nothing of this.
    await expectRefusal(wrong, 401, 'INVALID_CREDENTIALS')
  })

  test('to who guessed for too long, and says how long to wait', async () => {
    const email = desk.acme.neighbour.email
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await expectRefusal(await post('login', { email, password: 'wrong' }), 401, 'INVALID_CREDENTIALS')
    }
    await desk.superuser.query(
      `update app_private.login_failures set blocked_until = now() + interval '1 minute' where blocked_until > '-infinity'`,
    )
    const response = await post('login', { email, password })
    expect(response.headers.get('retry-after')).toMatch(/^(59|60)$/)
    const details = await expectRefusal(response, 429, 'TOO_MANY_ATTEMPTS')
    expect(details).toEqual({ retryAfterSeconds: Number(response.headers.get('retry-after')) })
    await desk.superuser.query('delete from app_private.login_failures')
  })
})

test('the ways to log in to an organization, of which a stranger learns no more', async () => {
  const methods = async (query: string) => {
    const response = await fetch(`${desk.origin}/api/v1/auth/methods${query}`)
    return [response.status, await response.json()]
  }
  const unknown = {
    organization: null,
    localLogin: true,
    registration: false,
    providers: [],
    mail: false,
  }
  expect(await methods('')).toEqual([200, unknown])
  expect(await methods('?organization=nowhere')).toEqual([200, unknown])
  expect(await methods('?organization=acme')).toEqual([
    200,
    { ...unknown, organization: { slug: 'acme', name: 'The acme company' } },
  ])
  for (const query of ['?organization=', '?organization=%00', '?organization=a&organization=b']) {
    expect(await methods(query)).toMatchObject([400, { error: { code: 'INVALID_INPUT' } }])
  }
})

test('the failed attempts above are in the audit log with address and request', async () => {
  const { rows } = await desk.superuser.query<{ ip: string; request: string | null }>(
    `select host(ip_address) as ip, request_id as request from app_public.audit_log where operation = 'login_failed'`,
  )
  expect(rows.length).toBeGreaterThanOrEqual(3)
  for (const { ip, request } of rows) {
    expect(ip).toBe('127.0.0.1')
    expect(request).toMatch(/^[\da-f-]{36}$/)
  }
})

test('login gives a token, who it is, and a cookie no script reads', async () => {
  const response = await logIn()
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  const cookie = response.headers.get('set-cookie')!
  expect(cookie).toMatch(/^atum_refresh=[0-9a-f]{96}; /)
  for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/api/v1/auth'])
    expect(cookie).toContain(attribute)
  expect(cookie).not.toContain('Secure')
  const body = (await response.json()) as { accessToken: string }
  const { accessToken, ...rest } = body
  expect(rest).toEqual({
    expiresIn: 600,
    user: {
      id: desk.acme.customer.id,
      name: 'customer of acme',
      email: desk.acme.customer.email,
      role: 'customer',
      locale: 'en',
      timeZone: 'Etc/UTC',
      organization: { name: 'The acme company', slug: 'acme' },
    },
  })
  const answer = await ask(desk, { token: accessToken }, '{ currentUser { email } }')
  expect(answer.data).toEqual({ currentUser: { email: desk.acme.customer.email } })
})

test('an address of two organizations asks which, and only after the password', async () => {
  const { superuser, acme, globex } = desk
  const people = await superuser.query<{ organization_id: string; id: string }>(
    `insert into app_public.users (organization_id, email, name)
     values ($1, 'both@people.test', 'Both'), ($2, 'both@people.test', 'Both') returning organization_id, id`,
    [acme.id, globex.id],
  )
  for (const { organization_id, id } of people.rows) {
    await superuser.query('select app_private.set_password($1, $2, $3)', [organization_id, id, password])
  }
  const wrong = await post('login', { email: 'both@people.test', password: 'wrong' })
  expect(wrong.status).toBe(401)
  const which = await post('login', { email: 'both@people.test', password })
  expect(which.status).toBe(409)
  expect(await which.json()).toMatchObject({
    error: {
      code: 'ORGANIZATION_REQUIRED',
      details: {
        organizations: [
          { slug: 'acme', name: 'The acme company' },
          { slug: 'globex', name: 'The globex company' },
        ],
      },
    },
  })
  const chosen = await post('login', { email: 'both@people.test', password, organization: 'globex' })
  expect(chosen.status).toBe(200)
  expect(await chosen.json()).toMatchObject({ user: { organization: { slug: 'globex' } } })
})

describe('refresh', () => {
  test('refuses without a cookie, with a wrong one, without the header and from another site', async () => {
    const cookie = cookieOf(await logIn())
    const attempts: [Record<string, string>, number, string][] = [
      [program, 401, 'UNAUTHENTICATED'],
      [{ ...program, cookie: `atum_refresh=${'0'.repeat(96)}` }, 401, 'UNAUTHENTICATED'],
      [{ ...program, cookie: `atum_refresh=' or true --` }, 401, 'UNAUTHENTICATED'],
      [{ cookie }, 403, 'FORBIDDEN'],
      [{ ...program, cookie, origin: 'https://evil.test' }, 403, 'FORBIDDEN'],
    ]
    for (const [headers, status, code] of attempts) {
      const response = await post('refresh', undefined, headers)
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({ error: { code } })
    }
    expect((await post('refresh', undefined, { ...program, cookie })).status).toBe(200)
  })

  test('changes the cookie, and a spent one that comes back later ends the session', async () => {
    const first = cookieOf(await logIn())
    const refreshed = await post('refresh', undefined, {
      ...program,
      cookie: first,
      origin: 'http://desk.test',
    })
    expect(refreshed.status).toBe(200)
    const second = cookieOf(refreshed)
    expect(second).not.toBe(first)

    // Two tabs at once, or a tab that never had the answer: for a moment the spent one gets a next one too.
    const otherTab = await post('refresh', undefined, { ...program, cookie: first })
    expect(otherTab.status).toBe(200)
    expect([first, second]).not.toContain(cookieOf(otherTab))

    await desk.superuser.query(`update app_private.sessions set refreshed_at = now() - interval '1 minute'`)
    const replayed = await post('refresh', undefined, { ...program, cookie: first })
    expect(replayed.status).toBe(401)
    expect((await post('refresh', undefined, { ...program, cookie: second })).status).toBe(401)
  })

  test('ends with the account', async () => {
    const cookie = cookieOf(await logIn())
    const { id } = desk.acme.customer
    await desk.superuser.query('update app_public.users set disabled_at = now() where id = $1', [id])
    const response = await post('refresh', undefined, { ...program, cookie })
    await desk.superuser.query('update app_public.users set disabled_at = null where id = $1', [id])
    expect(response.status).toBe(401)
  })
})

describe('refresh while the organization is closed', () => {
  test('is refused, and works again with the same cookie when it is open', async () => {
    const cookie = cookieOf(await logIn())
    const suspend = (when: string) =>
      desk.superuser.query(`update app_public.organizations set suspended_at = ${when} where id = $1`, [
        desk.acme.id,
      ])
    await suspend('now()')
    const response = await post('refresh', undefined, { ...program, cookie })
    await suspend('null')
    expect(response.headers.get('set-cookie')).toBeNull()
    await expectRefusal(response, 403, 'ORGANIZATION_SUSPENDED')
    expect((await post('refresh', undefined, { ...program, cookie })).status).toBe(200)
  })
})

describe('logout', () => {
  test('refuses without the header, and ends nothing', async () => {
    const cookie = cookieOf(await logIn())
    expect((await post('logout', undefined, { cookie })).status).toBe(403)
    expect((await post('refresh', undefined, { ...program, cookie })).status).toBe(200)
  })

  test('ends the session and takes the cookie back', async () => {
    const cookie = cookieOf(await logIn())
    const response = await post('logout', undefined, { ...program, cookie })
    expect(response.status).toBe(204)
    expect(response.headers.get('set-cookie')).toMatch(/^atum_refresh=;/)
    expect((await post('refresh', undefined, { ...program, cookie })).status).toBe(401)
    expect((await post('logout', undefined, program)).status).toBe(204)
  })
})

test('a demo password is no password in production', async () => {
  const { superuser, acme, database } = desk
  await superuser.query('select app_private.set_password($1, $2, $3, true)', [
    acme.id,
    acme.agent.id,
    'demo password',
  ])
  const attempt = { email: acme.agent.email, password: 'demo password' }
  expect((await post('login', attempt)).status).toBe(200)

  const { startServer } = await import('../../server.ts')
  const { createLogger } = await import('../../log.ts')
  const { testEnvironment } = await import('../../testing.ts')
  const production = await startServer(
    { ...testEnvironment(database.serverUrl), production: true, publicOrigins: ['https://desk.test'] },
    createLogger('silent'),
  )
  try {
    const { port } = production.address
    const logInThere = (body: unknown) =>
      fetch(`http://127.0.0.1:${port}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    expect((await logInThere(attempt)).status).toBe(401)
    const real = await logInThere({ email: acme.customer.email, password })
    expect(real.status).toBe(200)
    expect(real.headers.get('set-cookie')).toContain('Secure')
  } finally {
    await production.stop()
  }
})

test('logging in ends the session whose cookie it replaces, and no other', async () => {
  const first = cookieOf(await logIn())
  const elsewhere = cookieOf(await logIn())
  const second = cookieOf(
    await post('login', { email: desk.acme.customer.email, password }, { cookie: first }),
  )
  const refresh = async (cookie: string) => (await post('refresh', undefined, { ...program, cookie })).status
  expect(await refresh(first)).toBe(401)
  expect(await refresh(second)).toBe(200)
  expect(await refresh(elsewhere)).toBe(200)
})

test('a session that was not used for a week has ended', async () => {
  const cookie = cookieOf(await logIn())
  await desk.superuser.query(
    `update app_private.sessions set refreshed_at = now() - interval '7 days' where revoked_at is null`,
  )
  const answer = await post('refresh', undefined, { ...program, cookie })
  await expectRefusal(answer, 401, 'UNAUTHENTICATED')
})

test('behind TLS the cookie has a name that browsers take over TLS only', async () => {
  const secure = await startTestServer({ publicOrigins: ['https://desk.test'] })
  try {
    const answer = await fetch(`${secure.origin}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: secure.acme.customer.email, password }),
    })
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Secure-atum_refresh=[0-9a-f]{96}; Max-Age=\d+; Path=\/api\/v1\/auth; .*HttpOnly; Secure; SameSite=Strict$/,
    )
  } finally {
    await secure.close()
  }
})

test('the right password of an account whose address is not proved lets nobody in', async () => {
  const { superuser, acme } = desk
  const setActivated = (at: string) =>
    superuser.query(`update app_public.users set activated_at = ${at} where id = $1`, [acme.customer.id])
  await setActivated('null')
  const answer = await logIn()
  await expectRefusal(answer, 403, 'EMAIL_NOT_VERIFIED')
  expect(answer.headers.get('set-cookie')).toBeNull()
  await setActivated('now()')
})
