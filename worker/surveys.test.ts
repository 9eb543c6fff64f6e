import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Tenant, twoTenants } from '../db/tests/support/fixture.ts'
import { asRoleForGood } from '../db/tests/support/session.ts'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

const patience = { timeout: 20_000, interval: 50 }
let database: TestDatabase
let client: Client
let acme: Tenant
const workers: TestWorker[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  client = new Client({ connectionString: database.superuserUrl })
  await client.connect()
  acme = (await twoTenants(client)).acme
  await client.query('delete from app_public.csat_surveys')
  await client.query('update app_public.csat_settings set is_enabled = true, delay_minutes = 0')
})

afterEach(async () => {
  await Promise.all(
    workers
      .splice(0)
      .filter(({ process }) => process.exitCode === null && process.signalCode === null)
      .map((worker) => stopWorker(worker)),
  )
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

async function start(count = 1): Promise<void> {
  workers.push(...(await Promise.all(Array.from({ length: count }, () => startWorker(database.workerUrl)))))
}

/** Opens as many tickets of a subject, and resolves them. */
async function resolve(subject: string, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    await asRoleForGood(client, acme.customer, () =>
      client.query(`select from app_public.create_ticket($1, 'Please')`, [subject]),
    )
  }
  await asRoleForGood(client, acme.agent, () =>
    client.query(`update app_public.tickets set status = 'resolved' where subject = $1`, [subject]),
  )
}

/** What became of the tickets of a subject: the state of the survey, how often it was sent and in how many mails. */
async function surveys(subject: string) {
  const { rows } = await client.query<{ state: string | null; sent: number; mails: number }>(
    `select survey.state,
      (select count(*)::int from app_public.ticket_events as event where event.ticket_id = ticket.id and event.type = 'survey_sent') as sent,
      (select count(*)::int from app_public.mail_messages as mail where mail.ticket_id = ticket.id and mail.kind = 'survey') as mails
    from app_public.tickets as ticket left join app_public.csat_surveys as survey on survey.ticket_id = ticket.id
    where ticket.subject = $1`,
    [subject],
  )
  return rows
}
const asked = { state: 'sent', sent: 1, mails: 1 }

test('two workers ask once about each of twenty tickets', async () => {
  await resolve('A flood', 20)
  await start(2)
  await expect.poll(() => surveys('A flood'), patience).toEqual(Array.from({ length: 20 }, () => asked))
})

test('a worker that is killed while it asks has asked nobody, and the next one asks once', async () => {
  await resolve('The held one', 1)
  const holder = new Client({ connectionString: database.superuserUrl })
  await holder.connect()
  try {
    // Nobody writes an event of this ticket for as long as this lasts; planning needs none, asking does.
    await holder.query('begin')
    await holder.query(`select from app_public.tickets where subject = 'The held one' for update`)
    await start()
    await expect
      .poll(
        async () =>
          (
            await client.query(
              `select from pg_stat_activity where datname = current_database() and application_name = 'atum-worker' and wait_event_type = 'Lock'`,
            )
          ).rowCount,
        patience,
      )
      .toBeGreaterThan(0)
    const [killed] = workers.splice(0)
    killed!.process.kill('SIGKILL')
    await killed!.ended
    await holder.query('rollback')
  } finally {
    await holder.end()
  }
  expect(await surveys('The held one')).not.toContainEqual(expect.objectContaining({ sent: 1 }))

  await client.query(
    `update app_public.csat_surveys set planned_for = now() - interval '2 minutes' where state = 'planned'`,
  )
  await client.query(`update app_private.announcement_queue set queued_at = now() - interval '3 minutes'`)
  await client.query(
    `update graphile_worker._private_jobs set locked_at = null, locked_by = null, run_at = now()`,
  )
  await client.query(`update graphile_worker._private_job_queues set locked_at = null, locked_by = null`)
  await start()
  await expect.poll(() => surveys('The held one'), patience).toEqual([asked])
})

test('what nobody answered in time is over', async () => {
  await resolve('The silent one', 1)
  await start()
  await expect.poll(() => surveys('The silent one'), patience).toEqual([asked])
  await client.query(
    `update app_public.csat_surveys set sent_at = now() - interval '15 days', expires_at = now() - interval '1 day' where state = 'sent'`,
  )
  await client.query(`select graphile_worker.add_job('sweep_surveys')`)
  await expect.poll(() => surveys('The silent one'), patience).toEqual([{ ...asked, state: 'expired' }])
})
