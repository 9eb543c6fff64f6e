import { expect, test } from 'vitest'
import { readChain, verdictOf } from '../support/audit-chain.ts'
import { value } from '../support/connections.ts'
import { rolledBack } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const chainLength = async () => (await readChain(stage.superuser, stage.acme.organizationId)).length

test('finds every chain whole when nobody touched it', async () => {
  const scopes = await value<string[]>(
    stage.superuser,
    'select array_agg(scope) from app_private.audit_scopes() as scope',
  )
  expect(scopes).toEqual(expect.arrayContaining([stage.acme.organizationId, stage.globex.organizationId]))
  for (const scope of scopes) {
    expect(await verdictOf(stage.superuser, scope)).toEqual({
      checked: (await readChain(stage.superuser, scope)).length,
      verified: true,
      broken_seq: null,
    })
  }
})

// What a superuser could do to the table with its triggers off. The chain has n records.
const tamper = async (...statements: string[]) =>
  rolledBack(stage.superuser, async () => {
    await stage.superuser.query('set local session_replication_role = replica')
    for (const sql of statements) {
      const { rowCount } = await stage.superuser.query(
        sql.replaceAll(':scope', `'${stage.acme.organizationId}'`),
      )
      // A tampering that touched nothing would prove nothing.
      expect(rowCount).not.toBe(0)
    }
    const n = await value<number>(
      stage.superuser,
      'select seq::float8 from app_private.audit_heads where organization_id = $1',
      [stage.acme.organizationId],
    )
    expect((await verdictOf(stage.superuser, stage.globex.organizationId)).verified).toBe(true)
    return { n, verdict: await verdictOf(stage.superuser, stage.acme.organizationId) }
  })

const log = 'app_public.audit_log'
const where = (condition: string) => `where organization_id = :scope and ${condition}`
/** Links and hashes the records from a place in the chain on again, as one who knows how would. */
const rehash = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, position) => from + position).flatMap((seq) => [
    `update ${log} as link set prev_hash = (select row_hash from ${log} ${where(`seq = ${seq} - 1`)}) ${where(`seq = ${seq}`)}`,
    `update ${log} as link set row_hash = app_hidden.audit_row_hash(link) ${where(`seq = ${seq}`)}`,
  ])

test.each([
  ['actor_id', `actor_id = '${'0'.repeat(8)}-0000-7000-8000-000000000000'`],
  ['actor_role', `actor_role = 'atum_admin'`],
  ['ip_address', `ip_address = '192.0.2.99'`],
  ['request_id', `request_id = 'another'`],
  ['operation', `operation = 'login'`],
  ['table_name', `table_name = 'app_public.teams_'`],
  ['row_id', `row_id = app_hidden.uuid_v7()`],
  ['id', `id = app_hidden.uuid_v7()`],
  ['recorded_at', `recorded_at = recorded_at + interval '1 microsecond'`],
  ['before', `before = '{}'`],
  ['after', `after = after || '{"name": "Somebody else"}'`],
  ['after, removed', 'after = null'],
  ['row_hash', `row_hash = repeat('a', 64)`],
  ['prev_hash', `prev_hash = repeat('a', 64)`],
])('finds a record whose %s was changed', async (_column, change) => {
  const { verdict } = await tamper(`update ${log} set ${change} ${where('seq = 7')}`)
  expect(verdict).toMatchObject({ verified: false, broken_seq: 7 })
})

test('finds the first record changed', async () => {
  const { verdict } = await tamper(`update ${log} set request_id = 'another' ${where('seq = 1')}`)
  expect(verdict).toMatchObject({ verified: false, broken_seq: 1 })
})

test('finds the earliest of several', async () => {
  const { verdict } = await tamper(`update ${log} set request_id = 'another' ${where('seq in (9, 12, 20)')}`)
  expect(verdict).toMatchObject({ verified: false, broken_seq: 9 })
})

test('finds a change whose own hash was made anew, by the record after it', async () => {
  const { verdict } = await tamper(
    `update ${log} set request_id = 'another' ${where('seq = 7')}`,
    `update ${log} as link set row_hash = app_hidden.audit_row_hash(link) ${where('seq = 7')}`,
  )
  expect(verdict).toMatchObject({ verified: false, broken_seq: 8 })
})

