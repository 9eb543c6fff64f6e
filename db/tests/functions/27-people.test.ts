import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { accountMailsOn } from '../support/account-mails.ts'
import { value } from '../support/connections.ts'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { logIn, newcomer, recordedWhile } = loginsOn(stage)
const { mailsTo, tokenTo, jobsFor } = accountMailsOn(stage)
const password = 'a horse that nobody has stapled'

const invite = 'select to_jsonb(person) from app_public.invite_user($1, $2, $3, $4, $5) as person'
const setTeams = 'select app_public.set_user_teams($1, $2)'
const resend = 'select app_public.resend_invitation($1)'
const link = 'select to_jsonb(link) from app_public.create_account_link($1) as link'
const asToken = ({ sessionId: _session, ...person }: Person) => person

interface Invited {
  id: string
  role: string
  company_id: string | null
  activated_at: string | null
}

const invited = (
  email: string,
  values: { name?: string; role?: string; companyId?: string; teamIds?: string[] } = {},
) =>
  stage.does<Invited>({ ...stage.acme.admin, ipAddress: '192.0.2.1', requestId: 'inviting' }, invite, [
    email,
    values.name ?? 'Somebody new',
    values.role ?? 'customer',
    values.companyId ?? null,
    values.teamIds ?? null,
  ])

const teamsOf = (userId: string) =>
  value<string[]>(
    stage.superuser,
    `select coalesce(array_agg(team_id), '{}') from app_public.team_members where user_id = $1`,
    [userId],
  )

test('nobody but admins does anything with people', async () => {
  const { customer, agent, manager, neighbour } = stage.acme
  for (const actor of [customer, agent, manager, { role: 'atum_anonymous' } as const, stage.acme.worker]) {
    expect(await stage.refuses(actor, invite, ['x@acme.test', 'X', 'admin', null, null])).toBe('42501')
    expect(await stage.refuses(actor, setTeams, [neighbour.userId, []])).toBe('42501')
    expect(await stage.refuses(actor, resend, [neighbour.userId])).toBe('42501')
    expect(await stage.refuses(actor, link, [neighbour.userId])).toBe('42501')
  }
})

describe('an invitation is refused', () => {
  const attempt = (values: unknown[]) => stage.refuses(stage.acme.admin, invite, values)

  test.each(['customer@acme.test', ' Customer@ACME.test '])(
    'to an address that is taken (%s)',
    async (email) => {
      expect(await attempt([email, 'Somebody', 'customer', null, null])).toBe('AD011')
    },
  )

  test('to what is no address, without a name, to a role that is none', async () => {
    expect(await attempt(['nobody', 'Somebody', 'customer', null, null])).toBe('23514')
    expect(await attempt(['x@acme.test', '  ', 'customer', null, null])).toBe('23514')
    expect(await attempt([null, 'Somebody', 'customer', null, null])).toBe('23502')
    expect(await attempt(['x@acme.test', 'Somebody', 'owner', null, null])).toBe('22P02')
    expect(await attempt(['x@acme.test', 'Somebody', null, null, null])).toBe('23502')
  })

  test('into a company or a team of another organization, or that never was', async () => {
    for (const id of [stage.globex.companyId, randomUUID()]) {
      expect(await attempt(['x@acme.test', 'Somebody', 'customer', id, null])).toBe('23503')
    }
    for (const id of [stage.globex.teamId, randomUUID()]) {
      expect(await attempt(['x@acme.test', 'Somebody', 'agent', null, [id]])).toBe('23503')
    }
  })

  test('twice at the same moment', async () => {
    const clients = await Promise.all([1, 2].map(() => stage.open(stage.database.serverUrl)))
    const { organizationId, userId } = stage.acme.admin
    const states = await Promise.all(
      clients.map((client) =>
        sqlState(
          client.query(
            `begin; set local role atum_admin; set local atum.organization_id = '${organizationId}'; set local atum.user_id = '${userId}';
            select app_public.invite_user('race@acme.test', 'Race'); commit`,
          ),
        ),
      ),
    )
    expect(states.toSorted()).toEqual(['AD011', 'accepted'])
  })
})

