import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword as password } from '../support/fixture.ts'
import { type Answer, loginsOn } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { logIn, account, newcomer, person, recordedWhile, actsWithoutOrigin } = loginsOn(stage)

/** A new provider of acme with these settings, in SQL. */
const provider = (settings: Record<string, string> = {}, organizationId = stage.acme.organizationId) => {
  const named = Object.entries(settings)
  return value<string>(
    stage.superuser,
    `insert into app_public.identity_providers (organization_id, kind, name, issuer, client_id${named.map(([name]) => `, ${name}`).join('')})
    values ($1, 'oidc', $2, 'https://login.test', 'atum'${named.map(([, sql]) => `, ${sql}`).join('')}) returning id`,
    [organizationId, randomUUID()],
  )
}

/** By which groups give which role. */
const byGroups = {
  role_claim: `'groups'`,
  role_mapping: `'{"everybody": "customer", "helpdesk": "agent", "leads": "manager", "it": "admin"}'`,
}

interface Said {
  subject?: string
  email?: string | null
  verified?: boolean | null
  name?: string | null
  groups?: string[] | null
  idToken?: string | null
}

const come = (
  providerId: string,
  {
    email = null,
    subject = email ?? randomUUID(),
    verified = true,
    name = 'Somebody',
    groups = [],
    idToken = null,
  }: Said,
  client = stage.server,
) =>
  stage.ask<Answer>(
    'log_in_by_provider',
    {
      provider_id: providerId,
      subject,
      email,
      email_verified: verified,
      name,
      groups,
      id_token: idToken,
      ip_address: '192.0.2.7',
      user_agent: 'a browser',
    },
    { client },
  )

const refused = (reason: string) => ({ outcome: 'refused', reason })
const address = () => `${randomUUID()}@acme.test`
const census = () =>
  value<number[]>(
    stage.superuser,
    `select array[(select count(*) from app_public.users), (select count(*) from app_private.sessions)]::int[]`,
  )
const roleOf = (userId: string) =>
  value<string>(stage.superuser, 'select role from app_public.users where id = $1', [userId])

