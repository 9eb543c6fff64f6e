import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword as password } from '../support/fixture.ts'
import { loginsOn, type Newcomer } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { refusal, sqlState } from '../support/refusals.ts'
import { asRole, become, committed } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer, openSession } = loginsOn(stage)

const changing = 'select to_jsonb(policy) from app_public.change_security_policy('
const roles = `${changing}two_factor_roles => $1::app_public.user_role[]) as policy`
const domains = `${changing}registration_domains => $1) as policy`
const localLogin = `${changing}local_login => $1) as policy`

const admin = () => ({ ...stage.acme.admin, ipAddress: '192.0.2.1', requestId: 'securing' })
const change = (sql: string, given: unknown) => stage.does<Record<string, unknown>>(admin(), sql, [given])

afterEach(() =>
  stage.superuser.query(
    `update app_public.security_policies set two_factor_roles = '{}', registration_domains = '{}', local_login = true`,
  ),
)

test('nobody but admins changes how people get in', async () => {
  const { customer, agent, manager } = stage.acme
  for (const actor of [customer, agent, manager, { role: 'atum_anonymous' } as const]) {
    expect(await stage.refuses(actor, localLogin, [true])).toBe('42501')
  }
})

describe('a mail domain is refused', () => {
  test.each([
    '',
    'acme',
    '@acme.test',
    '*.acme.test',
    'acme.test ',
    'acme..test',
    '-acme.test',
    'ac me.test',
    'acme.test.',
    'a@acme.test',
  ])('that is none (%j)', async (domain) => {
    expect(await stage.refuses(stage.acme.admin, domains, [['acme.test', domain]])).toBe('23514')
  })

  test('after a hundred', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `domain-${index}.test`)
    expect(await stage.refuses(stage.acme.admin, domains, [many])).toBe('23514')
    expect(await stage.refuses(stage.acme.admin, domains, [many.slice(1)])).toBe('accepted')
  })

  test('that is null', async () => {
    expect(await stage.refuses(stage.acme.admin, domains, [['acme.test', null]])).toBe('23514')
  })
})

test('what is not given stays, and what is given is kept once and in lower case', async () => {
  await change(domains, ['ACME.test', 'example.co.uk', 'acme.TEST'])
  await change(roles, ['admin'])
  const { organizationId } = stage.acme
  expect(await stage.does(stage.acme.admin, `${changing}) as policy`)).toMatchObject({
    organization_id: organizationId,
    registration_domains: ['acme.test', 'example.co.uk'],
    two_factor_roles: ['admin'],
    local_login: true,
  })
  expect(await change(domains, [])).toMatchObject({ registration_domains: [], two_factor_roles: ['admin'] })
  expect(
    await value(
      stage.superuser,
      'select two_factor_roles from app_public.security_policies where organization_id = $1',
      [stage.globex.organizationId],
    ),
  ).toBe('{}')
})

test('a role that is null is none', async () => {
  expect(await change(roles, [null, 'agent'])).toMatchObject({ two_factor_roles: ['agent'] })
})

test('a change is on record with who made it', async () => {
  await change(roles, ['manager'])
  const { rows } = await stage.superuser.query(
    `select actor_id, actor_role, host(ip_address) as ip, before, after from app_public.audit_log
    where request_id = 'securing' and table_name = 'app_public.security_policies' order by seq desc limit 1`,
  )
  expect(rows).toEqual([
    {
      actor_id: stage.acme.admin.userId,
      actor_role: 'atum_admin',
      ip: '192.0.2.1',
      before: { two_factor_roles: [], updated_at: expect.any(String) },
      after: { two_factor_roles: ['manager'], updated_at: expect.any(String) },
    },
  ])
})