test('finds a record gone from the middle, at the one that follows the gap', async () => {
  const { verdict } = await tamper(`delete from ${log} ${where('seq = 7')}`)
  expect(verdict).toMatchObject({ verified: false, broken_seq: 8 })
})

test('finds the gap also when the rest moved up', async () => {
  const { verdict } = await tamper(
    `delete from ${log} ${where('seq = 7')}`,
    `update ${log} set seq = -seq + 1000000 ${where('seq > 7')}`,
    `update ${log} set seq = 1000000 - seq - 1 ${where('seq > 7')}`,
  )
  expect(verdict).toMatchObject({ verified: false, broken_seq: 7 })
})

test('finds the first record gone', async () => {
  const { verdict } = await tamper(`delete from ${log} ${where('seq = 1')}`)
  expect(verdict).toMatchObject({ verified: false, broken_seq: 2 })
})

test('finds the last record gone', async () => {
  const { n, verdict } = await tamper(
    `delete from ${log} ${where(`seq = (select max(seq) from ${log} where organization_id = :scope)`)}`,
  )
  expect(verdict).toMatchObject({ verified: false, broken_seq: n })
})

test('finds them all gone', async () => {
  const { verdict } = await tamper(`delete from ${log} ${where('true')}`)
  expect(verdict).toMatchObject({ checked: 0, verified: false, broken_seq: 1 })
})

test('finds the head gone', async () => {
  await rolledBack(stage.superuser, async () => {
    await stage.superuser.query('set local session_replication_role = replica')
    await stage.superuser.query('delete from app_private.audit_heads where organization_id = $1', [
      stage.acme.organizationId,
    ])
    expect(await verdictOf(stage.superuser, stage.acme.organizationId)).toMatchObject({ verified: false })
    expect(
      await value(stage.superuser, 'select $1 = any (array(select app_private.audit_scopes()))', [
        stage.acme.organizationId,
      ]),
    ).toBe(true)
  })
})

test("finds two records in each other's place", async () => {
  const { verdict } = await tamper(
    `update ${log} set seq = 1000000 ${where('seq = 7')}`,
    `update ${log} set seq = 7 ${where('seq = 11')}`,
    `update ${log} set seq = 11 ${where('seq = 1000000')}`,
  )
  expect(verdict).toMatchObject({ verified: false, broken_seq: 7 })
})

test("finds two records with each other's content", async () => {
  const content = ['id', 'recorded_at', 'actor_id', 'operation', 'table_name', 'row_id', 'before', 'after']
  const { verdict } = await tamper(
    // Identifiers are unique, so one of them waits aside.
    `with pair as (select * from ${log} ${where('seq in (7, 11)')}), aside as (select 1)
    update ${log} as target set ${content
      .filter((column) => column !== 'id')
      .map((column) => `${column} = pair.${column}`)
      .join(', ')}
    from pair, aside ${where('target.seq in (7, 11) and pair.seq in (7, 11) and pair.seq <> target.seq').replace('organization_id', 'target.organization_id')}`,
  )
  expect(verdict).toMatchObject({ verified: false, broken_seq: 7 })
})

const forged = (seq: string, rest = '') => `
  insert into ${log}
  select (jsonb_populate_record(null::${log}, to_jsonb(forged) || jsonb_build_object('row_hash', app_hidden.audit_row_hash(forged)))).*
  from (
    select (jsonb_populate_record(link, jsonb_build_object('id', app_hidden.uuid_v7(), 'seq', ${seq}, 'prev_hash', link.row_hash, 'operation', 'login'))).*
    from ${log} as link ${where(`link.seq = ${seq} - 1`)}
  ) as forged ${rest}`

test('finds a record forged at the end, although its hash is right', async () => {
  const { n, verdict } = await tamper(
    forged(`(select seq from app_private.audit_heads where organization_id = :scope) + 1`),
  )
  expect(verdict).toMatchObject({ checked: n + 1, verified: false, broken_seq: n + 1 })
})

test('finds a record forged in the middle, although its hash is right', async () => {
  const { verdict } = await tamper(
    `update ${log} set seq = -seq + 1000000 ${where('seq >= 7')}`,
    `update ${log} set seq = 1000000 - seq + 1 ${where('seq > 7')}`,
    forged('7'),
  )
  expect(verdict).toMatchObject({ verified: false, broken_seq: 8 })
})

