import { describe, expect, test } from 'vitest'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses } = stage
const everybody = () => [stage.acme.customer, stage.acme.agent, stage.acme.manager, stage.acme.admin]

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

  test.each(['email', 'locale', 'time_zone', 'disabled_at', 'created_at', 'updated_at', '*'])(
    'does not read %s of anybody',
    async (column) => {
      expect(await refuses(stage.acme.customer, `select ${column} from app_public.users`)).toBe('42501')
    },
  )

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

test('nobody writes people or memberships', async () => {
  for (const actor of everybody()) {
    expect(await refuses(actor, `update app_public.users set role = 'admin'`)).toBe('42501')
    expect(await refuses(actor, `update app_public.users set name = 'x' where id = $1`, [actor.userId])).toBe(
      '42501',
    )
    expect(
      await refuses(
        actor,
        `insert into app_public.users (organization_id, email, name, role) values ($1, 'x@x.test', 'x', 'admin')`,
        [stage.acme.organizationId],
      ),
    ).toBe('42501')
    expect(await refuses(actor, 'delete from app_public.users')).toBe('42501')
    expect(await refuses(actor, 'delete from app_public.team_members')).toBe('42501')
  }
})

test('nobody but the owner reads secrets and sessions, not even what passes through the server and the worker', async () => {
  const { acme } = stage
  const others = [
    { role: 'atum_server', organizationId: acme.organizationId },
    acme.worker,
    { role: 'atum_anonymous' },
  ] as const
  for (const actor of [...everybody(), ...others]) {
    for (const table of ['app_private.user_secrets', 'app_private.sessions']) {
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
  ]

  test.each(calls)("%s is the server's alone", async (call) => {
    for (const actor of [...everybody(), { role: 'atum_anonymous' } as const, stage.acme.worker]) {
      expect(await refuses(actor, `select ${call}`)).toBe('42501')
    }
    expect(await sqlState(stage.server.query(`select ${call}`))).toBe('accepted')
  })

  test("the ones behind them are nobody's", async () => {
    for (const actor of [...everybody(), { role: 'atum_server' } as const, stage.acme.worker]) {
      expect(await refuses(actor, `select app_private.open_session(null, null, null)`)).toBe('42501')
      expect(await refuses(actor, `select app_private.identity_of(null)`)).toBe('42501')
    }
  })
})

describe('the logins', () => {
  test('the server becomes a request role and nothing else', async () => {
    for (const role of ['atum_anonymous', 'atum_customer', 'atum_agent', 'atum_manager', 'atum_admin']) {
      expect(await sqlState(stage.server.query(`begin; set local role ${role}; rollback`))).toBe('accepted')
    }
    for (const role of ['atum_owner', 'atum_worker', 'atum_reporting', 'postgres']) {
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
