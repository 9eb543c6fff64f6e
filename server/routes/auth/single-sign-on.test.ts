import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { Browser } from './testing/browser.ts'
import { program } from './testing/requests.ts'
import { callback, client, here, stageSignOn } from './testing/sign-on.ts'

const stage = stageSignOn()
const { landAt, refreshToken, settle, signOn, signOnWithLiar, sitDown, startAt } = stage

describe('the start refuses', () => {
  test.each([
    ['a provider that is none', '00000000-0000-7000-8000-000000000000'],
    ['what is no id', 'nonsense'],
    ['a NUL', '%00'],
  ])('%s', async (_what, id) => {
    expect(await landAt(startAt(id))).toBe('/portal/login?problem=SSO_FAILED')
    expect(await landAt(startAt(id, '/desk/tickets/1'))).toBe('/desk/login?problem=SSO_FAILED')
  })

  test('a provider that is off, a directory, and one of a suspended organization', async () => {
    const { superuser, acme } = stage.desk
    await settle({ is_enabled: false })
    expect(await landAt(startAt(stage.ids.real))).toBe('/portal/login?problem=SSO_FAILED')
    await settle({})
    const { rows } = await superuser.query<{ id: string }>(
      `insert into app_public.identity_providers (organization_id, kind, name, url, base_dn, user_filter)
       values ($1, 'ldap', 'Directory', 'ldap://localhost:1', 'dc=x', '(mail={username})') returning id`,
      [acme.id],
    )
    expect(await landAt(startAt(rows[0]!.id))).toBe('/portal/login?problem=SSO_FAILED')
    await superuser.query('update app_public.organizations set suspended_at = now() where id = $1', [acme.id])
    expect(await landAt(startAt(stage.ids.real))).toBe('/portal/login?problem=SSO_FAILED')
    await superuser.query('update app_public.organizations set suspended_at = null where id = $1', [acme.id])
  })

  test('a page of another site', async () => {
    const response = await stage.browser.visit(startAt(stage.ids.real), {
      headers: { origin: 'https://evil.test' },
    })
    expect(response.status).toBe(403)
  })
})

describe('next leads to no other site', () => {
  test.each([
    'https://evil.test/desk',
    '//evil.test',
    '/\\evil.test',
    '/desk\\@evil.test',
    '/desk\n//evil.test',
    'javascript:alert(1)',
    '/deskevil',
    '/.evil.test',
    '/api/v1/auth/logout',
    `/desk/${'x'.repeat(1_000)}`,
  ])('%s', async (next) => {
    expect(await signOn(stage.ids.real, next)).toBe('/signed-in?next=%2Fportal')
  })

  test('but wherever they wanted to be inside', async () => {
    expect(await signOn(stage.ids.real, '/desk/tickets/12?tab=history&q=ä')).toBe(
      `/signed-in?${new URLSearchParams({ next: '/desk/tickets/12?tab=history&q=ä' }).toString()}`,
    )
  })
})

test('the journey is hidden from scripts and from the person, and goes to no other path', async () => {
  const response = await stage.browser.visit(startAt(stage.ids.real, '/desk'))
  const cookie = response.headers.get('set-cookie')!
  expect(cookie).toMatch(/^atum_sso=v1\.[\w-]+\.[\w-]+\.[\w-]+; Max-Age=600; Path=\/api\/v1\/auth\/sso; /)
  for (const attribute of ['HttpOnly', 'SameSite=Lax']) expect(cookie).toContain(attribute)
  const departure = new URL(response.headers.get('location')!)
  expect(departure.origin).toBe(stage.real.issuer)
  expect(Object.fromEntries(departure.searchParams)).toEqual({
    client_id: 'desk',
    response_type: 'code',
    redirect_uri: callback(stage.ids.real),
    scope: 'openid email profile groups',
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  })
})

