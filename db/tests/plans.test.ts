import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { explainAll, hotStatements, plansOf, tablesReadWhole } from '../../bench/explain.ts'
import { type BenchOrganization, fillVolume } from '../../bench/volume.ts'
import { createTestDatabase, type TestDatabase } from '../../infra/dev/testing.ts'

// What a desk asks all day must not read a table from beginning to end, which is what grows with everybody's tickets.
const tickets = 10_000

let database: TestDatabase
let client: Client
let bench: BenchOrganization

beforeAll(async () => {
  database = await createTestDatabase()
  bench = await fillVolume(database.superuserUrl, tickets, () => {}, { comments: 1 })
  client = new Client({ connectionString: database.superuserUrl })
  await client.connect()
  await explainAll(client)
}, 120_000)

afterAll(async () => {
  await client.end()
  await database.drop()
})

describe('no tenant table is read whole', () => {
  test.each(hotStatements.map((statement) => [statement.name, statement] as const))(
    'by %s',
    async (_name, statement) => {
      const plans = await plansOf(client, statement, bench)
      expect(plans.length).toBeGreaterThan(0)
      expect(tablesReadWhole(plans)).toEqual([])
    },
  )
})

test('what reads a table whole is seen', async () => {
  const plans = await plansOf(
    client,
    {
      name: 'all',
      role: 'atum_agent',
      sql: 'set local enable_indexscan = off; set local enable_bitmapscan = off; select count(*) from app_public.tickets',
    },
    bench,
  )
  // Without indexes, Postgres 16 reads the people that a policy asks for whole as well.
  expect(tablesReadWhole(plans)).toContain('tickets')
})
