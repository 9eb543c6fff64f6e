import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

// Two workers on one queue, as they run in production.

let database: TestDatabase
let owner: Pool
let organizationId: string
let workers: TestWorker[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.ownerUrl, max: 4 })
  organizationId = await one<string>(`select app_private.create_organization('acme', 'Acme') as value`)
  await owner.query(
    `insert into app_public.users (organization_id, email, name) values ($1, 'customer@acme.example', 'Customer')`,
    [organizationId],
  )
})

afterAll(async () => {
  await Promise.all(workers.map(stopWorker))
  await owner.end()
  await database.drop()
})

async function one<T>(sql: string, values: unknown[] = []): Promise<T> {
  const { rows } = await owner.query<{ value: T }>(sql, values)
  return rows[0]!.value
}

/** Opens tickets; their identifiers. */
const open = async (count: number) =>
  (
    await owner.query<{ id: string }>(
      `insert into app_public.tickets (organization_id, subject, requester_id)
      select $1, 'The lift is stuck', id from app_public.users, generate_series(1, $2) where organization_id = $1 returning id`,
      [organizationId, count],
    )
  ).rows.map(({ id }) => id)

const eventsOf = async (ticketId: string) =>
  (
    await owner.query<{ type: string; created_at: Date; recorded_at: Date; actor_name: string | null }>(
      `select event.type::text, event.created_at, event.actor_name, log.recorded_at
      from app_public.ticket_events as event
      join app_public.audit_log as log on log.row_id = event.id
      where event.ticket_id = $1 and event.type in ('sla_breached', 'sla_warned', 'sla_escalated', 'priority_changed')
      order by event.created_at, event.type`,
      [ticketId],
    )
  ).rows

describe('two workers', () => {
  beforeAll(async () => {
    workers = await Promise.all([startWorker(database.workerUrl), startWorker(database.workerUrl)])
  })

  test('warn, breach and escalate within two seconds of each instant, once', async () => {
    await owner.query(
      `insert into app_public.sla_escalations (organization_id, policy_id, kind, offset_seconds, actions)
      select organization_id, id, 'resolution', level, actions
      from app_public.sla_policies, (values (-1, '[]'::jsonb), (1, '[{"type": "add_tags", "tags": ["late"]}]')) as given (level, actions)
      where organization_id = $1`,
      [organizationId],
    )
    const [ticketId] = await open(1)
    await owner.query(
      `update app_public.sla_calculations
      set started_at = clock_timestamp() - make_interval(secs => target_seconds) + interval '2 seconds', due_at = clock_timestamp() + interval '2 seconds'
      where ticket_id = $1 and kind = 'resolution'`,
      [ticketId],
    )
    // The sweeps, at the same time as the jobs.
    await owner.query(
      `select graphile_worker.add_job(task) from unnest('{sweep_sla_breaches, sweep_sla_escalations}'::text[]) as task, generate_series(1, 4)`,
    )
    await expect
      .poll(async () => (await eventsOf(ticketId!)).map(({ type }) => type), { timeout: 15_000 })
      .toEqual(['sla_warned', 'sla_breached', 'sla_escalated'])
    await owner.query(`select graphile_worker.add_job('sweep_sla_breaches', job_key => 'once more')`)
    await expect
      .poll(() => one(`select count(*)::integer as value from graphile_worker.jobs where key = 'once more'`))
      .toBe(0)
    const events = await eventsOf(ticketId!)
    expect(events.map(({ type, actor_name }) => `${type} ${actor_name}`)).toEqual([
      'sla_warned Standard',
      'sla_breached null',
      'sla_escalated Standard',
    ])
    for (const { created_at, recorded_at } of events) {
      expect(recorded_at.getTime()).toBeGreaterThanOrEqual(created_at.getTime())
      expect(recorded_at.getTime() - created_at.getTime()).toBeLessThan(2_000)
    }
    expect(await one(`select tags as value from app_public.tickets where id = $1`, [ticketId])).toEqual([
      'late',
    ])
  })

  test('count the open tickets again after a calendar was changed', async () => {
    await open(250)
    await owner.query(
      `update app_public.sla_calendars set hours = '{"mon": [["09:00", "17:00"]]}' where organization_id = $1`,
      [organizationId],
    )
    await expect
      .poll(
        () =>
          one(
            `select jsonb_build_array(total, done, finished_at is not null) as value from app_public.sla_recomputations order by created_at desc limit 1`,
          ),
        { timeout: 15_000 },
      )
      .toEqual([251, 251, true])
    expect(
      await one(
        `select count(*)::integer as value from app_public.sla_calculations
        where breached_at is null and due_at <> app_hidden.business_due_at('{"tz": "Etc/UTC", "hours": {"mon": [["09:00", "17:00"]]}}', started_at, target_seconds)`,
      ),
    ).toBe(0)
  })
})

test('after an outage of an hour every missed breach is recorded once by two workers, with its true instant', async () => {
  await owner.query(
    `update app_public.sla_calendars set hours = '"always_open"' where organization_id = $1`,
    [organizationId],
  )
  // Counted again before, or what is made overdue below would be counted anew and be in time.
  if (workers.length === 0) workers = [await startWorker(database.workerUrl)]
  await expect
    .poll(
      () =>
        one(`select count(*)::integer as value from app_public.sla_recomputations where finished_at is null`),
      { timeout: 20_000 },
    )
    .toBe(0)
  await Promise.all(workers.map(stopWorker))
  workers = []
  const tickets = await open(300)
  await owner.query('alter table app_public.sla_calculations disable trigger _900_schedule_on_update')
  await owner.query(
    `update app_public.sla_calculations set due_at = now() - interval '1 hour' * random()
    where ticket_id = any ($1) and kind = 'resolution'`,
    [tickets],
  )
  await owner.query('alter table app_public.sla_calculations enable trigger _900_schedule_on_update')
  await owner.query(`select graphile_worker.add_job('sweep_sla_breaches') from generate_series(1, 4)`)
  workers = await Promise.all([startWorker(database.workerUrl), startWorker(database.workerUrl)])
  const breaches = () =>
    one(
      `select jsonb_build_array(count(*), count(distinct event.ticket_id), count(*) filter (where event.created_at = clock.due_at and clock.breached_at = clock.due_at)) as value
      from app_public.ticket_events as event
      join app_public.sla_calculations as clock on clock.ticket_id = event.ticket_id and clock.kind = 'resolution'
      where event.type = 'sla_breached' and event.after ->> 'kind' = 'resolution' and event.ticket_id = any ($1)`,
      [tickets],
    )
  await expect.poll(breaches, { timeout: 60_000 }).toEqual([300, 300, 300])
  await expect
    .poll(() =>
      one(
        `select count(*)::integer as value from graphile_worker.jobs where task_identifier = 'sweep_sla_breaches'`,
      ),
    )
    .toBe(0)
  expect(await breaches()).toEqual([300, 300, 300])
}, 90_000)
