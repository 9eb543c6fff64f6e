import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker } from './testing.ts'

const patience = { timeout: 20_000 }
let database: TestDatabase
let owner: Pool
/** Sees what the sessions of others wait for. */
let superuser: Pool
let organizationId: string

const value = async <T>(sql: string, values: unknown[] = []): Promise<T> =>
  Object.values((await owner.query<Record<string, T>>(sql, values)).rows[0]!)[0]!

const makeAutomation = (
  name: string,
  kind: string,
  eventTypes: string,
  conditions: object,
  actions: object,
) =>
  owner.query(
    `insert into app_public.automations (organization_id, name, kind, position, event_types, conditions, actions)
    values ($1, $2, $3, 1, $4, $5, $6)`,
    [organizationId, name, kind, eventTypes, JSON.stringify(conditions), JSON.stringify(actions)],
  )

const openTicket = (subject: string) =>
  value<string>(
    `with ticket as (
      insert into app_public.tickets (organization_id, subject, requester_id)
      select $1, $2, id from app_public.users where organization_id = $1 returning *
    )
    insert into app_public.comments (organization_id, ticket_id, author_id, body)
    select organization_id, id, requester_id, subject from ticket returning ticket_id`,
    [organizationId, subject],
  )

/** How often each ticket of a subject was acted on, and how often it says so. */
const acts = async (subject: string) =>
  (
    await owner.query<{ acted: number; comments: number }>(
      `select
        (select count(*)::int from app_public.automation_firings as firing where firing.ticket_id = ticket.id and outcome = 'acted') as acted,
        (select count(*)::int from app_public.comments as comment where comment.ticket_id = ticket.id and author_id is null) as comments
      from app_public.tickets as ticket where subject = $1`,
      [subject],
    )
  ).rows

const waiting = () => value<number>('select count(*)::int from app_private.automation_queue')

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.ownerUrl, max: 4 })
  superuser = new Pool({ connectionString: database.superuserUrl, max: 1 })
  organizationId = await value<string>(`select app_private.create_organization('acme', 'Acme')`)
  await owner.query(
    `insert into app_public.users (organization_id, email, name) values ($1, 'customer@acme.example', 'Customer')`,
    [organizationId],
  )
  await makeAutomation('Greet', 'event', '{ticket_created}', {}, [
    { type: 'comment', visibility: 'internal', body: 'Welcome' },
  ])
})

afterAll(async () => {
  await owner.end()
  await superuser.end()
  await database.drop()
})

test('two workers on one queue answer each of a hundred tickets once', async () => {
  await Promise.all(Array.from({ length: 100 }, () => openTicket('A flood')))
  const workers = await Promise.all([startWorker(database.workerUrl), startWorker(database.workerUrl)])
  await expect.poll(waiting, patience).toBe(0)
  for (const worker of workers) await stopWorker(worker)
  expect(await acts('A flood')).toEqual(Array.from({ length: 100 }, () => ({ acted: 1, comments: 1 })))
})

test('what a worker was at when it was killed is done by the next one, once', async () => {
  const ticketId = await openTicket('The held one')
  const holder = await owner.connect()
  await holder.query('begin')
  // Who only refers to the ticket, as a notification does, does not wait.
  await holder.query('select from app_public.tickets where id = $1 for no key update', [ticketId])
  const killed = await startWorker(database.workerUrl)
  // It has taken the job and waits for the ticket.
  await expect
    .poll(
      async () =>
        (
          await superuser.query(
            `select from pg_stat_activity
            where datname = current_database() and application_name = 'atum-worker' and wait_event_type = 'Lock'`,
          )
        ).rowCount,
      patience,
    )
    .toBe(1)
  killed.process.kill('SIGKILL')
  await killed.ended
  await holder.query('rollback')
  holder.release()
  expect(await acts('The held one')).toEqual([{ acted: 0, comments: 0 }])

  await owner.query(`update app_private.automation_queue set queued_at = now() - interval '2 minutes'`)
  const next = await startWorker(database.workerUrl)
  await owner.query(`select graphile_worker.add_job('sweep_automations')`)
  await expect.poll(waiting, patience).toBe(0)
  await stopWorker(next)
  expect(await acts('The held one')).toEqual([{ acted: 1, comments: 1 }])
})

test('the sweep finds what time has brought', async () => {
  const ticketId = await openTicket('An old one')
  await makeAutomation(
    'Raise what waits',
    'time',
    '{}',
    { all: [{ field: 'subject', operator: 'contains', value: 'old one' }] },
    [{ type: 'set_priority', priority: 'urgent' }],
  )
  const worker = await startWorker(database.workerUrl)
  await owner.query(`select graphile_worker.add_job('sweep_automations')`)
  await expect
    .poll(() => value('select priority from app_public.tickets where id = $1', [ticketId]), patience)
    .toBe('urgent')
  await stopWorker(worker)
})