describe('local login', () => {
  let glass: Newcomer

  beforeAll(async () => {
    glass = await newcomer(stage.acme, 'admin')
  })

  const withGlass = async (assignment: string) => {
    await stage.superuser.query(`update app_public.users set ${assignment} where id = $1`, [glass.userId])
  }

  test('is not turned off where nobody could break the glass', async () => {
    expect(await stage.refuses(stage.acme.admin, localLogin, [false])).toBe('AD007')
    await withGlass('is_break_glass = true')
    // Without a password there is nothing to get in with.
    expect(await stage.refuses(stage.acme.admin, localLogin, [false])).toBe('AD007')
    await stage.superuser.query('select app_private.set_password($1, $2, $3)', [
      glass.organizationId,
      glass.userId,
      password,
    ])
    for (const unfit of [
      ['is_break_glass = false', 'is_break_glass = true'],
      [`role = 'manager'`, `role = 'admin'`],
      ['disabled_at = now()', 'disabled_at = null'],
      ['activated_at = null', 'activated_at = now()'],
    ] as const) {
      await withGlass(unfit[0])
      expect([unfit[0], await stage.refuses(stage.acme.admin, localLogin, [false])]).toEqual([
        unfit[0],
        'AD007',
      ])
      await withGlass(unfit[1])
    }
    expect(await stage.refuses(stage.acme.admin, localLogin, [false])).toBe('accepted')
  })

  test('while off keeps an admin who may break the glass', async () => {
    await change(localLogin, false)
    await asRole(stage.server, stage.acme.admin, async () => {
      for (const assignment of ['is_break_glass = false', `role = 'manager'`, 'disabled_at = now()']) {
        const sql = `update app_public.users set ${assignment} where id = $1`
        expect([assignment, await refusal(stage.server, sql, [glass.userId])]).toEqual([assignment, 'AD007'])
      }
      expect(
        await refusal(stage.server, 'update app_public.users set is_break_glass = false where id = $1', [
          stage.acme.admin.userId,
        ]),
      ).toBe('accepted')
    })
    await stage.superuser.query('update app_public.security_policies set local_login = true')
    expect(
      await stage.refuses(
        stage.acme.admin,
        'update app_public.users set is_break_glass = false where id = $1',
        [glass.userId],
      ),
    ).toBe('accepted')
  })

  test('is not turned off at the moment in which the glass is taken away', async () => {
    const clients = await Promise.all([1, 2].map(() => stage.open(stage.database.serverUrl)))
    const statements = [
      'select app_public.change_security_policy(local_login => false)',
      `update app_public.users set is_break_glass = false where id = '${glass.userId}'`,
    ]
    const states = await Promise.all(
      clients.map((client, index) =>
        sqlState(
          committed(client, async () => {
            await become(client, stage.acme.admin)
            await client.query(statements[index]!)
          }),
        ),
      ),
    )
    expect(states.toSorted()).toEqual(['AD007', 'accepted'])
    await stage.superuser.query('update app_public.security_policies set local_login = true')
    await withGlass('is_break_glass = true')
  })
})

describe('demanding a second factor', () => {
  const live = (userId: string) =>
    value<number>(
      stage.superuser,
      'select count(*)::int from app_private.sessions where user_id = $1 and revoked_at is null',
      [userId],
    )

  test('logs out those of the role who have none, and nobody else', async () => {
    const [without, begun, having] = [
      await newcomer(stage.acme, 'manager'),
      await newcomer(stage.acme, 'manager'),
      await newcomer(stage.acme, 'manager'),
    ]
    const [agent, elsewhere] = [await newcomer(stage.acme, 'agent'), await newcomer(stage.globex, 'manager')]
    for (const [{ organizationId, userId }, confirmed] of [
      [begun, null],
      [having, 'now'],
    ] as const) {
      await stage.superuser.query(
        `insert into app_private.authenticators (organization_id, user_id, sealed, confirmed_at) values ($1, $2, 'v1.x', $3)`,
        [organizationId, userId, confirmed],
      )
    }
    const listener = await stage.open(stage.database.serverUrl)
    const { atum_revocations: heard } = await heardWhile(listener, ['atum_revocations'], () =>
      change(roles, ['manager']),
    )
    expect(heard).toHaveLength(2)
    expect(heard).toEqual(
      expect.arrayContaining([without, begun].map(({ sessionId }) => ({ kind: 'session', id: sessionId }))),
    )
    const left = []
    for (const { userId } of [without, begun, having, agent, elsewhere]) left.push(await live(userId))
    expect(left).toEqual([0, 0, 1, 1, 1])
  })

  test('again, of a role more, logs out only those of that role', async () => {
    await change(roles, ['manager'])
    const [manager, agent] = [await newcomer(stage.acme, 'manager'), await newcomer(stage.acme, 'agent')]
    await change(roles, ['manager', 'agent'])
    expect([await live(manager.userId), await live(agent.userId)]).toEqual([1, 0])
  })

  test('leaves the admin who decides it in this one session', async () => {
    const { userId } = stage.acme.admin
    await openSession(userId)
    await change(roles, ['admin'])
    expect(await live(userId)).toBe(1)
    expect(
      await stage.ask('session_is_live', {
        organization_id: stage.acme.organizationId,
        session_id: stage.acme.admin.sessionId,
      }),
    ).toBe(true)
  })
})
