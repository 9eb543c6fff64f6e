import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import tls from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { generateSync } from 'otplib'
import { Attribute, Change } from 'ldapts'
import { startTestServer, type TestServer } from '../../testing.ts'
import {
  addPerson,
  hasSlapd,
  openPeople,
  people,
  reader,
  startDirectory,
  suffix,
  type TestDirectory,
} from './testing/directory-server.ts'
import { auditOf, bearer, cookieOf, expectRefusal, post, program } from './testing/requests.ts'

const password = 'known to the directory'
const helpdesk = `cn=helpdesk,ou=groups,${suffix}`

describe.skipIf(!hasSlapd)('a directory', () => {
  let desk: TestServer
  let directory: TestDirectory
  let providerId: string

  beforeAll(async () => {
    desk = await startTestServer()
    directory = await startDirectory()
    const ada = await addPerson(directory, 'ada', { password, cn: 'Ada Lovelace' })
    await addPerson(directory, 'grace', { password })
    await addPerson(directory, 'jürgen (Köln) *\\', {
      password,
      dn: `uid=juergen,${people}`,
      mail: 'juergen@acme.test',
    })
    await addPerson(directory, 'twin', { password, dn: `cn=first,${people}`, cn: 'first' })
    await addPerson(directory, 'twin', { password, dn: `cn=second,${people}`, cn: 'second' })
    await addPerson(directory, 'locked')
    await directory.root.add(helpdesk, { objectClass: 'groupOfNames', cn: 'helpdesk', member: ada })
    const { rows } = await desk.superuser.query<{ id: string }>(
      `insert into app_public.identity_providers (organization_id, kind, name, url, base_dn, user_filter)
       values ($1, 'ldap', 'Directory', $2, $3, '(uid={username})') returning id`,
      [desk.acme.id, directory.url, suffix],
    )
    providerId = rows[0]!.id
    await bindAs(reader.password)
  })

  afterAll(() => Promise.all([desk.close(), directory.close()]))

  beforeEach(async () => {
    await desk.superuser.query('delete from app_private.login_failures')
    await settle({})
  })

  async function settle(settings: Record<string, unknown>): Promise<void> {
    const {
      url = directory.url,
      bind_dn = reader.dn,
      base_dn = suffix,
      user_filter = '(&(objectClass=inetOrgPerson)(uid={username}))',
      subject_attribute = 'entryUUID',
      email_attribute = 'mail',
      role_claim = null,
      role_mapping = {},
      default_role = 'customer',
    } = settings
    await desk.superuser.query(
      `update app_public.identity_providers
       set url = $2, bind_dn = $3, base_dn = $4, user_filter = $5, subject_attribute = $6, email_attribute = $7,
         role_claim = $8, role_mapping = $9, default_role = $10
       where id = $1`,
      [
        providerId,
        url,
        bind_dn,
        base_dn,
        user_filter,
        subject_attribute,
        email_attribute,
        role_claim,
        role_mapping,
        default_role,
      ],
    )
  }

  async function bindAs(secret: string): Promise<void> {
    const saved = await post(
      desk,
      'identity-provider-secret',
      { providerId, secret },
      bearer(desk.acme.admin),
    )
    expect(saved.status).toBe(204)
  }

  const logIn = (username: string, withPassword = password, headers: Record<string, string> = program) =>
    post(desk, `directory/${providerId}`, { username, password: withPassword }, headers)

  describe('refuses', () => {
    test('a wrong password and an unknown name with the same answer', async () => {
      const [wrong, unknown] = [await logIn('ada', 'wrong'), await logIn('nobody', 'wrong')]
      const answer = await wrong.text()
      expect(JSON.parse(answer)).toMatchObject({ error: { code: 'INVALID_CREDENTIALS' } })
      expect([unknown.status, await unknown.text()]).toEqual([wrong.status, answer])
      const { rows } = await desk.superuser.query(
        `select from app_public.audit_log where operation = 'login_failed' and table_name = 'app_public.identity_providers'`,
      )
      expect(rows).toHaveLength(2)
    })

    test('no password at all, which a directory would take for a greeting', async () => {
      await expectRefusal(await logIn('ada', ''), 400, 'INVALID_INPUT')
      await expectRefusal(await logIn('ada', '\0'), 400, 'INVALID_INPUT')
      await expectRefusal(
        await post(desk, `directory/${providerId}`, { username: 'ada' }),
        400,
        'INVALID_INPUT',
      )
    })

    test.each([
      '*',
      'a*',
      'ada)(uid=*',
      '*)(objectClass=*',
      'x)(|(uid=ada)',
      '\\61\\64\\61',
      '{username}',
      '$&',
      ' ',
    ])('the name %j, which is no part of the filter', async (username) => {
      await expectRefusal(await logIn(username), 401, 'INVALID_CREDENTIALS')
    })

    test('a name that two have, and a person without a password', async () => {
      await expectRefusal(await logIn('twin'), 401, 'INVALID_CREDENTIALS')
      await expectRefusal(await logIn('locked'), 401, 'INVALID_CREDENTIALS')
    })

    test('without the header, and a page of another site', async () => {
      await expectRefusal(await logIn('ada', password, {}), 403, 'FORBIDDEN')
      const elsewhere = await logIn('ada', password, { ...program, origin: 'https://evil.test' })
      await expectRefusal(elsewhere, 403, 'FORBIDDEN')
    })

    test('what is no directory, is off, or belongs to a suspended organization', async () => {
      const body = { username: 'ada', password }
      await expectRefusal(await post(desk, 'directory/nonsense', body), 404, 'NOT_FOUND')
      await expectRefusal(await post(desk, `directory/${crypto.randomUUID()}`, body), 404, 'NOT_FOUND')
      await desk.superuser.query('update app_public.identity_providers set is_enabled = false')
      await expectRefusal(await logIn('ada'), 404, 'NOT_FOUND')
      await desk.superuser.query('update app_public.identity_providers set is_enabled = true')
      await desk.superuser.query('update app_public.organizations set suspended_at = now() where id = $1', [
        desk.acme.id,
      ])
      await expectRefusal(await logIn('ada'), 404, 'NOT_FOUND')
      await desk.superuser.query('update app_public.organizations set suspended_at = null where id = $1', [
        desk.acme.id,
      ])
    })

    test('who guesses, for a while, and only for this name', async () => {
      for (let attempt = 1; attempt <= 5; attempt += 1) {
        await expectRefusal(await logIn('grace', 'wrong'), 401, 'INVALID_CREDENTIALS')
      }
      await desk.superuser.query(
        `update app_private.login_failures set blocked_until = now() + interval '1 minute' where blocked_until > '-infinity'`,
      )
      const response = await logIn('grace')
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
      await expectRefusal(response, 429, 'TOO_MANY_ATTEMPTS')
      expect((await logIn('ada')).status).toBe(200)
    })

    test('guesses that come at once, and in other spellings of the name', async () => {
      const statuses = async (names: string[]) => {
        const answers = await Promise.all(names.map((name) => logIn(name, 'wrong')))
        return answers.map(({ status }) => status).sort()
      }
      // The directory takes them for one: it lets her in by each.
      const spellings = ['ada', 'ADA', '\uff41da', 'a\uff24\uff21']
      for (const name of spellings) expect((await logIn(name)).status, name).toBe(200)
      const refused = await statuses(Array.from({ length: 20 }, (_, index) => spellings[index % 4]!))
      expect(refused.filter((status) => status === 401)).toHaveLength(5)
      expect(refused.filter((status) => status === 429)).toHaveLength(15)
      await desk.superuser.query(
        `update app_private.login_failures set blocked_until = now() + interval '1 minute' where blocked_until > '-infinity'`,
      )
      await expectRefusal(await logIn('\uff21DA'), 429, 'TOO_MANY_ATTEMPTS')
    })

    test('nobody for the failures before the right password', async () => {
      for (let round = 1; round <= 3; round += 1) {
        for (let attempt = 1; attempt <= 4; attempt += 1) {
          await expectRefusal(await logIn('ada', 'wrong'), 401, 'INVALID_CREDENTIALS')
        }
        expect((await logIn('ada')).status).toBe(200)
      }
    })

    test('who is in no mapped group, has no address, was disabled, or comes from elsewhere', async () => {
      await settle({ role_claim: 'memberOf', role_mapping: { [helpdesk]: 'agent' }, default_role: null })
      expect(await expectRefusal(await logIn('grace'), 403, 'SSO_REFUSED')).toEqual({ reason: 'no_role' })
      await settle({ email_attribute: 'carLicense' })
      expect(await expectRefusal(await logIn('grace'), 403, 'SSO_REFUSED')).toEqual({
        reason: 'email_not_verified',
      })

      await settle({})
      expect((await logIn('grace')).status).toBe(200)
      await desk.superuser.query(
        `update app_public.users set disabled_at = now() where email = 'grace@acme.test'`,
      )
      expect(await expectRefusal(await logIn('grace'), 403, 'SSO_REFUSED')).toEqual({ reason: 'disabled' })
      await desk.superuser.query(
        `insert into app_public.ip_rules (organization_id, network) values ($1, '192.0.2.0/24')`,
        [desk.acme.id],
      )
      const elsewhere = await logIn('ada')
      await desk.superuser.query('delete from app_public.ip_rules')
      await expectRefusal(elsewhere, 403, 'ADDRESS_NOT_ALLOWED')
    })
  })

  describe('lets in', () => {
    test('a person, who gets an account at the first login and keeps it', async () => {
      await addPerson(directory, 'linus', { password, cn: 'Linus' })
      const first = await logIn('linus')
      expect(first.status).toBe(200)
      expect(cookieOf(first)).toMatch(/^atum_refresh=[0-9a-f]{96}$/)
      const grant = (await first.json()) as { user: { id: string } }
      expect(grant).toMatchObject({
        accessToken: expect.any(String),
        user: { name: 'Linus', email: 'linus@acme.test', role: 'customer', organization: { slug: 'acme' } },
      })
      await directory.root.modify(
        `uid=linus,${people}`,
        new Change({
          operation: 'replace',
          modification: new Attribute({ type: 'mail', values: ['new@acme.test'] }),
        }),
      )
      expect(await (await logIn('LINUS')).json()).toMatchObject({ user: { id: grant.user.id } })
      expect(await auditOf(desk, grant.user)).toEqual(['login', 'login'])
    })

    test('a name of any characters', async () => {
      expect((await logIn('jürgen (Köln) *\\')).status).toBe(200)
    })

    test('with the role of the groups, at each login', async () => {
      await settle({ role_claim: 'memberof', role_mapping: { [helpdesk]: 'agent' } })
      expect(await (await logIn('ada')).json()).toMatchObject({ user: { role: 'agent' } })
      await settle({ role_claim: 'memberOf', role_mapping: { [helpdesk]: 'manager' } })
      expect(await (await logIn('ada')).json()).toMatchObject({ user: { role: 'manager' } })
    })

    test('whoever the directory numbers with bytes', async () => {
      const dn = await addPerson(directory, 'numbered', { password })
      const number = new Attribute({ type: 'jpegPhoto', values: [Buffer.from([0, 255, 1, 254])] })
      await directory.root.modify(dn, new Change({ operation: 'add', modification: number }))
      await settle({ subject_attribute: 'jpegPhoto' })
      expect((await logIn('numbered')).status).toBe(200)
      const { rows } = await desk.superuser.query(
        `select from app_private.user_identities where subject = '00ff01fe'`,
      )
      expect(rows).toHaveLength(1)
    })

    test('after a second step, where the person has one', async () => {
      const { user, accessToken } = (await (await logIn('ada')).json()) as {
        user: { id: string }
        accessToken: string
      }
      const enrolment = await post(desk, 'two-factor/enrol', {}, bearer({ token: accessToken }))
      const { secret } = (await enrolment.json()) as { secret: string }
      const headers = { ...program, ...bearer({ token: accessToken }) }
      const code = () => generateSync({ secret })
      expect((await post(desk, 'two-factor/confirm', { code: code() }, headers)).status).toBe(200)
      await desk.superuser.query('update app_private.authenticators set last_time_step = null')

      const first = await logIn('ada')
      expect(first.headers.get('set-cookie')).toBeNull()
      const { challenge, step } = (await first.json()) as { challenge: string; step: string }
      expect(step).toBe('verify')
      const second = await post(desk, 'two-factor/verify', { challenge, code: code() })
      expect(await second.json()).toMatchObject({ user: { id: user.id } })

      // A directory has no page to log out at.
      const logout = await post(desk, 'logout', {}, { ...program, cookie: cookieOf(second) })
      expect(logout.status).toBe(204)
      await desk.superuser.query('delete from app_private.authenticators')
    })

    test('without a bind of our own, where the directory lets anybody look', async () => {
      await addPerson(directory, 'open', { password, dn: `uid=open,${openPeople}` })
      await settle({ bind_dn: null, base_dn: openPeople })
      expect((await logIn('open')).status).toBe(200)
      await settle({ bind_dn: null, base_dn: people })
      expect((await logIn('ada')).status).not.toBe(200)
    })
  })

  describe('that does not answer as it should is our trouble, and not a wrong password', () => {
    const servers: Server[] = []

    afterEach(() => {
      for (const server of servers.splice(0)) server.close()
    })

    /** Somebody at a port who is no directory. */
    async function startImpostor(answer: (socket: Socket) => void): Promise<string> {
      const server = createServer((socket) => {
        socket.on('error', () => {})
        answer(socket)
      }).listen(0, '127.0.0.1')
      servers.push(server)
      await once(server, 'listening')
      return `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`
    }

    afterEach(async () => {
      const { rows } = await desk.superuser.query(`select from app_private.login_failures`)
      expect(rows).toHaveLength(0)
    })

    test('a wrong bind password', async () => {
      await bindAs('not this one')
      const response = await logIn('ada')
      await bindAs(reader.password)
      await expectRefusal(response, 502, 'SSO_FAILED')
    })

    test.each([
      ['a base that is not there', { base_dn: 'dc=nowhere' }],
      ['a filter that is none', { user_filter: '(uid={username}' }],
      ['an attribute for the subject that nobody has', { subject_attribute: 'employeeNumber' }],
      ['a port at which nobody listens', { url: 'ldap://127.0.0.1:1' }],
      ['a host that nobody knows', { url: 'ldap://nowhere.invalid' }],
    ])('%s', async (_what, settings) => {
      await settle(settings)
      await expectRefusal(await logIn('ada'), 502, 'SSO_FAILED')
    })

    test.each<[string, (socket: Socket) => void]>([
      ['hangs up', (socket) => socket.destroy()],
      ['speaks another language', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
      [
        'does not stop talking',
        (socket) => {
          // One message of 16 MB, which never comes to its end.
          socket.write(Buffer.from([0x30, 0x84, 0x01, 0x00, 0x00, 0x00]))
          const timer = setInterval(() => socket.write(Buffer.alloc(256 * 1024)), 1)
          socket.on('close', () => clearInterval(timer))
        },
      ],
    ])('somebody who %s', async (_what, answer) => {
      await settle({ url: await startImpostor(answer) })
      await expectRefusal(await logIn('ada'), 502, 'SSO_FAILED')
    })

    test('somebody who says nothing, after five seconds', async () => {
      await settle({ url: await startImpostor(() => {}) })
      const started = performance.now()
      await expectRefusal(await logIn('ada'), 502, 'SSO_FAILED')
      expect(performance.now() - started).toBeGreaterThan(4_500)
      expect(performance.now() - started).toBeLessThan(7_000)
    })
  })

  describe('away from this machine', () => {
    /** What went to the directory, as somebody on the way saw it. */
    async function listenIn(target: number): Promise<{ port: number; heard: () => Buffer; server: Server }> {
      const heard: Buffer[] = []
      const server = createServer((socket) => {
        const onward = connect(target, '127.0.0.1')
        socket.on('error', () => onward.destroy()).on('data', (chunk) => heard.push(chunk))
        onward.on('error', () => socket.destroy())
        socket.pipe(onward).pipe(socket)
      }).listen(0)
      await once(server, 'listening')
      return { port: (server.address() as AddressInfo).port, heard: () => Buffer.concat(heard), server }
    }

    test('is told no password where it cannot encrypt, or nobody knows its certificate', async () => {
      await settle({ url: directory.secureUrl })
      await expectRefusal(await logIn('ada'), 502, 'SSO_FAILED')
      const { port, heard, server } = await listenIn(Number(new URL(directory.url).port))
      await settle({ url: `ldap://0.0.0.0:${port}` })
      await expectRefusal(await logIn('ada'), 502, 'SSO_FAILED')
      expect(heard().length).toBeGreaterThan(0)
      for (const secret of [reader.password, password, 'ada']) expect(heard().includes(secret)).toBe(false)
      server.close()
    })

    test('is asked behind TLS when its certificate is known', async () => {
      const known = tls.getCACertificates('default')
      tls.setDefaultCACertificates([...known, directory.certificate])
      try {
        await settle({ url: directory.secureUrl })
        expect((await logIn('ada')).status).toBe(200)
        const { port, heard, server } = await listenIn(Number(new URL(directory.url).port))
        await settle({ url: `ldap://0.0.0.0:${port}` })
        expect((await logIn('ada')).status).toBe(200)
        await expectRefusal(await logIn('ada', 'wrong'), 401, 'INVALID_CREDENTIALS')
        for (const secret of [reader.password, password, 'ada']) expect(heard().includes(secret)).toBe(false)
        // A certificate for localhost is none for another name of this machine.
        await settle({ url: directory.secureUrl.replace('localhost', '127.0.0.1') })
        await expectRefusal(await logIn('ada'), 502, 'SSO_FAILED')
        server.close()
      } finally {
        tls.setDefaultCACertificates(known)
      }
    })
  })
})
