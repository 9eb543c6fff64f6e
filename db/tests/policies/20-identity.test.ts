import { describe, expect, test } from 'vitest'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, touches } = stage
const everybody = () => [stage.acme.customer, stage.acme.agent, stage.acme.manager, stage.acme.admin]
const secretTables = [
  'user_secrets',
  'sessions',
  'authenticators',
  'recovery_codes',
  'login_challenges',
  'account_mails',
  'api_token_secrets',
  'identity_provider_secrets',
  'user_identities',
  'login_failures',
  'rate_buckets',
  'common_passwords',
].map((name) => `app_private.${name}`)

describe('a customer', () => {
  test('sees who helps and the own person, but no other customer', async () => {
    const { acme } = stage
    expect(await sees(acme.customer, 'select name from app_public.users order by name')).toEqual([
      'admin of acme',
      'agent of acme',
      'customer of acme',
      'manager of acme',
    ])
    expect(
      await sees(acme.customer, 'select id from app_public.users where id = $1', [acme.neighbour.userId]),
    ).toEqual([])
    // Also not through a row that names them.
    expect(
      await sees(
        acme.customer,
        `select person.name from app_public.tickets as ticket join app_public.users as person on person.id = ticket.requester_id`,
      ),
    ).toEqual(['customer of acme'])
  })

  test.each([
    'email',
    'locale',
    'time_zone',
    'company_id',
    'restricted_to_teams',
    'is_break_glass',
    'activated_at',
    'disabled_at',
    'created_at',
    'updated_at',
    '*',
  ])('does not read %s of anybody', async (column) => {
    expect(await refuses(stage.acme.customer, `select ${column} from app_public.users`)).toBe('42501')
  })

  test('cannot find a person by the mail address either', async () => {
    expect(
      await refuses(stage.acme.customer, `select id from app_public.users where email = 'agent@acme.test'`),
    ).toBe('42501')
    expect(await refuses(stage.acme.customer, 'select id from app_public.users order by email')).toBe('42501')
  })

  test('reads the own address through current_user', async () => {
    expect(await sees(stage.acme.customer, `select (app_public."current_user"()).email`)).toEqual([
      'customer@acme.test',
    ])
  })

  test('does not know of memberships', async () => {
    expect(await refuses(stage.acme.customer, 'select id from app_public.team_members')).toBe('42501')
  })
})

describe('staff', () => {
  test('see everybody of their organization with the address, and nobody of another', async () => {
    const { acme, globex } = stage
    for (const actor of [acme.agent, acme.manager, acme.admin]) {
      expect(await sees(actor, 'select email from app_public.users order by email')).toEqual(
        ['admin', 'agent', 'customer', 'manager', 'neighbour'].map((name) => `${name}@acme.test`),
      )
      expect(
        await sees(actor, 'select id from app_public.users where id = $1', [globex.customer.userId]),
      ).toEqual([])
      expect(await sees(actor, 'select user_id from app_public.team_members')).toEqual([acme.agent.userId])
    }
  })
})

test('whose claims do not fit together is nobody', async () => {
  const { acme, globex } = stage
  const forged = { ...acme.customer, userId: globex.customer.userId }
  expect(await sees(forged, `select (app_public."current_user"()).id`)).toEqual([null])
  expect(await sees({ role: 'atum_anonymous' }, `select (app_public."current_user"()).id`)).toEqual([null])
  expect(
    await sees(
      { role: 'atum_customer', userId: acme.customer.userId },
      `select (app_public."current_user"()).id`,
    ),
  ).toEqual([null])
})

