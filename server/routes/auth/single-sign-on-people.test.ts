import { generateSync } from 'otplib'
import { describe, expect, test } from 'vitest'
import { password } from '../../testing.ts'
import { auditOf, bearer, post, program } from './testing/requests.ts'
import { callback, here, stageSignOn } from './testing/sign-on.ts'

const stage = stageSignOn()
const { landAt, refresh, refreshToken, settle, signOn, sitDown, startAt } = stage

describe('whom the provider knows', () => {
  const refused = '/portal/login?problem=SSO_REFUSED'

  test('gets no account without an address, or with one that is not verified', async () => {
    for (const account of [
      { sub: 'nobody-1', name: 'No address' },
      { sub: 'nobody-2', email: 'unsure@acme.test' },
      { sub: 'nobody-3', email: 'unsure@acme.test', email_verified: false },
      // Whose account this would take over.
      { sub: 'nobody-4', email: stage.desk.acme.admin.email, email_verified: false },
    ]) {
      sitDown(account)
      expect(await signOn()).toBe(refused)
      expect(refreshToken()).toBeUndefined()
    }
  })

  test('gets no account where none are made', async () => {
    await settle({ makes_people: false })
    sitDown({ sub: 'new-1', email: 'new-1@acme.test', email_verified: true })
    expect(await signOn()).toBe(refused)
  })

  test('gets no account in no mapped group', async () => {
    await settle({ role_claim: 'groups', role_mapping: { helpdesk: 'agent' }, default_role: null })
    for (const groups of [undefined, [], ['cooks'], 'cooks', ['Helpdesk ']]) {
      sitDown({
        sub: 'new-2',
        email: 'new-2@acme.test',
        email_verified: true,
        ...(groups && { groups }),
      })
      expect(await signOn()).toBe(refused)
    }
  })

  test('is not let in when disabled', async () => {
    sitDown({ sub: 'gone', email: 'gone@acme.test', email_verified: true })
    expect(await signOn()).toBe('/signed-in?next=%2Fportal')
    await stage.desk.superuser.query(
      `update app_public.users set disabled_at = now() where email = 'gone@acme.test'`,
    )
    sitDown(stage.real.account)
    expect(await signOn()).toBe(refused)
    expect(refreshToken()).toBeUndefined()
  })

  test('is not let in from an address that is not allowed', async () => {
    await stage.desk.superuser.query(
      `insert into app_public.ip_rules (organization_id, network) values ($1, '192.0.2.0/24')`,
      [stage.desk.acme.id],
    )
    expect(await signOn()).toBe('/portal/login?problem=ADDRESS_NOT_ALLOWED')
    await stage.desk.superuser.query('delete from app_public.ip_rules')
    expect(refreshToken()).toBeUndefined()
  })

  test('is not let in when the organization is suspended on the way', async () => {
    const url = await stage.browser.walk(startAt(stage.ids.real), `${callback(stage.ids.real)}?`)
    await stage.desk.superuser.query(
      'update app_public.organizations set suspended_at = now() where id = $1',
      [stage.desk.acme.id],
    )
    expect(await landAt(url)).toBe('/portal/login?problem=SSO_FAILED')
    await stage.desk.superuser.query(
      'update app_public.organizations set suspended_at = null where id = $1',
      [stage.desk.acme.id],
    )
  })

  test('gets an account at the first login, in this organization only', async () => {
    sitDown({ sub: 'new-3', email: 'new-3@acme.test', email_verified: true, name: 'New Three' })
    expect(await signOn()).toBe('/signed-in?next=%2Fportal')
    expect(await refresh()).toMatchObject({
      user: { name: 'New Three', email: 'new-3@acme.test', role: 'customer', organization: { slug: 'acme' } },
    })
    const { rows } = await stage.desk.superuser.query(
      `select from app_public.users where email = 'new-3@acme.test'`,
    )
    expect(rows).toHaveLength(1)
  })

  test('keeps the account when the address at the provider changes', async () => {
    sitDown({ sub: 'mover', email: 'mover@acme.test', email_verified: true })
    await signOn()
    const { user } = (await refresh()) as { user: { id: string } }
    sitDown({ sub: 'mover', email: stage.desk.acme.admin.email, email_verified: true })
    expect(await signOn()).toBe('/signed-in?next=%2Fportal')
    expect(await refresh()).toMatchObject({
      user: { id: user.id, email: 'mover@acme.test', role: 'customer' },
    })
  })

  test('is who has the verified address already', async () => {
    sitDown({ sub: 'neighbour', email: stage.desk.acme.neighbour.email, email_verified: true })
    expect(await signOn()).toBe('/signed-in?next=%2Fportal')
    expect(await refresh()).toMatchObject({ user: { id: stage.desk.acme.neighbour.id } })
    expect(await auditOf(stage.desk, stage.desk.acme.neighbour)).toContain('login')
  })

  test('has the role that the claims give at each login', async () => {
    await settle({
      role_claim: 'groups',
      role_mapping: { helpdesk: 'agent', bosses: 'manager' },
      default_role: null,
    })
    const roleWith = async (groups: string[] | string) => {
      sitDown({ sub: 'climber', email: 'climber@acme.test', email_verified: true, groups })
      expect(await signOn(stage.ids.real, '/desk')).toBe('/signed-in?next=%2Fdesk')
      return ((await refresh()) as { user: { role: string } }).user.role
    }
    expect(await roleWith(['helpdesk', 'cooks'])).toBe('agent')
    expect(await roleWith(['helpdesk', 'bosses'])).toBe('manager')
    expect(await roleWith('helpdesk')).toBe('agent')
    sitDown({ sub: 'climber', email: 'climber@acme.test', email_verified: true, groups: ['cooks'] })
    expect(await signOn()).toBe(refused)
  })

  test.each(['access.roles', 'https://acme.test/roles', 'groups'])(
    'may be told by a claim within claims, and by one with dots in its name: %s',
    async (role_claim) => {
      await settle({ role_claim, role_mapping: { helpdesk: 'agent' }, default_role: null })
      sitDown({
        sub: `by ${role_claim}`,
        email: `${role_claim.replaceAll(/\W/g, '-')}@acme.test`,
        email_verified: true,
        access: { roles: role_claim === 'access.roles' ? ['helpdesk'] : [] },
        groups: role_claim === 'groups' ? 'helpdesk' : [],
        'https://acme.test/roles': ['helpdesk'],
      })
      await signOn()
      expect(await refresh()).toMatchObject({ user: { role: 'agent' } })
    },
  )

  test('is asked for a second factor after that, unless the provider asks for one', async () => {
    const { acme } = stage.desk
    sitDown({ sub: 'manager', email: acme.manager.email, email_verified: true })
    const enrolment = (await (
      await post(stage.desk, 'two-factor/enrol', {}, bearer(acme.manager))
    ).json()) as {
      secret: string
    }
    const code = () => generateSync({ secret: enrolment.secret })
    const confirmed = await post(
      stage.desk,
      'two-factor/confirm',
      { code: code() },
      { ...program, ...bearer(acme.manager) },
    )
    expect(confirmed.status).toBe(200)
    await stage.desk.superuser.query('update app_private.authenticators set last_time_step = null')

    const landed = await signOn(stage.ids.real, '/desk')
    expect(landed).toMatch(/^\/two-factor#challenge=[0-9a-f]{64}&step=verify&next=%2Fdesk$/)
    expect(refreshToken()).toBeUndefined()
    const challenge = new URLSearchParams(landed.split('#')[1]).get('challenge')
    const verified = await stage.browser.visit(`${here}/api/v1/auth/two-factor/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...program },
      body: JSON.stringify({ challenge, code: code() }),
    })
    expect(await verified.json()).toMatchObject({ user: { id: acme.manager.id } })
    // The provider is still known to this session.
    const logout = await stage.browser.visit(`${here}/api/v1/auth/logout`, {
      method: 'POST',
      headers: program,
    })
    expect(await logout.json()).toMatchObject({ endSessionUrl: expect.stringContaining(stage.real.issuer) })

    await settle({ asks_second_factor: true })
    expect(await signOn()).toBe('/signed-in?next=%2Fportal')
  })

  test('must enrol a second factor where the role demands it', async () => {
    await stage.desk.superuser.query(
      `update app_public.security_policies set two_factor_roles = '{customer}'`,
    )
    const landed = await signOn()
    await stage.desk.superuser.query(`update app_public.security_policies set two_factor_roles = '{}'`)
    expect(landed).toMatch(/^\/two-factor#challenge=[0-9a-f]{64}&step=enrol&next=%2Fportal$/)
    expect(refreshToken()).toBeUndefined()
  })

  test('gets in where passwords are off, which those who have one no longer do', async () => {
    await stage.desk.superuser.query(
      `update app_public.security_policies set local_login = false where organization_id = $1`,
      [stage.desk.acme.id],
    )
    const login = await post(stage.desk, 'login', { email: stage.desk.acme.customer.email, password })
    const methods = await fetch(`${stage.desk.origin}/api/v1/auth/methods?organization=acme`)
    expect(await signOn()).toBe('/signed-in?next=%2Fportal')
    await stage.desk.superuser.query('update app_public.security_policies set local_login = true')
    expect(login.status).toBe(403)
    expect(await login.json()).toMatchObject({ error: { code: 'LOCAL_LOGIN_OFF' } })
    expect(await methods.json()).toMatchObject({
      localLogin: false,
      providers: expect.arrayContaining([{ id: stage.ids.real, name: 'real', kind: 'oidc' }]),
    })
  })
})
