import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { sqlState } from '../support/refusals.ts'
import { become, committed, rolledBack } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { logIn, person } = loginsOn(stage)

const setPassword = (userId: string, password: string | null) =>
  stage.superuser.query('select app_private.set_password($1, $2, $3)', [
    stage.acme.organizationId,
    userId,
    password,
  ])

describe('a password is refused', () => {
  test.each([
    ['that is short', 'AD005', 'only nine'],
    ['that is nothing', 'AD005', ''],
    ['of nine characters that take more bytes', 'AD005', 'ééééééééé'],
    ['of more than bcrypt reads, rather than cut', 'AD003', 'é'.repeat(37)],
    ['that many people use', 'AD006', '1234567890'],
    ['that many people use in another case', 'AD006', 'QwertyUIOP'],
    ['that is a common word with digits and signs after it', 'AD006', 'Baseball2026!'],
    ['that is a common word made longer with digits', 'AD006', 'Dragon20261234'],
    ['that is a common word made longer with signs', 'AD006', 'password 2026!'],
    ['that is one character again and again', 'AD006', 'zzzzzzzzzzzz'],
    ['that opens the demo', 'AD006', 'atum-demo-2026'],
    ['that is the name of this software with digits', 'AD006', 'ATUM Desk 2027!'],
    ['that is the own address', 'AD006', 'Customer@Acme.test'],
    ['that is the own name', 'AD006', 'CUSTOMER of acme'],
    ['that is null', '23502', null],
  ])('%s', async (_name, code, password) => {
    expect(await sqlState(setPassword(stage.acme.customer.userId, password))).toBe(code)
    expect(await logIn('customer@acme.test', fixturePassword)).toMatchObject({ outcome: 'ok' })
  })

  test('that is the address without its host', async () => {
    const id = await person(stage.acme, 'maximiliane@example.test', fixturePassword)
    expect(await sqlState(setPassword(id, 'Maximiliane'))).toBe('AD006')
  })
})

describe('a password', () => {
  test.each([
    ['of ten characters', 'ten of the'],
    ['without digits, capitals and signs', 'nothing is asked for'],
    ['of more than a common word', 'dragon 2026 horse'],
    ['of digits alone', '4917350628'],
    ['of 72 bytes', 'é'.repeat(35) + 'of'],
    ['in any script, with spaces and an emoji', 'ключ 鍵 🗝 مفتاح'],
  ])('%s is taken, and lets in', async (_name, password) => {
    const email = `${randomUUID()}@example.test`
    const id = await person(stage.acme, email, password)
    expect(await logIn(email, password)).toMatchObject({ outcome: 'ok', user: { id } })
  })

  test('is kept as a bcrypt hash of cost 10 with its own salt', async () => {
    await person(stage.acme, 'both@example.test', 'the same in both')
    await person(stage.globex, 'both@example.test', 'the same in both')
    const hashes = await value<string[]>(
      stage.superuser,
      `select array_agg(password_hash) from app_private.user_secrets as secret join app_public.users as person on person.id = secret.user_id where person.email = 'both@example.test'`,
    )
    expect(new Set(hashes).size).toBe(2)
    for (const hash of hashes) expect(hash).toMatch(/^\$2a\$10\$[./A-Za-z0-9]{53}$/)
  })

  test('that was replaced is none', async () => {
    const id = await person(stage.acme, 'new@example.test', 'the old one')
    await setPassword(id, 'the new one')
    expect(await logIn('new@example.test', 'the old one')).toEqual({ outcome: 'invalid_credentials' })
    expect(await logIn('new@example.test', 'the new one')).toMatchObject({ outcome: 'ok' })
  })

  test('of the demo is one in the demo only', async () => {
    const email = `${randomUUID()}@example.test`
    await person(stage.acme, email, 'atum-demo-2026', { demo: true })
    expect(await logIn(email, 'atum-demo-2026')).toEqual({ outcome: 'invalid_credentials' })
    expect(await logIn(email, 'atum-demo-2026', { demo: true })).toMatchObject({ outcome: 'ok' })
  })

  test('is compared with a list that is there', async () => {
    const { rows } = await stage.superuser.query(
      `select count(*)::int > 6000 as many, min(length(password)) as shortest, bool_and(password = lower(password)) as lower
      from app_private.common_passwords`,
    )
    expect(rows).toEqual([{ many: true, shortest: 5, lower: true }])
  })
})

