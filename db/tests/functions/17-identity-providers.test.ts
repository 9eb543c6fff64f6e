import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import type { Person } from '../support/fixture.ts'
import { type Answer, loginsOn } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer, forgiveFailures, recordedWhile, actsWithoutOrigin } = loginsOn(stage)

beforeEach(forgiveFailures)

interface Provider {
  id: string
  name: string
  [column: string]: unknown
}

const oidc = { kind: 'oidc', issuer: 'https://login.example', client_id: 'atum' }
const ldap = {
  kind: 'ldap',
  url: 'ldaps://directory.example',
  base_dn: 'dc=example',
  user_filter: '(mail={username})',
}

/** The call and the arguments with which settings are saved. */
function saving(settings: Record<string, unknown>): [string, unknown[]] {
  const named = { name: randomUUID(), ...settings }
  const list = Object.keys(named).map((name, position) => `${name} => $${position + 1}`)
  return [
    `select to_jsonb(saved) from app_public.save_identity_provider(${list.join(', ')}) as saved`,
    Object.values(named),
  ]
}

const save = (settings: Record<string, unknown>) =>
  stage.does<Provider>(
    { ...stage.acme.admin, ipAddress: '192.0.2.1', requestId: 'saving' },
    ...saving(settings),
  )
const refuses = (actor: Person, settings: Record<string, unknown>) =>
  stage.refuses(actor, ...saving(settings))
const remove = 'select app_public.delete_identity_provider($1)'
const asToken = ({ sessionId: _session, ...person }: Person) => person

test('nobody but admins saves, deletes or tells secrets', async () => {
  const { customer, agent, manager, providerId } = stage.acme
  for (const actor of [customer, agent, manager]) {
    expect(await refuses(actor, oidc)).toBe('42501')
    expect(await stage.refuses(actor, remove, [providerId])).toBe('42501')
    const asked = stage.ask(
      'set_identity_provider_secret',
      { provider_id: providerId, secret: 'v1.x' },
      { actor },
    )
    expect(await sqlState(asked)).toBe('42501')
  }
})

describe('settings are refused', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['without an issuer', { ...oidc, issuer: null }, '23514'],
    ['without a client', { ...oidc, client_id: null }, '23514'],
    ['with an issuer that is no address', { ...oidc, issuer: 'login.example' }, '23514'],
    ['with a script for an issuer', { ...oidc, issuer: 'javascript:alert(1)' }, '23514'],
    ['without a directory', { ...ldap, url: null }, '23514'],
    ['with a directory by HTTP', { ...ldap, url: 'https://directory.example' }, '23514'],
    ['without where to look', { ...ldap, base_dn: null }, '23514'],
    ['with a filter that finds everybody', { ...ldap, user_filter: '(mail=*)' }, '23514'],
    ['with an attribute that is a filter', { ...ldap, subject_attribute: 'uid)(x=*' }, '23514'],
    ['of one kind for the other', { ...oidc, kind: 'ldap' }, '23514'],
    ['of a kind that is none', { ...oidc, kind: 'saml' }, '22P02'],
    ['without a name', { ...oidc, name: ' ' }, '23514'],
    ['that give a role there is not', { ...oidc, role_mapping: '{"it": "owner"}' }, 'AD013'],
    ['that give several roles', { ...oidc, role_mapping: '{"it": ["admin", "agent"]}' }, 'AD013'],
    ['that give no role', { ...oidc, role_mapping: '{"it": null}' }, 'AD013'],
    ['that are nothing', { ...oidc, role_mapping: null }, '23502'],
  ])('%s', async (_name, settings, code) => {
    expect(await refuses(stage.acme.admin, settings)).toBe(code)
  })

  test.each(['["admin"]', '"admin"', '7'])('whose mapping is no mapping (%s)', async (mapping) => {
    expect(await refuses(stage.acme.admin, { ...oidc, role_mapping: mapping })).toBe('AD013')
  })

  test('under a name that is taken, in the same organization', async () => {
    expect(await refuses(stage.acme.admin, { ...oidc, name: 'Company login' })).toBe('23505')
    await stage.superuser.query(
      `update app_public.identity_providers set name = 'Another' where organization_id = $1`,
      [stage.globex.organizationId],
    )
    expect(await refuses(stage.globex.admin, { ...oidc, name: 'Company login' })).toBe('accepted')
  })

  test('of a provider of another organization, or that never was', async () => {
    for (const provider_id of [stage.globex.providerId, randomUUID()]) {
      expect(await refuses(stage.acme.admin, { ...oidc, provider_id })).toBe('AD101')
      expect(await stage.refuses(stage.acme.admin, remove, [provider_id])).toBe('AD101')
    }
  })
})

