import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker } from './testing.ts'

const patience = { timeout: 20_000 }
let database: TestDatabase
let owner: Pool
let organizationId: string

const value = async <T>(sql: string, values: unknown[] = []): Promise<T> =>
  Object.values((await owner.query<Record<string, T>>(sql, values)).rows[0]!)[0]!

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.ownerUrl, max: 2 })
  organizationId = await value<string>(`select app_private.create_organization('acme', 'Acme')`)
  await owner.query(
    `insert into app_public.users (organization_id, email, name, role) values
      ($1, 'agent@acme.example', 'Agent', 'agent'), ($1, 'customer@acme.example', 'Customer', 'customer')`,
    [organizationId],
  )
})

afterAll(async () => {
  await owner.end()
  await database.drop()
})

test('what happened is told, its mail of the day comes once however often the job runs, and the old is forgotten', async () => {
  const ticketId = await value<string>(
    `with ticket as (
      insert into app_public.tickets (organization_id, subject, requester_id, assignee_id)
      select $1, 'No network', customer.id, agent.id
      from app_public.users as customer, app_public.users as agent
      where customer.name = 'Customer' and agent.name = 'Agent'
      returning *
    )
    insert into app_public.comments (organization_id, ticket_id, author_id, body)
    select organization_id, id, requester_id, subject from ticket returning ticket_id`,
    [organizationId],
  )
  await owner.query(
    `insert into app_public.comments (organization_id, ticket_id, visibility, body) values ($1, $2, 'internal', 'A note')`,
    [organizationId, ticketId],
  )
  const worker = await startWorker(database.workerUrl)
  const notes = `from app_public.notifications where kind = 'note' and mail = 'digest'`
  await expect.poll(() => value(`select count(*)::int ${notes}`), patience).toBe(1)

  await owner.query(`update app_public.notifications set created_at = now() - interval '1 day'`)
  const digests = `select count(*)::int from app_public.mail_messages where kind = 'digest' and to_address = 'agent@acme.example'`
  await owner.query(`select graphile_worker.add_job('write_digests') from generate_series(1, 3)`)
  await expect.poll(() => value(digests), patience).toBe(1)

  await owner.query(
    `update app_public.notifications set created_at = now() - interval '91 days' where kind = 'note'`,
  )
  await owner.query(`select graphile_worker.add_job('remove_old_notifications')`)
  await expect.poll(() => value(`select count(*)::int ${notes}`), patience).toBe(0)
  await expect
    .poll(
      () => value(`select count(*)::int from graphile_worker.jobs where task_identifier = 'write_digests'`),
      patience,
    )
    .toBe(0)
  await stopWorker(worker)
  expect(await value(digests)).toBe(1)
})