describe('an organization keeps an admin who can log in', () => {
  const demote = `update app_public.users set role = 'agent' where id = $1`
  const disable = `update app_public.users set disabled_at = now() where id = $1`
  const another = (change = '') =>
    value<string>(
      stage.superuser,
      `insert into app_public.users (organization_id, email, name, role, activated_at, disabled_at)
      values ($1, gen_random_uuid() || '@example.test', 'Another admin', 'admin', ${change || 'now(), null'}) returning id`,
      [stage.acme.organizationId],
    )
  const remove = (id: string) => stage.superuser.query('delete from app_public.users where id = $1', [id])

  test('nobody changes the own role or shuts the own account, however many admins there are', async () => {
    const id = await another()
    const { admin } = stage.acme
    expect(await stage.refuses(admin, demote, [admin.userId])).toBe('AD009')
    expect(await stage.refuses(admin, disable, [admin.userId])).toBe('AD009')
    expect(await stage.refuses({ ...admin, userId: id }, demote, [id])).toBe('AD009')
    expect(
      await stage.refuses(
        admin,
        `update app_public.users set role = role, disabled_at = null where id = $1`,
        [admin.userId],
      ),
    ).toBe('accepted')
    await remove(id)
  })

  test.each(['null, null', 'now(), now()'])(
    'the last one stays, also besides one who cannot log in (%s)',
    async (change) => {
      const id = await another(change)
      // The owner, as a migration or a directory would.
      for (const sql of [demote, disable]) {
        expect(
          await stage.refuses({ role: 'atum_owner', organizationId: stage.acme.organizationId }, sql, [
            stage.acme.admin.userId,
          ]),
        ).toBe('AD007')
      }
      await remove(id)
    },
  )

  test('an admin of another organization does not count', async () => {
    expect(await stage.refuses({ role: 'atum_owner' }, demote, [stage.globex.admin.userId])).toBe('AD007')
  })

  test('another admin takes the role away, and gives it', async () => {
    const id = await another()
    const { admin, agent } = stage.acme
    expect(await stage.touches(admin, demote, [id])).toBe(1)
    expect(await stage.touches(admin, disable, [id])).toBe(1)
    expect(
      await stage.touches(admin, `update app_public.users set role = 'admin' where id = $1`, [agent.userId]),
    ).toBe(1)
    await remove(id)
  })

  test('two who demote each other at the same moment do not both succeed', async () => {
    const { admin } = stage.acme
    const id = await another()
    const [one, other] = await Promise.all([
      stage.open(stage.database.serverUrl),
      stage.open(stage.database.serverUrl),
    ])
    const outcomes = await Promise.all([
      sqlState(
        committed(one, async () => {
          await become(one, admin)
          await one.query(demote, [id])
        }),
      ),
      sqlState(
        committed(other, async () => {
          await become(other, { ...admin, userId: id })
          await other.query(demote, [admin.userId])
        }),
      ),
    ])
    expect(outcomes.toSorted()).toEqual(['AD007', 'accepted'])
    const left = await value<number>(
      stage.superuser,
      `select count(*)::int from app_public.users where organization_id = $1 and role = 'admin' and disabled_at is null`,
      [stage.acme.organizationId],
    )
    expect(left).toBe(1)
    await stage.superuser.query(`update app_public.users set role = 'admin' where id = $1`, [admin.userId])
    await remove(id)
  })

  test('the second waits for the first and then sees what it did', async () => {
    const { admin } = stage.acme
    const id = await another()
    const [one, other] = await Promise.all([
      stage.open(stage.database.serverUrl),
      stage.open(stage.database.serverUrl),
    ])
    await rolledBack(other, async () => {
      await one.query('begin')
      await become(one, admin)
      await one.query(demote, [id])
      await become(other, { ...admin, userId: id })
      const second = sqlState(other.query(demote, [admin.userId]))
      await one.query('commit')
      expect(await second).toBe('AD007')
    })
    await remove(id)
  })
})

describe('the sessions of a person end', () => {
  test.each([
    ['whose role changes', `role = 'manager'`],
    ['who is disabled', 'disabled_at = now()'],
  ])('%s, and every server is told', async (_name, change) => {
    const id = await person(stage.acme, `${change.length}@sessions.test`, fixturePassword, { role: 'agent' })
    const open = await logIn(`${change.length}@sessions.test`, fixturePassword)
    const listener = await stage.open(stage.database.serverUrl)
    const heard = await heardWhile(listener, ['atum_revocations'], () =>
      stage.does(stage.acme.admin, `update app_public.users set ${change} where id = $1 returning id`, [id]),
    )
    expect(heard.atum_revocations).toEqual([
      { kind: 'session', id: open.sessionId },
      { kind: 'user', id },
    ])
    expect(
      await stage.ask('session_is_live', {
        organization_id: stage.acme.organizationId,
        session_id: open.sessionId,
      }),
    ).toBe(false)
  })

  test.each([
    ['restricted_to_teams', 'true'],
    ['company_id', 'null'],
  ])(
    'but not of one who sees other tickets when %s changes: there only sockets close',
    async (column, sql) => {
      const { admin, customer } = stage.acme
      const listener = await stage.open(stage.database.serverUrl)
      const change = `update app_public.users set ${column} = ${sql} where id = $1 returning id`
      const heard = await heardWhile(listener, ['atum_revocations'], async () => {
        await stage.does(admin, change, [customer.userId])
        await stage.does(admin, change, [customer.userId])
      })
      expect(heard.atum_revocations).toEqual([{ kind: 'user', id: customer.userId }])
    },
  )

  test('but not of one whose name changes', async () => {
    const { acme } = stage
    const listener = await stage.open(stage.database.serverUrl)
    const heard = await heardWhile(listener, ['atum_revocations'], () =>
      stage.does(acme.agent, `update app_public.users set name = 'A new name' where id = $1 returning id`, [
        acme.agent.userId,
      ]),
    )
    expect(heard.atum_revocations).toEqual([])
  })
})

describe('what only a person who logged in may do', () => {
  const call = (sessionId: string | undefined, userId: string | undefined) =>
    sqlState(
      stage.ask(
        'begin_two_factor',
        { secret: 'v1.x' },
        {
          actor: {
            organizationId: stage.acme.organizationId,
            ...(userId && { userId }),
            ...(sessionId && { sessionId }),
          },
        },
      ),
    )

  test('is refused to strangers and to API tokens', async () => {
    const { agent } = stage.acme
    expect(await call(undefined, undefined)).toBe('AD001')
    expect(await call(agent.sessionId, undefined)).toBe('AD001')
    expect(await call(undefined, agent.userId)).toBe('AD004')
    expect(await call(agent.sessionId, agent.userId)).toBe('accepted')
  })
})