describe('a provider', () => {
  test('is added with what is said, and careful defaults', async () => {
    const saved = await save({ ...oidc, name: 'Careful' })
    expect(saved).toMatchObject({
      organization_id: stage.acme.organizationId,
      name: 'Careful',
      ...oidc,
      is_enabled: true,
      scopes: ['openid', 'email', 'profile'],
      role_claim: null,
      role_mapping: {},
      default_role: null,
      asks_second_factor: false,
    })
  })

  test('is replaced as a whole, and keeps its identifier, and its secret while the same is asked with it', async () => {
    const { id } = await save({ ...oidc, role_claim: 'groups', default_role: 'agent' })
    const asked = { provider_id: id, secret: 'v1.secret' }
    expect(await stage.ask('set_identity_provider_secret', asked, { actor: stage.acme.admin })).toEqual({
      outcome: 'ok',
    })
    const saved = await save({ ...ldap, provider_id: id, name: 'Renamed' })
    expect(saved).toMatchObject({
      id,
      name: 'Renamed',
      ...ldap,
      issuer: null,
      role_claim: null,
      default_role: null,
    })
    // A secret is not shown to another address than the one it was given for.
    expect(await stage.ask('identity_provider', { provider_id: id })).toMatchObject({ id, secret: null })
    await stage.ask('set_identity_provider_secret', asked, { actor: stage.acme.admin })
    await save({ ...ldap, provider_id: id, name: 'Renamed again', makes_people: false })
    expect(await stage.ask('identity_provider', { provider_id: id })).toMatchObject({ secret: 'v1.secret' })
    for (const elsewhere of [{ url: 'ldaps://evil.test' }, { bind_dn: 'cn=other' }]) {
      await save({ ...ldap, ...elsewhere, provider_id: id, name: 'Renamed again' })
      expect(await stage.ask('identity_provider', { provider_id: id })).toMatchObject({ secret: null })
      await stage.ask('set_identity_provider_secret', asked, { actor: stage.acme.admin })
    }
  })

  test('goes with its secret, whom it meant and the sessions it opened, and people stay', async () => {
    const { id } = await save({ ...oidc, default_role: 'customer' })
    const { email, userId } = await newcomer(stage.acme)
    const come = () =>
      stage.ask<Answer>('log_in_by_provider', {
        provider_id: id,
        subject: 'somebody',
        email,
        email_verified: true,
        name: null,
        groups: null,
        id_token: null,
        ip_address: null,
        user_agent: null,
      })
    await stage.superuser.query('delete from app_public.ip_rules')
    const { sessionId } = await come()
    await stage.does({ ...stage.acme.admin, requestId: 'removing', ipAddress: '192.0.2.1' }, remove, [id])
    expect(await come()).toEqual({ outcome: 'refused', reason: 'no_account' })
    const { rows } = await stage.superuser.query(
      'select identity_provider_id, revoked_at from app_private.sessions where id = $1',
      [sessionId],
    )
    expect(rows).toEqual([{ identity_provider_id: null, revoked_at: expect.any(Date) }])
    expect(
      await value(
        stage.superuser,
        'select count(*)::int from app_private.user_identities where user_id = $1',
        [userId],
      ),
    ).toBe(0)
  })

  test('that is switched off ends the sessions it opened', async () => {
    const { id } = await save({ ...oidc, default_role: 'customer' })
    const { userId } = await newcomer(stage.acme)
    const sessionId = await value<string>(
      stage.superuser,
      `insert into app_private.sessions (organization_id, user_id, family, refresh_token_hash, expires_at, identity_provider_id)
      values ($1, $2, public.gen_random_bytes(16), public.gen_random_bytes(32), now() + interval '1 day', $3) returning id`,
      [stage.acme.organizationId, userId, id],
    )
    const hasEnded = () =>
      value<boolean>(
        stage.superuser,
        'select revoked_at is not null from app_private.sessions where id = $1',
        [sessionId],
      )
    await save({ ...oidc, provider_id: id, default_role: 'agent' })
    expect(await hasEnded()).toBe(false)
    await save({ ...oidc, provider_id: id, is_enabled: false })
    expect(await hasEnded()).toBe(true)
  })

  test('is on record with who changed it, and without the secret', async () => {
    const { rows } = await stage.superuser.query(
      `select distinct actor_id, actor_role, host(ip_address) as ip from app_public.audit_log
      where request_id in ('saving', 'removing') and table_name = 'app_public.identity_providers'`,
    )
    expect(rows).toEqual([{ actor_id: stage.acme.admin.userId, actor_role: 'atum_admin', ip: '192.0.2.1' }])
    expect(
      await value(
        stage.superuser,
        `select count(*)::int from app_public.audit_log where table_name = 'app_private.identity_provider_secrets' and after ->> 'sealed' <> '***'`,
      ),
    ).toBe(0)
  })
})

