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

// A search looks among the newest tickets first, and decides by what is there how far to go.
test.each([
  ['in every text', 'restarting'],
  ['on every sixth ticket', 'printer'],
  ['on a few hundred', 'brabelant'],
  ['on a few', undefined],
])('a search finds the newest tickets with a word that is %s', async (_where, known) => {
  const { rows: named } = await client.query<{ word: string }>(
    `select split_part(subject, ' ', 2) as word from app_public.tickets where organization_id = $1 and subject like 'Invoice %'
     order by number limit 1`,
    [bench.organizationId],
  )
  const word = known ?? String(named[0]?.word)
  const { rows: expected } = await client.query<{ id: string }>(
    `select distinct on (ticket.number) ticket.id
     from app_public.tickets as ticket
     join app_hidden.ticket_documents as document
       on document.organization_id = ticket.organization_id and document.ticket_id = ticket.id
     where ticket.organization_id = $1 and document.words @@ plainto_tsquery('app_hidden.english', $2)
     order by ticket.number desc
     limit 200`,
    [bench.organizationId, word],
  )
  const found: string[] = []
  await client.query('begin')
  try {
    await client.query(
      `select set_config('role', 'atum_agent', true), set_config('atum.organization_id', $1, true), set_config('atum.user_id', $2, true)`,
      [bench.organizationId, bench.agentId],
    )
    for (let after: string | null = '0'; after !== null;) {
      const { rows }: { rows: { ids: string[]; next_cursor: string | null }[] } = await client.query(
        `select array(select ticket_id from unnest(page.matches)) as ids, page.next_cursor from app_public.search_tickets($1, 50, $2) as page`,
        [word, after],
      )
      found.push(...(rows[0]?.ids ?? []))
      after = rows[0]?.next_cursor ?? null
    }
  } finally {
    await client.query('rollback')
  }
  expect(expected.length).toBeGreaterThan(0)
  expect(found.toSorted()).toEqual(expected.map(({ id }) => id).toSorted())
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
