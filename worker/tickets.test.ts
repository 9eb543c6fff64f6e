import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Tenant, twoTenants } from '../db/tests/support/fixture.ts'
import { asRoleForGood } from '../db/tests/support/session.ts'
import { createTicket } from '../db/tests/support/tickets.ts'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

let database: TestDatabase
let superuser: Client
let listener: Client
let worker: TestWorker
let acme: Tenant
let globex: Tenant

beforeAll(async () => {
  database = await createTestDatabase()
  superuser = new Client({ connectionString: database.superuserUrl })
  listener = new Client({ connectionString: database.superuserUrl })
  await Promise.all([superuser.connect(), listener.connect()])
  const tenants = await twoTenants(superuser)
  acme = tenants.acme
  globex = tenants.globex
  worker = await startWorker(database.workerUrl)
})

afterAll(async () => {
  await stopWorker(worker)
  await Promise.all([superuser.end(), listener.end()])
  await database.drop()
})

/** Waits until something was done and an event of a ticket was announced. */
async function untilHeard(event: string, ticketId: string, work: () => Promise<unknown>) {
  await listener.query(`listen "ticket:${ticketId}:staff"`)
  const heard = new Promise<void>((resolve) => {
    listener.on('notification', ({ payload }) => {
      const said = JSON.parse(payload!) as { event: string; ticketId: string }
      if (said.event === event && said.ticketId === ticketId) resolve()
    })
  })
  await work()
  await heard
  await listener.query('unlisten *')
  listener.removeAllListeners('notification')
}

const ticketOf = (tenant: Tenant) =>
  asRoleForGood(superuser, tenant.customer, () => createTicket(superuser)).then(({ id }) => id)

const change = (tenant: Tenant, ticketId: string, assignment: string) =>
  asRoleForGood(superuser, tenant.agent, () =>
    superuser.query(`update app_public.tickets set ${assignment} where id = $1`, [ticketId]),
  )

const columns = async (ticketId: string) => {
  const { rows } = await superuser.query<Record<string, unknown>>(
    `select status, snoozed_until from app_public.tickets where id = $1`,
    [ticketId],
  )
  return rows[0]!
}

test('a snoozed ticket wakes at its instant', async () => {
  const ticketId = await ticketOf(acme)
  await untilHeard('snooze_ended', ticketId, () =>
    change(acme, ticketId, `snoozed_until = clock_timestamp() + interval '1 second'`),
  )
  expect(await columns(ticketId)).toMatchObject({ snoozed_until: null })
  const { rows } = await superuser.query<{ late: number; actor_id: string | null }>(
    `select extract(epoch from created_at - (before ->> 'snoozed_until')::timestamptz)::float as late, actor_id
    from app_public.ticket_events where ticket_id = $1 and type = 'snooze_ended'`,
    [ticketId],
  )
  expect(rows).toHaveLength(1)
  expect(rows[0]!.actor_id).toBeNull()
  expect(rows[0]!.late).toBeGreaterThanOrEqual(0)
  expect(rows[0]!.late).toBeLessThan(3)
})

test('one that was put off wakes at the later instant, by one job', async () => {
  const ticketId = await ticketOf(acme)
  await change(acme, ticketId, `snoozed_until = clock_timestamp() + interval '1 hour'`)
  await change(acme, ticketId, `snoozed_until = clock_timestamp() + interval '2 hours'`)
  const { rows } = await superuser.query(
    `select round(extract(epoch from run_at - now()) / 3600) as hours
    from graphile_worker.jobs where key = 'wake_ticket:' || $1`,
    [ticketId],
  )
  expect(rows).toEqual([{ hours: '2' }])
})

test('the sweep wakes what was due while no worker ran, in each organization', async () => {
  for (const tenant of [acme, globex]) {
    const ticketId = await ticketOf(tenant)
    await change(tenant, ticketId, `snoozed_until = clock_timestamp() + interval '1 hour'`)
    await superuser.query(`delete from graphile_worker._private_jobs where key = 'wake_ticket:' || $1`, [
      ticketId,
    ])
    await superuser.query(
      `begin; set local session_replication_role = replica;
      update app_public.tickets set snoozed_until = now() - interval '1 minute' where id = '${ticketId}'; commit`,
    )
    await untilHeard('snooze_ended', ticketId, () =>
      superuser.query(`select graphile_worker.add_job('sweep_snoozed_tickets')`),
    )
    expect(await columns(ticketId)).toMatchObject({ snoozed_until: null })
  }
})

test('the sweep closes a resolved ticket about which nobody said a word for long enough', async () => {
  const [silent, fresh] = [await ticketOf(acme), await ticketOf(acme)]
  for (const ticketId of [silent, fresh]) await change(acme, ticketId, `status = 'resolved'`)
  await superuser.query(
    `begin; set local session_replication_role = replica;
    update app_public.tickets set resolved_at = now() - interval '8 days', last_comment_at = now() - interval '9 days'
    where id = '${silent}'; commit`,
  )
  await untilHeard('status_changed', silent, () =>
    superuser.query(`select graphile_worker.add_job('sweep_silent_tickets')`),
  )
  expect(await columns(silent)).toMatchObject({ status: 'closed' })
  expect(await columns(fresh)).toMatchObject({ status: 'resolved' })
  const { rows } = await superuser.query(
    `select actor_id, actor_name from app_public.ticket_events where ticket_id = $1 and after ->> 'status' = 'closed'`,
    [silent],
  )
  expect(rows).toEqual([{ actor_id: null, actor_name: 'Auto-close' }])
})