describe('a secret', () => {
  const setSecret = (actor: Partial<Person>, providerId: string, secret: string | null = 'v1.new') =>
    stage.ask('set_identity_provider_secret', { provider_id: providerId, secret }, { actor })

  test('is not set by strangers, API tokens or for another organization, nor unencrypted', async () => {
    const { admin, providerId } = stage.acme
    expect(await sqlState(setSecret({}, providerId))).toBe('AD001')
    expect(await sqlState(setSecret(asToken(admin), providerId))).toBe('AD004')
    for (const id of [stage.globex.providerId, randomUUID()]) {
      expect(await setSecret(admin, id)).toEqual({ outcome: 'not_found' })
    }
    expect(await sqlState(setSecret(admin, providerId, 'plain'))).toBe('23514')
    expect(await sqlState(setSecret(admin, providerId, null))).toBe('23502')
  })

  test('stands in place of the one before', async () => {
    const { admin, providerId } = stage.acme
    expect(await setSecret(admin, providerId)).toEqual({ outcome: 'ok' })
    expect(await stage.ask('identity_provider', { provider_id: providerId })).toMatchObject({
      secret: 'v1.new',
    })
  })
})

describe('what the server is told', () => {
  const change = (sql: string) => stage.superuser.query(sql)

  test('of a provider: nothing where it is off, closed or not there', async () => {
    const { id } = await save(oidc)
    const told = () => stage.ask('identity_provider', { provider_id: id })
    expect(await told()).toMatchObject({
      id,
      organizationId: stage.acme.organizationId,
      organizationSlug: 'acme',
      kind: 'oidc',
      issuer: oidc.issuer,
      clientId: 'atum',
      secret: null,
    })
    await change(`update app_public.organizations set suspended_at = now() where slug = 'acme'`)
    expect(await told()).toBe(null)
    await change('update app_public.organizations set suspended_at = null')
    await change(`update app_public.identity_providers set is_enabled = false where id = '${id}'`)
    expect(await told()).toBe(null)
    expect(await stage.ask('identity_provider', { provider_id: randomUUID() })).toBe(null)
  })

  test('of an organization: what its login page offers, and nothing more', async () => {
    const methods = (slug: string | null) => stage.ask('login_methods', { organization_slug: slug })
    const unknown = { organization: null, localLogin: true, registration: false, providers: [] }
    for (const slug of ['initech', '', '%', null]) expect(await methods(slug)).toEqual(unknown)
    const { providerId } = stage.globex
    const globex = { slug: 'globex', name: 'The globex company' }
    const offered = [{ id: providerId, name: expect.any(String), kind: 'oidc' }]
    expect(await methods('globex')).toEqual({
      organization: globex,
      localLogin: true,
      registration: false,
      providers: offered,
    })
    await change(`update app_public.security_policies set registration_domains = '{globex.test}'`)
    expect(await methods('globex')).toMatchObject({ registration: true })
    await change('update app_public.security_policies set local_login = false')
    expect(await methods('globex')).toMatchObject({ localLogin: false, registration: false })
    await change('update app_public.identity_providers set is_enabled = false')
    expect(await methods('globex')).toMatchObject({ providers: [] })
    await change(`update app_public.organizations set suspended_at = now() where slug = 'globex'`)
    expect(await methods('globex')).toEqual(unknown)
    await change('update app_public.organizations set suspended_at = null')
  })
})