describe('a person', () => {
  test('is added and removed by nobody, and neither is a membership', async () => {
    for (const actor of everybody()) {
      expect(
        await refuses(
          actor,
          `insert into app_public.users (organization_id, email, name, role) values ($1, 'x@x.test', 'x', 'admin')`,
          [stage.acme.organizationId],
        ),
      ).toBe('42501')
      expect(await refuses(actor, 'delete from app_public.users')).toBe('42501')
      expect(
        await refuses(
          actor,
          'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)',
          [stage.acme.organizationId, stage.acme.teamId, actor.userId],
        ),
      ).toBe('42501')
      expect(await refuses(actor, 'delete from app_public.team_members')).toBe('42501')
    }
  })

  test.each(['id', 'organization_id', 'activated_at', 'created_at', 'updated_at'])(
    'has an %s that nobody changes',
    async (column) => {
      for (const actor of everybody()) {
        expect(await refuses(actor, `update app_public.users set ${column} = ${column}`)).toBe('42501')
      }
    },
  )

  test.each(['email', 'role', 'company_id', 'restricted_to_teams', 'is_break_glass', 'disabled_at'])(
    'has an %s that only admins change',
    async (column) => {
      const { customer, agent, manager } = stage.acme
      for (const actor of [customer, agent, manager]) {
        expect(
          await refuses(actor, `update app_public.users set ${column} = ${column} where id = $1`, [
            actor.userId,
          ]),
        ).toBe('42501')
      }
    },
  )

  test('says the own name, language and time zone, and nobody else’s', async () => {
    const { acme, globex } = stage
    const change = `update app_public.users set name = 'x', locale = 'de', time_zone = 'Europe/Berlin'`
    for (const actor of [acme.customer, acme.agent, acme.manager]) {
      expect(await touches(actor, change)).toBe(1)
      for (const other of [acme.neighbour, acme.admin, globex.customer]) {
        expect(await touches(actor, `${change} where id = $1`, [other.userId])).toBe(0)
      }
    }
  })

  test('is changed by the admins of the own organization, and by no other', async () => {
    const { acme, globex } = stage
    const change = `update app_public.users set name = 'x', email = 'changed@acme.test', restricted_to_teams = true, is_break_glass = true, company_id = null`
    expect(await touches(acme.admin, `${change} where id = $1`, [acme.agent.userId])).toBe(1)
    expect(await touches(acme.admin, `update app_public.users set name = 'x'`)).toBe(5)
    expect(await touches(acme.admin, `${change} where id = $1`, [globex.agent.userId])).toBe(0)
    expect(
      await refuses(acme.admin, 'update app_public.users set company_id = $1 where id = $2', [
        globex.companyId,
        acme.customer.userId,
      ]),
    ).toBe('23503')
    expect(
      await refuses(acme.admin, `update app_public.users set email = 'agent@acme.test' where id = $1`, [
        acme.customer.userId,
      ]),
    ).toBe('23505')
  })
})

test('nobody but the owner reads secrets and sessions, not even what passes through the server and the worker', async () => {
  const { acme } = stage
  const others = [
    { role: 'atum_server', organizationId: acme.organizationId },
    { role: 'atum_operator', organizationId: acme.organizationId },
    { role: 'atum_reporting', organizationId: acme.organizationId },
    acme.worker,
    { role: 'atum_anonymous' },
  ] as const
  for (const actor of [...everybody(), ...others]) {
    for (const table of secretTables) {
      expect(await refuses(actor, `select * from ${table}`)).toBe('42501')
      expect(await refuses(actor, `select count(*) from ${table}`)).toBe('42501')
      expect(await refuses(actor, `delete from ${table}`)).toBe('42501')
    }
    expect(
      await refuses(actor, 'select app_private.set_password($1, $2, $3)', [
        acme.organizationId,
        acme.customer.userId,
        'hijacked',
      ]),
    ).toBe('42501')
  }
})