test('finds an end written anew with the right hashes', async () => {
  const n = await chainLength()
  const { verdict } = await tamper(
    `update ${log} set request_id = 'another' ${where('seq = 7')}`,
    ...rehash(7, n),
  )
  expect(verdict).toMatchObject({ checked: n, verified: false, broken_seq: n })
})

test('finds an end written anew and a record shorter', async () => {
  const n = await chainLength()
  const { verdict } = await tamper(
    `delete from ${log} ${where(`seq = ${n}`)}`,
    `update ${log} set request_id = 'another' ${where('seq = 7')}`,
    ...rehash(7, n - 1),
  )
  expect(verdict).toMatchObject({ checked: n - 1, verified: false, broken_seq: n })
})

test('cannot tell an end that was cut off together with its head from a shorter history', async () => {
  // Nothing inside one database can: this is what the signed checkpoints outside of it are for.
  const { verdict } = await tamper(
    `delete from ${log} ${where(`seq > 7`)}`,
    `update app_private.audit_heads set seq = 7, row_hash = (select row_hash from ${log} ${where('seq = 7')}) where organization_id = :scope`,
  )
  expect(verdict).toEqual({ checked: 7, verified: true, broken_seq: null })
})

// Whoever logs in to Postgres with SQL of their own writes any setting.
const asLogin = async <T>(login: 'atum_operator' | 'atum_worker', work: () => Promise<T>): Promise<T> => {
  await stage.superuser.query(`set session authorization ${login}`)
  try {
    return await work()
  } finally {
    await stage.superuser.query('rollback; reset session authorization')
  }
}

test('a login cannot act as somebody else, from somewhere else', async () => {
  const { superuser, acme } = stage
  await asLogin('atum_operator', async () => {
    await superuser.query(
      `begin;
      select set_config('atum.user_id', '${acme.admin.userId}', true), set_config('atum.ip_address', '8.8.8.8', true);
      select app_private.suspend_organization('acme'), app_private.suspend_organization('acme', false);
      commit`,
    )
  })
  const { rows } = await superuser.query(
    `select distinct actor_id, actor_role, host(ip_address) as ip from app_public.audit_log
    where organization_id = $1 and table_name = 'app_public.organizations' and operation = 'update' and after ? 'suspended_at'`,
    [acme.organizationId],
  )
  expect(rows).toEqual([{ actor_id: null, actor_role: 'atum_operator', ip: '127.0.0.1' }])
})

test.each(['atum_operator', 'atum_worker'] as const)(
  'a head that %s writes into a setting means nothing, not even the true one, and the chain goes on',
  async (login) => {
    const { superuser, acme } = stage
    const claims = `select set_config('atum.organization_id', '${acme.organizationId}', true)`
    const act =
      login === 'atum_operator'
        ? `select app_private.suspend_organization('acme'), app_private.suspend_organization('acme', false)`
        : `select app_private.account_mail_sent(id, delivery) from (values
            ('${await value<string>(superuser, 'select id from app_private.account_mails where organization_id = $1 limit 1', [acme.organizationId])}'::uuid, 'sent'::text)
          ) as mail (id, delivery)`
    const head = await value<unknown>(
      superuser,
      `select jsonb_build_array(seq, row_hash) from app_private.audit_heads where organization_id = $1`,
      [acme.organizationId],
    )
    for (const forged of [head, [9000, 'a'.repeat(64)], [1, 'a'.repeat(64)]]) {
      const setting = JSON.stringify({ [acme.organizationId]: forged })
      const setHead = `select set_config('atum.audit_heads', '${setting}', true)`
      await asLogin(login, async () => {
        await superuser.query(`begin; ${claims}; ${setHead}; ${act}; ${setHead}; commit`)
        // Also in the middle, where some links are stored and others come after.
        await superuser.query(
          `begin; ${claims}; ${act}; set constraints all immediate; ${setHead}; set constraints all deferred; ${act}; commit`,
        )
      })
    }
    expect(await verdictOf(superuser, acme.organizationId)).toMatchObject({ verified: true })
    await superuser.query(`update app_public.organizations set name = name || '!' where slug = 'acme'`)
    expect(await verdictOf(superuser, acme.organizationId)).toMatchObject({ verified: true })
  },
)