describe('the callback refuses', () => {
  const failed = '/portal/login?problem=SSO_FAILED'

  test('who never left', async () => {
    expect(await landAt(`${callback(stage.ids.real)}?code=x&state=y`)).toBe(failed)
    expect(await landAt(callback(stage.ids.real))).toBe(failed)
    expect(refreshToken()).toBeUndefined()
  })

  test('a state that is forged, missing or twice there', async () => {
    for (const forge of [
      (url: URL) => url.searchParams.set('state', 'forged'),
      (url: URL) => url.searchParams.delete('state'),
      (url: URL) => url.searchParams.append('state', url.searchParams.get('state')!),
      (url: URL) => url.searchParams.set('code', 'forged'),
      // RFC 9207: this provider says that it names itself.
      (url: URL) => url.searchParams.set('iss', 'https://evil.test'),
      (url: URL) => url.searchParams.delete('iss'),
    ]) {
      const url = new URL(await stage.browser.walk(startAt(stage.ids.real), `${callback(stage.ids.real)}?`))
      forge(url)
      expect(await landAt(url.href)).toBe(failed)
      expect(refreshToken()).toBeUndefined()
    }
  })

  test('a journey that somebody wrote, changed, or took from another cookie of ours', async () => {
    const url = await stage.browser.walk(startAt(stage.ids.real), `${callback(stage.ids.real)}?`)
    const jar = stage.browser.cookies.get('desk.test')!
    const sealed = jar.get('atum_sso')!
    for (const forged of [
      Buffer.from('{"next":"/desk"}').toString('base64url'),
      sealed.replace(/.{4}$/, (last) => (last === 'AAAA' ? 'BBBB' : 'AAAA')),
      sealed.replace(/\.[^.]+$/, '.AAAA'),
      'a'.repeat(96),
    ]) {
      jar.set('atum_sso', forged)
      expect(await landAt(url)).toBe(failed)
    }
    const { rows } = await stage.desk.superuser.query<{ sealed: string }>(
      'select sealed from app_private.identity_provider_secrets limit 1',
    )
    jar.set('atum_sso', rows[0]!.sealed)
    expect(await landAt(url)).toBe(failed)
  })

  test('to be called again: the cookie is gone, and with it kept the code is', async () => {
    const url = await stage.browser.walk(startAt(stage.ids.real), `${callback(stage.ids.real)}?`)
    const sealed = stage.browser.cookies.get('desk.test')!.get('atum_sso')!
    expect(await landAt(url)).toBe('/signed-in?next=%2Fportal')
    expect(stage.browser.cookies.get('desk.test')!.has('atum_sso')).toBe(false)
    expect(await landAt(url)).toBe(failed)
    stage.browser.cookies.get('desk.test')!.set('atum_sso', sealed)
    expect(await landAt(url)).toBe(failed)
  })

  test('the code of somebody else, of another journey and of another provider', async () => {
    const ours = new URL(await stage.browser.walk(startAt(stage.ids.real), `${callback(stage.ids.real)}?`))
    const sealed = stage.browser.cookies.get('desk.test')!.get('atum_sso')!
    for (const from of [stage.ids.real, stage.ids.other]) {
      const thief = new Browser({ [here]: stage.desk.origin })
      const theirs = new URL(await thief.walk(startAt(from), `${callback(from)}?`))
      const mixed = new URL(ours)
      mixed.searchParams.set('code', theirs.searchParams.get('code')!)
      stage.browser.cookies.get('desk.test')!.set('atum_sso', sealed)
      expect(await landAt(mixed.href)).toBe(failed)
      // Without our state either.
      stage.browser.cookies.get('desk.test')!.set('atum_sso', sealed)
      expect(await landAt(theirs.href)).toBe(failed)
    }
  })

  test('a person who said no', async () => {
    sitDown(undefined)
    expect(await signOn(stage.ids.real, '/desk')).toBe('/desk/login?problem=SSO_REFUSED')
  })

  test('who comes back after the provider was turned off', async () => {
    const url = await stage.browser.walk(startAt(stage.ids.real), `${callback(stage.ids.real)}?`)
    await settle({ is_enabled: false })
    expect(await landAt(url)).toBe(failed)
  })
})