describe('the functions before anybody is known', () => {
  const calls = [
    `app_private.log_in('a@b.test', 'x', null, false, null, null)`,
    `app_private.refresh_session('x', null, null)`,
    `app_private.log_out('x')`,
    `app_private.challenge_of('x')`,
    `app_private.pass_two_factor('x', 1, null, null)`,
    `app_private.fail_two_factor('x')`,
    `app_private.pass_recovery_code('x', 'x', null, null)`,
    `app_private.begin_two_factor('v1.x', 'x')`,
    `app_private.confirm_two_factor(1, 'x', 'x', null, null)`,
    `app_private.pending_two_factor()`,
    `app_private.request_password_reset('a@b.test', null)`,
    `app_private.request_verification('a@b.test', null)`,
    `app_private.login_methods('acme')`,
    `app_private.identity_provider(null)`,
    `app_private.log_in_by_provider(null, 'x', null, null, null, null, null, null, null)`,
    `app_private.directory_attempt(null, 'x', null)`,
    `app_private.directory_answered(null, 'x', null, null, 'wrong')`,
    `app_private.session_is_live(null, null)`,
    `app_private.revocation_state()`,
    `app_private.ip_allowed(null, 'admin', null)`,
    `app_private.api_token_claims(null, null)`,
    `app_private.take_tokens('x', 1, 1, 1)`,
  ]

  test.each(calls)("%s is the server's alone", async (call) => {
    const others = [
      { role: 'atum_anonymous' },
      { role: 'atum_operator' },
      { role: 'atum_reporting' },
    ] as const
    for (const actor of [...everybody(), ...others, stage.acme.worker]) {
      expect(await refuses(actor, `select ${call}`)).toBe('42501')
    }
    expect(await sqlState(stage.server.query(`select ${call}`))).toBe('accepted')
  })

  test("the ones behind them are nobody's", async () => {
    for (const actor of [...everybody(), { role: 'atum_server' } as const, stage.acme.worker]) {
      for (const call of [
        'open_session(null, null, null)',
        'identity_of(null)',
        `admit(null, 'second_factor', null, null)`,
        'act_for(null)',
        'issue_account_token(null)',
        `write_account_mail(null, 'password_reset')`,
        'make_recovery_codes(null, null)',
        'remove_two_factor(null)',
        'end_sessions_of(null, null)',
        `tell_servers('session', null)`,
        `count_login_failure('x', null)`,
        `forget_login_failures('x', null)`,
      ]) {
        expect([call, await refuses(actor, `select app_private.${call}`)]).toEqual([call, '42501'])
      }
    }
  })
})

describe('the logins', () => {
  test('the server becomes a request role and nothing else', async () => {
    for (const role of ['atum_anonymous', 'atum_customer', 'atum_agent', 'atum_manager', 'atum_admin']) {
      expect(await sqlState(stage.server.query(`begin; set local role ${role}; rollback`))).toBe('accepted')
    }
    for (const role of ['atum_owner', 'atum_worker', 'atum_operator', 'atum_reporting', 'postgres']) {
      expect(await sqlState(stage.server.query(`set role ${role}`))).toBe('42501')
    }
  })

  test('the worker becomes nobody', async () => {
    const worker = await stage.open(stage.database.workerUrl)
    for (const role of [
      'atum_owner',
      'atum_server',
      'atum_customer',
      'atum_agent',
      'atum_admin',
      'atum_operator',
      'atum_reporting',
      'postgres',
    ]) {
      expect(await sqlState(worker.query(`set role ${role}`))).toBe('42501')
    }
  })

  test('none of them looks into the log of migrations or makes anything', async () => {
    const worker = await stage.open(stage.database.workerUrl)
    for (const client of [stage.server, worker]) {
      expect(await sqlState(client.query('select * from graphile_migrate.migrations'))).toBe('42501')
      expect(await sqlState(client.query('create table public.mine ()'))).toBe('42501')
      expect(await sqlState(client.query('create temporary table mine ()'))).toBe('42501')
      expect(await sqlState(client.query('set session_replication_role = replica'))).toBe('42501')
      expect(await sqlState(client.query('alter table app_public.tickets disable row level security'))).toBe(
        '42501',
      )
    }
  })
})

test('an address is plain ASCII: what folds into another letter would be the address of somebody else', async () => {
  const { admin, agent } = stage.acme
  for (const email of [
    'admİn@acme.test',
    'admin@acmeſ.test',
    'admin@аcme.test',
    'a b@acme.test',
    'a@b@c.test',
  ]) {
    expect(
      await stage.refuses(admin, 'update app_public.users set email = $1 where id = $2', [
        email,
        agent.userId,
      ]),
      email,
    ).toBe('23514')
  }
  expect(
    await stage.refuses(admin, 'update app_public.users set email = $1 where id = $2', [
      'agent@xn--acm-epa.test',
      agent.userId,
    ]),
  ).toBe('accepted')
})
