import { Client, Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker } from './testing.ts'

let database: TestDatabase
let owner: Pool

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.superuserUrl, max: 4 })
})

afterAll(async () => {
  await owner.end()
  await database.drop()
})

const value = async <Value>(sql: string, values: unknown[] = []) => {
  const { rows } = await owner.query<{ value: Value }>(sql, values)
  return rows[0]!.value
}

/** What a job of this key is locked under. */
const lockOf = (key: string) =>
  value<string | null>('select locked_by as value from graphile_worker._private_jobs where key = $1', [key])

test('a job of a worker that is silent is freed, one of a worker that beats is not', async () => {
  const jobs = [
    { key: 'of a ghost', name: 'ghost', age: '31 seconds' },
    { key: 'of one that has just begun', name: 'newcomer', age: '1 second' },
    { key: 'of one that beats', name: 'busy', age: '1 hour' },
    { key: 'of one that fell silent', name: 'silent', age: '1 hour' },
  ]
  for (const { key, name, age } of jobs) {
    await owner.query(
      `select graphile_worker.add_job('sweep_throttles', run_at => now() + '1 year', job_key => $1)`,
      [key],
    )
    await owner.query(
      'update graphile_worker._private_jobs set locked_by = $2, locked_at = now() - $3::interval where key = $1',
      [key, name, age],
    )
  }
  await owner.query(`select app_private.record_heartbeat('one', now(), '{busy}')`)
  await owner.query(`select app_private.record_heartbeat('two', now(), '{silent}')`)
  await owner.query(
    `update app_private.worker_heartbeats set seen_at = now() - interval '31 seconds' where worker_id = 'two'`,
  )
  await owner.query(`select app_private.record_heartbeat('one', now(), '{busy}')`)
  expect(await Promise.all(jobs.map(({ key }) => lockOf(key)))).toEqual([null, 'newcomer', 'busy', null])
})

test('a job that was replaced while a worker was at it goes when that worker is lost', async () => {
  const add = () =>
    owner.query(
      `select graphile_worker.add_job('sweep_throttles', run_at => now() + '1 year', job_key => 'replaced')`,
    )
  await add()
  await owner.query(
    `update graphile_worker._private_jobs set locked_by = 'gone', locked_at = now() - interval '1 minute' where key = 'replaced'`,
  )
  await add()
  const replaced = () =>
    value<number>(`select count(*)::int as value from graphile_worker._private_jobs where key is null`)
  expect(await replaced()).toBe(1)
  await owner.query(`select app_private.record_heartbeat('one', now(), '{busy}')`)
  expect(await replaced()).toBe(0)
  expect(await lockOf('replaced')).toBe(null)
})

test('a job that a worker of this machine was killed over is done by the next one at once', async () => {
  const organizationId = await value<string>(
    `select app_private.create_organization('acme', 'Acme') as value`,
  )
  await owner.query(
    `insert into app_public.users (organization_id, email, name) values ($1, 'c@acme.example', 'C')`,
    [organizationId],
  )
  const ticketId = await value<string>(
    `insert into app_public.tickets (organization_id, subject, requester_id)
    select $1, 'The lift is stuck', id from app_public.users where organization_id = $1 returning id as value`,
    [organizationId],
  )
  const key = `announce_ticket_events:${ticketId}`
  // What the job waits for, once it runs.
  const holder = new Client({ connectionString: database.superuserUrl })
  await holder.connect()
  await holder.query(`select pg_advisory_lock(hashtextextended('announce:' || $1, 0))`, [ticketId])

  const worker = await startWorker(database.workerUrl)
  await expect.poll(() => lockOf(key), { timeout: 15_000 }).toEqual(expect.any(String))
  worker.process.kill('SIGKILL')
  await worker.ended
  await holder.end()
  expect(await lockOf(key)).toEqual(expect.any(String))

  const next = await startWorker(database.workerUrl)
  try {
    await expect
      .poll(
        () =>
          value<number>(`select count(*)::int as value from graphile_worker._private_jobs where key = $1`, [
            key,
          ]),
        {
          timeout: 15_000,
        },
      )
      .toBe(0)
    expect(next.said()).toContain('its jobs are free again')
  } finally {
    await stopWorker(next)
  }
})

test('a worker that was stopped is not missed by the next one', async () => {
  const known = () => value<number>('select count(*)::int as value from app_private.worker_heartbeats')
  await owner.query('delete from app_private.worker_heartbeats')
  const worker = await startWorker(database.workerUrl)
  await expect.poll(known).toBe(1)
  expect(await stopWorker(worker)).toEqual([0, null])
  expect(await known()).toBe(0)
  const next = await startWorker(database.workerUrl)
  await stopWorker(next)
  expect(next.said()).not.toContain('ended without a word')
})
