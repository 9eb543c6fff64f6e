import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Tenant, twoTenants } from '../db/tests/support/fixture.ts'
import { asRole } from '../db/tests/support/session.ts'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

let database: TestDatabase
let superuser: Client
let worker: TestWorker
let acme: Tenant
let globex: Tenant

beforeAll(async () => {
  database = await createTestDatabase()
  superuser = new Client({ connectionString: database.superuserUrl })
  await superuser.connect()
  const tenants = await twoTenants(superuser)
  acme = tenants.acme
  globex = tenants.globex
  worker = await startWorker(database.workerUrl)
})

afterAll(async () => {
  await stopWorker(worker)
  await superuser.end()
  await database.drop()
})

/** The tickets that an agent finds. */
const found = (tenant: Tenant, query: string) =>
  asRole(superuser, tenant.agent, async () => {
    const { rows } = await superuser.query<{ id: string }>(
      'select match.ticket_id as id from app_public.search_tickets($1) as search, unnest(search.matches) as match',
      [query],
    )
    return rows.map(({ id }) => id)
  })

test('tickets are found by the new name of their requester, once a worker was there', async () => {
  await superuser.query(`update app_public.users set name = 'Ottilie Quast' where id = $1`, [
    acme.customer.userId,
  ])
  await expect.poll(() => found(acme, 'quast'), { timeout: 10_000 }).toEqual([acme.ticketId])
  expect(await found(globex, 'quast')).toEqual([])
})