describe('nobody is let in', () => {
  const cases: [string, Record<string, string>, Said, string][] = [
    [
      'without an account, where none is made',
      { makes_people: 'false' },
      { email: 'new@acme.test' },
      'no_account',
    ],
    ['without a role', {}, { email: 'new@acme.test' }, 'no_role'],
    ['in groups that give no role', byGroups, { email: 'new@acme.test', groups: ['sales'] }, 'no_role'],
    [
      'in a group with the name of a role',
      byGroups,
      { email: 'new@acme.test', groups: ['admin'] },
      'no_role',
    ],
    ['whose groups are null', byGroups, { email: 'new@acme.test', groups: null }, 'no_role'],
    ['whom groups gave a role once', byGroups, { email: 'customer@acme.test', groups: [] }, 'no_role'],
    [
      'whose address is not verified',
      {},
      { email: 'customer@acme.test', verified: false },
      'email_not_verified',
    ],
    [
      'of whose address nothing is said',
      {},
      { email: 'customer@acme.test', verified: null },
      'email_not_verified',
    ],
    ['without an address', { default_role: `'customer'` }, { email: null }, 'email_not_verified'],
    ['by a provider that is off', { is_enabled: 'false' }, { email: 'customer@acme.test' }, 'no_account'],
  ]

  test.each(cases)('%s', async (_name, settings, said, reason) => {
    const providerId = await provider(settings)
    const before = await census()
    expect(await come(providerId, said)).toEqual(refused(reason))
    expect(await census()).toEqual(before)
  })

  test('by a provider that never was', async () => {
    expect(await come(randomUUID(), { email: 'customer@acme.test' })).toEqual(refused('no_account'))
  })

  test('whose account is shut, by the address or by the subject', async () => {
    const providerId = await provider()
    const [byAddress, bySubject] = [await newcomer(stage.acme), await newcomer(stage.acme)]
    await come(providerId, { subject: 'shut', email: bySubject.email })
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = any ($1)', [
      [byAddress.userId, bySubject.userId],
    ])
    expect(await come(providerId, { email: byAddress.email })).toEqual(refused('disabled'))
    expect(await come(providerId, { subject: 'shut', email: bySubject.email })).toEqual(refused('disabled'))
  })

  test('by an address that the provider means another person by than it did', async () => {
    const providerId = await provider()
    const { email } = await newcomer(stage.acme)
    expect(await come(providerId, { subject: 'who left', email })).toMatchObject({ outcome: 'ok' })
    expect(await come(providerId, { subject: 'who came', email })).toEqual(refused('no_account'))
    expect(await come(providerId, { subject: 'who left', email })).toMatchObject({ outcome: 'ok' })
  })

  test('and who is refused is not bound, and an invitation stays open', async () => {
    const providerId = await provider({ ...byGroups })
    const email = address()
    const invited = await value<string>(
      stage.superuser,
      `insert into app_public.users (organization_id, email, name, activated_at) values ($1, $2, 'Invited', null) returning id`,
      [stage.acme.organizationId, email],
    )
    expect(await come(providerId, { email, groups: ['none of ours'] })).toEqual(refused('no_role'))
    const { rows } = await stage.superuser.query(
      `select activated_at, (select count(*)::int from app_private.user_identities where user_id = $1) as bound
      from app_public.users where id = $1`,
      [invited],
    )
    expect(rows).toEqual([{ activated_at: null, bound: 0 }])
  })

  test('where the organization is closed or the address not allowed', async () => {
    const providerId = await provider()
    const { email } = await newcomer(stage.acme, 'manager')
    await stage.superuser.query(
      `insert into app_public.ip_rules (organization_id, role, network) values ($1, 'manager', '198.51.100.0/24')`,
      [stage.acme.organizationId],
    )
    expect(await come(providerId, { email })).toEqual({ outcome: 'address_not_allowed' })
    await stage.superuser.query(
      `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
    )
    expect(await come(providerId, { email })).toEqual({ outcome: 'organization_suspended' })
    await stage.superuser.query('update app_public.organizations set suspended_at = null')
    await stage.superuser.query(`delete from app_public.ip_rules where role = 'manager'`)
  })

  test('without a record of who and why', async () => {
    const providerId = await provider()
    const acts = await recordedWhile(() => come(providerId, { email: `${'x'.repeat(400)}@acme.test` }))
    expect(acts).toEqual([
      {
        organization_id: stage.acme.organizationId,
        operation: 'login_refused',
        row_id: null,
        actor_id: null,
        after: { reason: 'no_role', email: 'x'.repeat(254), provider: expect.any(String) },
      },
    ])
  })
})

describe('a provider speaks for its own organization', () => {
  test('and binds nobody of another one, under the same address and subject', async () => {
    const foreign = await provider({ default_role: `'customer'` }, stage.globex.organizationId)
    await come(await provider(), { subject: 'the same', email: 'customer@acme.test' })
    const answer = await come(foreign, { subject: 'the same', email: 'customer@acme.test' })
    expect(answer).toMatchObject({ outcome: 'ok', user: { organization: { slug: 'globex' } } })
    expect(answer.user?.id).not.toBe(stage.acme.customer.userId)
  })

  test('and is not believed about the subjects of another provider of the same one', async () => {
    const [first, second] = [await provider(), await provider()]
    const { email } = await newcomer(stage.acme)
    await come(first, { subject: 'known', email })
    expect(await come(second, { subject: 'known', verified: false, email })).toEqual(
      refused('email_not_verified'),
    )
  })
})

describe('the subject counts', () => {
  test('once a verified address bound it, whatever the address is later', async () => {
    const providerId = await provider()
    const [somebody, other] = [await newcomer(stage.acme), await newcomer(stage.acme)]
    const first = await come(providerId, { subject: 'S-1', email: somebody.email.toUpperCase() })
    expect(first).toMatchObject({ outcome: 'ok', user: { id: somebody.userId } })
    for (const said of [
      { email: null },
      { email: 'unknown@acme.test' },
      { email: other.email, verified: false },
    ]) {
      expect(await come(providerId, { subject: 'S-1', ...said })).toMatchObject({
        outcome: 'ok',
        user: { id: somebody.userId },
      })
    }
    // And not in another case.
    expect(await come(providerId, { subject: 's-1' })).toEqual(refused('email_not_verified'))
  })

  test('when somebody comes twice at the same moment for the first time', async () => {
    const providerId = await provider({ default_role: `'customer'` })
    const said = { subject: 'twice', email: address() }
    const clients = await Promise.all([1, 2].map(() => stage.open(stage.database.serverUrl)))
    const answers = await Promise.all(clients.map((client) => come(providerId, said, client)))
    expect(answers.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
    expect(new Set(answers.map(({ user }) => user?.id)).size).toBe(1)
  })
})

describe('a person is made', () => {
  test.each([
    ['  A name  ', 'A name'],
    ['', 'local'],
    [null, 'local'],
    ['x'.repeat(300), 'x'.repeat(120)],
  ])('with the name that is said (%j)', async (name, kept) => {
    const providerId = await provider({ default_role: `'customer'` })
    const email = `local@${randomUUID()}.test`
    const answer = await come(providerId, { email, name })
    expect(answer).toMatchObject({ outcome: 'ok', user: { name: kept, email, role: 'customer' } })
  })

  test('who has no password', async () => {
    const email = address()
    await come(await provider({ default_role: `'agent'` }), { email })
    for (const guess of ['', password, null]) {
      expect(await logIn(email, guess)).toEqual({ outcome: 'invalid_credentials' })
    }
  })

  test('who was invited comes without the invitation', async () => {
    const email = address()
    const id = await account(stage.acme, email)
    await stage.superuser.query('update app_public.users set activated_at = null where id = $1', [id])
    expect(await come(await provider(), { email })).toMatchObject({ outcome: 'ok', user: { id } })
  })

  test('who has a password keeps it', async () => {
    const email = address()
    await person(stage.acme, email, password)
    await come(await provider(), { email })
    expect(await logIn(email, password)).toMatchObject({ outcome: 'ok' })
  })
})

describe('groups give the role', () => {
  test.each([
    [['everybody'], 'customer'],
    [['everybody', 'helpdesk'], 'agent'],
    [['leads', 'everybody', 'sales'], 'manager'],
    [['it', 'helpdesk', 'leads'], 'admin'],
  ])('%j: %s', async (groups, role) => {
    const answer = await come(await provider(byGroups), { email: address(), groups })
    expect(answer).toMatchObject({ outcome: 'ok', user: { role } })
  })

  test('or the one for everybody else', async () => {
    const providerId = await provider({ ...byGroups, default_role: `'agent'` })
    expect(await come(providerId, { email: address(), groups: ['sales'] })).toMatchObject({
      user: { role: 'agent' },
    })
    expect(await come(providerId, { email: address(), groups: ['everybody'] })).toMatchObject({
      user: { role: 'customer' },
    })
  })

  test('at each login, up and down, and what was open ends', async () => {
    const providerId = await provider(byGroups)
    const somebody = await newcomer(stage.acme, 'agent')
    const listener = await stage.open(stage.database.serverUrl)
    const { atum_revocations: heard } = await heardWhile(listener, ['atum_revocations'], async () => {
      const answer = await come(providerId, { subject: 'moves', email: somebody.email, groups: ['it'] })
      expect(answer).toMatchObject({ outcome: 'ok', user: { role: 'admin' } })
    })
    expect(heard).toEqual([
      { kind: 'session', id: somebody.sessionId },
      { kind: 'user', id: somebody.userId },
    ])
    const still = await come(providerId, { subject: 'moves', groups: ['it'] })
    await come(providerId, { subject: 'moves', groups: ['helpdesk'] })
    expect(await roleOf(somebody.userId)).toBe('agent')
    expect(
      await stage.ask('session_is_live', {
        organization_id: somebody.organizationId,
        session_id: still.sessionId,
      }),
    ).toBe(false)
    expect(
      await value(
        stage.superuser,
        `select array_agg(after ->> 'role' order by seq) from app_public.audit_log where row_id = $1 and operation = 'update' and after ? 'role'`,
        [somebody.userId],
      ),
    ).toEqual(['admin', 'agent'])
  })

  test('but not where the provider says nothing of groups', async () => {
    const somebody = await newcomer(stage.acme, 'manager')
    const providerId = await provider({ role_mapping: byGroups.role_mapping, default_role: `'customer'` })
    expect(await come(providerId, { email: somebody.email, groups: ['it'] })).toMatchObject({
      outcome: 'ok',
      user: { role: 'manager' },
    })
  })

  test('but leave the last admin one', async () => {
    const { admin } = stage.globex
    const providerId = await provider(byGroups, stage.globex.organizationId)
    const answer = await come(providerId, { email: 'admin@globex.test', groups: ['everybody'] })
    expect(answer).toMatchObject({ outcome: 'ok', user: { id: admin.userId, role: 'admin' } })
    expect(await roleOf(admin.userId)).toBe('admin')
  })
})

describe('whom the provider let in', () => {
  test('is on record, and keeps what logging out there takes', async () => {
    const providerId = await provider()
    const { email, userId } = await newcomer(stage.acme)
    let answer: Answer | undefined
    const acts = await recordedWhile(async () => {
      answer = await come(providerId, { email, idToken: 'v1.id-token' })
    })
    expect(acts).toEqual([
      {
        organization_id: stage.acme.organizationId,
        operation: 'login',
        row_id: userId,
        actor_id: userId,
        after: { proof: 'provider' },
      },
    ])
    expect(await stage.ask('log_out', { refresh_token: answer!.refreshToken })).toEqual({
      providerId,
      idToken: 'v1.id-token',
    })
    expect(await actsWithoutOrigin()).toEqual([])
  })

  test('gives the second factor here, unless the provider asked for one', async () => {
    const [trusting, sparing] = [await provider(), await provider({ asks_second_factor: 'true' })]
    const { email, userId, organizationId } = await newcomer(stage.acme, 'agent')
    await stage.superuser.query(`update app_public.security_policies set two_factor_roles = '{agent}'`)
    expect((await come(trusting, { email })).outcome).toBe('two_factor_enrolment')
    expect((await come(sparing, { email })).outcome).toBe('ok')
    await stage.superuser.query(`update app_public.security_policies set two_factor_roles = '{}'`)
    await stage.superuser.query(
      `insert into app_private.authenticators (organization_id, user_id, sealed, confirmed_at) values ($1, $2, 'v1.x', now())`,
      [organizationId, userId],
    )
    expect((await come(trusting, { email })).outcome).toBe('two_factor_required')
    expect((await come(sparing, { email })).outcome).toBe('ok')
  })

  test('comes in where local login is off', async () => {
    const { email } = await newcomer(stage.acme)
    await stage.superuser.query('update app_public.security_policies set local_login = false')
    expect(await come(await provider(), { email })).toMatchObject({ outcome: 'ok' })
    await stage.superuser.query('update app_public.security_policies set local_login = true')
  })
})