describe('somebody who registered and has not come', () => {
  async function registered(): Promise<{ email: string; id: string; token: string }> {
    const email = `${randomUUID()}@acme.test`
    await stage.superuser.query(
      `update app_public.security_policies set registration_domains = '{acme.test}' where organization_id = $1`,
      [stage.acme.organizationId],
    )
    await stage.ask('register', { organization_slug: 'acme', email, name: 'A stranger' })
    const id = await value<string>(stage.superuser, 'select id from app_public.users where email = $1', [
      email,
    ])
    return { email, id, token: await tokenTo(id, 'email_verification') }
  }
  const attempt = (email: string, role = 'customer', actor = stage.acme.admin) =>
    stage.refuses(actor, invite, [email, 'Somebody', role, null, null])

  test('is not invited once they came, were shut out, or were invited', async () => {
    const [came, shut, again] = [await registered(), await registered(), await registered()]
    await stage.ask('accept_invitation', { token: came.token, name: '', password })
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [shut.id])
    await invited(again.email)
    for (const { email } of [came, shut, again]) expect(await attempt(email)).toBe('AD011')
  })

  test('is not given another role by an API token', async () => {
    const { email } = await registered()
    expect(await attempt(email, 'agent', asToken(stage.acme.admin) as Person)).toBe('AD004')
    expect(await attempt(email, 'customer', asToken(stage.acme.admin) as Person)).toBe('accepted')
  })

  test('is invited as everybody is, and the link before is worth nothing', async () => {
    const { email, id, token } = await registered()
    const { companyId, teamId } = stage.acme
    expect(
      await invited(email.toUpperCase(), { name: 'Their name', role: 'agent', companyId, teamIds: [teamId] }),
    ).toMatchObject({ id, name: 'Their name', role: 'agent', company_id: companyId, activated_at: null })
    expect(await teamsOf(id)).toEqual([teamId])
    expect(await mailsTo(id)).toEqual(['email_verification', 'invitation'])
    expect(await sqlState(stage.ask('account_token_of', { token }))).toBe('AD010')
    await stage.ask('accept_invitation', { token: await tokenTo(id, 'invitation'), name: '', password })
    expect(await logIn(email, password)).toMatchObject({
      outcome: 'ok',
      user: { id, role: 'agent', name: 'Their name' },
    })
  })
})

describe('an invitation', () => {
  test('makes an account that waits, in its company and teams, and writes a mail', async () => {
    const { companyId, teamId, organizationId, admin } = stage.acme
    const acts = await recordedWhile(() =>
      invited(' Fresh@acme.test ', { role: 'agent', companyId, teamIds: [teamId, teamId] }),
    )
    const id = await value<string>(
      stage.superuser,
      `select id from app_public.users where email = 'fresh@acme.test'`,
    )
    expect(acts.map(({ operation, row_id, actor_id }) => [operation, row_id, actor_id])).toEqual([
      ['invited', id, admin.userId],
    ])
    const { rows } = await stage.superuser.query(
      'select organization_id, email, name, role, company_id, activated_at from app_public.users where id = $1',
      [id],
    )
    expect(rows).toEqual([
      {
        organization_id: organizationId,
        email: 'Fresh@acme.test',
        name: 'Somebody new',
        role: 'agent',
        company_id: companyId,
        activated_at: null,
      },
    ])
    expect(await teamsOf(id)).toEqual([teamId])
    expect(await mailsTo(id)).toEqual(['invitation'])
    expect(await jobsFor(id)).toEqual([{ accountMailId: expect.any(String), organizationId }])
    expect(
      await value(
        stage.superuser,
        `select count(*)::int from app_public.audit_log where request_id = 'inviting' and (actor_id is distinct from $1 or host(ip_address) <> '192.0.2.1')`,
        [admin.userId],
      ),
    ).toBe(0)
  })

  test('of the address that somebody of another organization has is fine', async () => {
    expect(await invited('agent@globex.test', { role: 'admin' })).toMatchObject({
      role: 'admin',
      activated_at: null,
    })
  })

  test('that is accepted lets the person in', async () => {
    const { id } = await invited('accepts@acme.test')
    await stage.ask('accept_invitation', { token: await tokenTo(id, 'invitation'), name: 'Me', password })
    expect(await logIn('accepts@acme.test', password)).toMatchObject({ outcome: 'ok', user: { id } })
    expect(await stage.refuses(stage.acme.admin, resend, [id])).toBe('AD101')
  })

  test('is written once more, and the link before is worth nothing', async () => {
    const { id } = await invited('waits@acme.test')
    const first = await tokenTo(id, 'invitation')
    expect(await stage.does(stage.acme.admin, resend, [id])).toBe(true)
    expect(await sqlState(stage.ask('account_token_of', { token: first }))).toBe('AD010')
    expect(await stage.ask('account_token_of', { token: await tokenTo(id, 'invitation') })).toMatchObject({
      purpose: 'invitation',
      email: 'waits@acme.test',
    })
  })

  test('is not written to somebody who came, or of another organization', async () => {
    const { admin, customer } = stage.acme
    for (const id of [customer.userId, stage.globex.customer.userId, randomUUID()]) {
      expect(await stage.refuses(admin, resend, [id])).toBe('AD101')
    }
  })
})