describe('logging out', () => {
  const logOut = () => stage.browser.visit(`${here}/api/v1/auth/logout`, { method: 'POST', headers: program })

  test('leads to the provider, which logs the person out and sends them back', async () => {
    await signOn()
    const response = await logOut()
    expect(response.status).toBe(200)
    const { endSessionUrl } = (await response.json()) as { endSessionUrl: string }
    const url = new URL(endSessionUrl)
    expect(url.origin).toBe(stage.real.issuer)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      id_token_hint: expect.stringMatching(/^ey/),
      client_id: 'desk',
      post_logout_redirect_uri: `${here}/portal/login`,
    })
    expect(refreshToken()).toBeUndefined()

    const page = await (await stage.browser.visit(endSessionUrl)).text()
    const xsrf = /name="xsrf" value="(\w+)"/.exec(page)![1]!
    const action = /action="([^"]+)"/.exec(page)![1]!
    const left = await stage.browser.visit(new URL(action, stage.real.issuer).href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
    })
    expect(left.headers.get('location')).toBe(`${here}/portal/login`)
  })

  test('ends here where the provider has no such place, is away, or was removed', async () => {
    for (const metadata of [
      { end_session_endpoint: undefined },
      { end_session_endpoint: 'javascript:alert(1)' },
    ]) {
      stage.liar.metadata = metadata
      await stage.desk.superuser.query(
        `update app_public.identity_providers set scopes = array['openid', gen_random_uuid()::text] where id = $1`,
        [stage.ids.liar],
      )
      expect(await signOnWithLiar()).toBe('/signed-in?next=%2Fportal')
      expect((await logOut()).status).toBe(204)
    }
    expect(await signOnWithLiar()).toBe('/signed-in?next=%2Fportal')
    await settle({ is_enabled: false })
    expect((await logOut()).status).toBe(204)
  })
})

test('a desk with several addresses begins the journey at the one where it ends', async () => {
  const { startServer } = await import('../../server.ts')
  const { createLogger } = await import('../../log.ts')
  const server = await startServer(
    { ...stage.desk.environment, publicOrigins: ['https://desk.test', 'https://help.test'] },
    createLogger('silent'),
  )
  const path = `/api/v1/auth/sso/${stage.ids.real}/start?next=%2Fdesk`
  const headers = { host: 'help.test' }
  const asking = get({ host: '127.0.0.1', port: server.address.port, path, headers })
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  expect([response.statusCode, response.headers.location]).toEqual([302, `https://desk.test${path}`])
  expect(response.headers['set-cookie']).toBeUndefined()
  response.resume()
  await server.stop()
})

test('the log has what happened, and nothing with which somebody else could log in', async () => {
  const { pino } = await import('pino')
  const { startServer } = await import('../../server.ts')
  let log = ''
  const logger = pino({ level: 'trace' }, { write: (line) => (log += line) })
  const server = await startServer(stage.desk.environment, logger)
  stage.browser = new Browser({ [here]: `http://127.0.0.1:${server.address.port}` })
  const secrets: string[] = [client.client_secret]
  const remember = () => {
    for (const jar of stage.browser.cookies.values()) secrets.push(...jar.values())
  }

  const url = await stage.browser.walk(startAt(stage.ids.real), `${callback(stage.ids.real)}?`)
  secrets.push(...['code', 'state'].map((name) => new URL(url).searchParams.get(name)!))
  remember()
  await landAt(url)
  remember()
  const address = `${here}/api/v1/auth/logout`
  const logout = await stage.browser.visit(address, { method: 'POST', headers: program })
  const { endSessionUrl } = (await logout.json()) as { endSessionUrl: string }
  secrets.push(new URL(endSessionUrl).searchParams.get('id_token_hint')!)
  stage.liar.idToken = { aud: 'somebody else', email: 'secret@acme.test' }
  expect(await signOnWithLiar()).toBe('/portal/login?problem=SSO_FAILED')
  remember()
  await server.stop()

  expect(log).toContain('a single sign-on was refused')
  expect(secrets.length).toBeGreaterThan(6)
  for (const secret of [...secrets, 'secret@acme.test']) expect(log).not.toContain(secret)
})