describe('guessing the passwords of a directory', () => {
  const from = '192.0.2.7'
  const attempt = (providerId: string, username: string | null) =>
    stage.ask<Answer & { receipt?: unknown }>('directory_attempt', {
      provider_id: providerId,
      username,
      ip_address: from,
    })
  const answered = (providerId: string, username: string | null, receipt: unknown, answer: string) =>
    stage.ask('directory_answered', { provider_id: providerId, username, ip_address: from, receipt, answer })
  /** Tries a password which is wrong. */
  async function fail(providerId: string, username: string | null) {
    const { outcome, receipt } = await attempt(providerId, username)
    expect(outcome).toBe('ok')
    await answered(providerId, username, receipt, 'wrong')
  }
  const counted = async () => {
    const { rows } = await stage.superuser.query<{ kind: string; failures: number; blocked: boolean }>(
      `select split_part(key, ':', 1) as kind, failures, blocked_until > '-infinity' as blocked
       from app_private.login_failures order by key`,
    )
    return rows.map(({ kind, failures, blocked }) => `${kind} ${failures}${blocked ? ' blocked' : ''}`)
  }

  test('gets slower, for one directory and one name', async () => {
    const { providerId } = stage.acme
    for (let each = 1; each <= 4; each += 1) await fail(providerId, 'somebody')
    const acts = await recordedWhile(() => fail(providerId, 'SOMEBODY'))
    expect(
      acts.map(({ operation, organization_id, row_id, after }) => [
        operation,
        organization_id,
        row_id,
        after,
      ]),
    ).toEqual(
      ['login_failed', 'lockout'].map((operation) => [
        operation,
        stage.acme.organizationId,
        providerId,
        { username: 'SOMEBODY' },
      ]),
    )
    await stage.superuser.query(
      `update app_private.login_failures set blocked_until = now() + interval '9 seconds' where failures = 5`,
    )
    expect((await attempt(providerId, 'somebody')).outcome).toBe('too_many_attempts')
    await stage.superuser.query(`delete from app_private.login_failures where key like 'address:%'`)
    expect((await attempt(providerId, 'somebody else')).outcome).toBe('ok')
    expect((await attempt(stage.globex.providerId, 'somebody')).outcome).toBe('ok')
  })

  test.each([
    ['wide letters', '\uff41da'],
    ['accents', 'ád\u0061\u0308'],
    ['signs that nobody sees', 'a\u00add\u200ba'],
    ['spaces', '  ada '],
    ['case', 'AD\uff21'],
  ])('counts %s as the same name', async (_what, spelling) => {
    for (let each = 1; each <= 5; each += 1) await fail(stage.acme.providerId, 'ada')
    expect((await attempt(stage.acme.providerId, spelling)).outcome).toBe('too_many_attempts')
    await stage.superuser.query(`delete from app_private.login_failures where key like 'address:%'`)
    expect((await attempt(stage.acme.providerId, 'a da')).outcome).toBe('ok')
  })

  test('is forgotten with the right one, but for what the address did', async () => {
    const { providerId } = stage.acme
    for (let each = 1; each <= 4; each += 1) await fail(providerId, 'ada')
    const { receipt } = await attempt(providerId, 'ada')
    expect(await counted()).toEqual(['account 5', 'address 5', 'pair 5 blocked'])
    await answered(providerId, 'ada', receipt, 'right')
    expect(await counted()).toEqual(['account 4', 'address 4'])
  })

  test('does not count what the directory did not answer, and leaves the delay that was there', async () => {
    const { providerId } = stage.acme
    const first = await attempt(providerId, 'ada')
    await answered(providerId, 'ada', first.receipt, 'none')
    expect(await counted()).toEqual([])

    for (let each = 1; each <= 5; each += 1) await fail(providerId, 'ada')
    const pass = `update app_private.login_failures
      set failed_at = failed_at - interval '9 seconds', blocked_until = blocked_until - interval '9 seconds'
      returning key, failures, failed_at, blocked_until`
    const { rows: before } = await stage.superuser.query(pass)
    const { receipt } = await attempt(providerId, 'ada')
    await answered(providerId, 'ada', receipt, 'none')
    const { rows: after } = await stage.superuser.query(
      'select key, failures, failed_at, blocked_until from app_private.login_failures',
    )
    expect(after).toHaveLength(3)
    expect(after).toEqual(expect.arrayContaining(before))
  })

  test('keeps the delay of a wrong one that came meanwhile', async () => {
    const { providerId } = stage.acme
    for (let each = 1; each <= 3; each += 1) await fail(providerId, 'ada')
    const slow = await attempt(providerId, 'ada')
    await fail(providerId, 'ada')
    await answered(providerId, 'ada', slow.receipt, 'none')
    expect(await counted()).toEqual(['account 4', 'address 4', 'pair 4 blocked'])
  })

  test('that is not there is on record with the platform', async () => {
    const acts = await recordedWhile(() => fail(randomUUID(), 'x'.repeat(400)))
    expect(acts).toMatchObject([
      {
        organization_id: '00000000-0000-0000-0000-000000000000',
        operation: 'login_failed',
        after: { username: 'x'.repeat(254) },
      },
    ])
    await fail(stage.acme.providerId, null)
    expect((await attempt(stage.acme.providerId, null)).outcome).toBe('ok')
    expect(await actsWithoutOrigin()).toEqual([])
  })
})