describe('teams', () => {
  test('of another organization are not there, nor are its people', async () => {
    const { admin, agent, teamId } = stage.acme
    expect(await stage.refuses(admin, setTeams, [agent.userId, [stage.globex.teamId]])).toBe('23503')
    expect(await stage.refuses(admin, setTeams, [agent.userId, [teamId, randomUUID()]])).toBe('23503')
    expect(await stage.refuses(admin, setTeams, [stage.globex.agent.userId, [teamId]])).toBe('AD101')
    expect(await stage.refuses(admin, setTeams, [randomUUID(), []])).toBe('AD101')
    expect(await teamsOf(agent.userId)).toEqual([teamId])
    expect(await teamsOf(stage.globex.agent.userId)).toEqual([stage.globex.teamId])
  })

  test('of a person are these and no others', async () => {
    const { admin, teamId, organizationId } = stage.acme
    const { userId } = await newcomer(stage.acme, 'agent')
    const another = await value<string>(
      stage.superuser,
      `insert into app_public.teams (organization_id, name) values ($1, 'Another') returning id`,
      [organizationId],
    )
    await stage.does(admin, setTeams, [userId, [teamId, another]])
    expect((await teamsOf(userId)).toSorted()).toEqual([teamId, another].toSorted())
    const records = () =>
      value<number>(
        stage.superuser,
        `select count(*)::int from app_public.audit_log where table_name = 'app_public.team_members'`,
      )
    const before = await records()
    await stage.does(admin, setTeams, [userId, [another]])
    expect(await teamsOf(userId)).toEqual([another])
    // One went; the one that stayed was not taken away and given again.
    expect(await records()).toBe(before + 1)
    await stage.does(admin, setTeams, [userId, []])
    expect(await teamsOf(userId)).toEqual([])
  })
})

describe('a link that an admin hands over', () => {
  test('is not made for the admin who asks: a session alone does not change the own password', async () => {
    const { admin } = stage.acme
    expect(await stage.refuses(admin, link, [admin.userId])).toBe('AD009')
  })

  test('opens nothing once the person has another address', async () => {
    const person = await newcomer(stage.acme)
    const { token } = await stage.does<{ token: string }>(stage.acme.admin, link, [person.userId])
    await stage.does(stage.acme.admin, 'update app_public.users set email = $2 where id = $1 returning id', [
      person.userId,
      `${randomUUID()}@acme.test`,
    ])
    expect(await sqlState(stage.ask('reset_password', { token, password }))).toBe('AD010')
  })

  test('is not made for people of another organization, or by an API token', async () => {
    const { admin, customer } = stage.acme
    expect(await stage.refuses(admin, link, [stage.globex.customer.userId])).toBe('AD101')
    expect(await stage.refuses(admin, link, [randomUUID()])).toBe('AD101')
    expect(await stage.refuses(asToken(admin), link, [customer.userId])).toBe('AD004')
  })

  test('is an invitation for who has not come, in place of the mail, and is on record', async () => {
    const { id } = await invited('by-hand@acme.test')
    const mailed = await tokenTo(id, 'invitation')
    let made: { purpose: string; token: string } | undefined
    const acts = await recordedWhile(async () => {
      made = await stage.does(stage.acme.admin, link, [id])
    })
    expect(
      acts.map(({ operation, row_id, actor_id, after }) => [operation, row_id, actor_id, after]),
    ).toEqual([['account_link_made', id, stage.acme.admin.userId, { purpose: 'invitation' }]])
    expect(made).toEqual({ purpose: 'invitation', token: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(await sqlState(stage.ask('account_token_of', { token: mailed }))).toBe('AD010')
    // Nobody is mailed what was handed over.
    expect(await jobsFor(id)).toHaveLength(1)
    await stage.ask('accept_invitation', { token: made!.token, name: '', password })
    expect(await logIn('by-hand@acme.test', password)).toMatchObject({ outcome: 'ok' })
    expect(
      await value(
        stage.superuser,
        `select count(*)::int from app_public.audit_log as link where link::text like '%' || $1 || '%'`,
        [made!.token],
      ),
    ).toBe(0)
  })

  test('is a reset for who has, and lasts an hour', async () => {
    const { userId } = await newcomer(stage.acme)
    const made = await stage.does<{ purpose: string; token: string }>(stage.acme.admin, link, [userId])
    expect(made.purpose).toBe('password_reset')
    const { rows } = await stage.superuser.query(
      `select delivery, expires_at - created_at = interval '1 hour' as hour from app_private.account_mails where user_id = $1`,
      [userId],
    )
    expect(rows).toEqual([{ delivery: 'handed_over', hour: true }])
    expect(await sqlState(stage.ask('reset_password', { token: made.token, password }))).toBe('accepted')
  })
})
