import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allTables, asMatrix, type Attempt, tryEverything } from '../support/access.ts'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { type Tenant, twoTenants } from '../support/fixture.ts'
import { rolledBack } from '../support/session.ts'

// Every table × every role × {select, insert, update, delete} × {own tenant, other tenant, no claims}, each tried on
// real rows. `UPDATE_MATRIX=1 npx vitest run access-matrix` writes what is; whoever reviews the change decides whether it ought to be.
const matrixFile = join(import.meta.dirname, 'access-matrix.json')

let database: TestDatabase
let client: Client
let tenants: { own: Tenant; other: Tenant }
let attempts: Attempt[]

beforeAll(async () => {
  database = await createTestDatabase()
  client = new Client({ connectionString: database.superuserUrl })
  await client.connect()
  const { acme, globex } = await twoTenants(client)
  tenants = { own: acme, other: globex }
  // The tables that belong to nobody have a row too.
  await client.query(`select app_private.record_heartbeat('a worker', now())`)
  await client.query(`select app_private.record_scanner('answering', 'ClamAV')`)
  await client.query(`select app_private.count_login_failure('somebody@acme.test', '192.0.2.7')`)
  await client.query(`select app_private.take_tokens('somebody', 1, 5, 1)`)
  const tables = await allTables(client)
  attempts = await rolledBack(client, () => tryEverything(client, tables, tenants))
  if (process.env.UPDATE_MATRIX) writeFileSync(matrixFile, `${JSON.stringify(asMatrix(attempts), null, 2)}\n`)
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

const committedMatrix = () => JSON.parse(readFileSync(matrixFile, 'utf8')) as Record<string, unknown>

const named = ({ table, role, verb, scope, outcome }: Attempt) =>
  `${role} ${verb} ${table} of ${scope}: ${outcome}`

const withoutTenant = new Set(
  ['worker_heartbeats', 'scanner_status', 'login_failures', 'rate_buckets', 'common_passwords'].map(
    (name) => `app_private.${name}`,
  ),
)

/** What no matrix may say: the walls that hold whatever else is decided. */
const breaches = (of: Attempt[]) =>
  of
    .filter(({ role, scope, outcome }) => {
      if (outcome !== 'rows') return false
      if (role === 'atum_owner') return scope === 'other'
      return scope !== 'own'
    })
    // These have no tenant, and only their owner reaches them.
    .filter(({ table, role }) => !(withoutTenant.has(table) && role === 'atum_owner'))
    .map(named)

test('every attempt of every role ends as the committed matrix says', () => {
  expect(asMatrix(attempts)).toEqual(committedMatrix())
})

test('every table is in the committed matrix, and nothing else is', async () => {
  expect((await allTables(client)).map(({ name }) => name)).toEqual(Object.keys(committedMatrix()))
})

describe('whatever the matrix says', () => {
  test('nobody reaches a row of another tenant, and nobody without claims reaches any', () => {
    expect(breaches(attempts)).toEqual([])
  })

  test('nobody deletes', () => {
    expect(
      attempts
        .filter(
          ({ verb, role, outcome }) => verb === 'delete' && role !== 'atum_owner' && outcome !== 'denied',
        )
        .map(named),
    ).toEqual([])
  })

  test.each(['atum_server', 'atum_operator', 'atum_anonymous'] as const)(
    '%s reaches nothing by itself',
    (role) => {
      expect(
        attempts.filter((attempt) => attempt.role === role && attempt.outcome !== 'denied').map(named),
      ).toEqual([])
    },
  )

  test('no request role reaches app_private', () => {
    expect(
      attempts
        .filter(
          ({ table, role, outcome }) =>
            table.startsWith('app_private.') && role !== 'atum_owner' && outcome !== 'denied',
        )
        .map(named),
    ).toEqual([])
  })

  test('the audit log is read by admins alone and written by nobody', () => {
    expect(
      attempts
        .filter(
          ({ table, role, outcome }) =>
            table === 'app_public.audit_log' && role !== 'atum_owner' && outcome === 'rows',
        )
        .map(named),
    ).toEqual(['atum_admin select app_public.audit_log of own: rows'])
  })

  test('the owner neither changes nor removes what was audited', () => {
    expect(
      attempts
        .filter(
          ({ table, role, scope, verb }) =>
            table === 'app_public.audit_log' && role === 'atum_owner' && scope === 'own' && verb !== 'select',
        )
        .map(({ verb, outcome }) => [verb, outcome]),
    ).toEqual([
      ['insert', 'rows'],
      ['update', 'AD401'],
      ['delete', 'AD401'],
    ])
  })
})

describe('the matrix shows', () => {
  const ticketsAfter = (change: string) =>
    rolledBack(client, async () => {
      await client.query(change)
      const tables = (await allTables(client)).filter(({ name }) => name === 'app_public.tickets')
      return tryEverything(client, tables, tenants)
    })

  test('nothing when nothing changed', async () => {
    expect(asMatrix(await ticketsAfter('select 1'))['app_public.tickets']).toEqual(
      committedMatrix()['app_public.tickets'],
    )
  })

  test.each([
    ['a dropped policy', 'drop policy select_staff on app_public.tickets'],
    [
      'a new policy',
      'create policy delete_staff on app_public.tickets for delete to atum_agent using (true); grant delete on app_public.tickets to atum_agent',
    ],
    ['a new grant', 'grant update (subject) on app_public.tickets to atum_customer'],
    ['a revoked grant', 'revoke select on app_public.tickets from atum_customer'],
  ])('%s', async (_name, change) => {
    expect(asMatrix(await ticketsAfter(change))['app_public.tickets']).not.toEqual(
      committedMatrix()['app_public.tickets'],
    )
  })

  test.each([
    ['row-level security switched off', 'alter table app_public.tickets disable row level security'],
    ['an owner that is not forced', 'alter table app_public.tickets no force row level security'],
    ['a policy for everybody', 'create policy select_all on app_public.tickets for select using (true)'],
    [
      'a policy that forgets the organization',
      'alter policy update_staff on app_public.tickets using (true); alter policy select_staff on app_public.tickets using (true)',
    ],
    [
      'a claim that may be missing',
      `alter policy select_staff on app_public.tickets
        using (organization_id = coalesce((select app_hidden.current_organization_id()), organization_id))`,
    ],
  ])('as a breach: %s', async (_name, change) => {
    expect(breaches(await ticketsAfter(change))).not.toEqual([])
  })
})
