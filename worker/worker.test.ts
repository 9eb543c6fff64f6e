import { Client, Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { readEnvironment } from './env.ts'
import { startWorker, type TestWorker } from './testing.ts'

let database: TestDatabase
let owner: Pool
let listener: Client
let acme: string
let globex: string

/** The events of every ticket, as they are announced. */
const announced: { event: string; ticketId: string }[] = []
const waiting = new Set<() => void>()

async function announcement(event: string, ticketId: string): Promise<void> {
  while (!announced.some((one) => one.event === event && one.ticketId === ticketId)) {
    await new Promise<void>((resolve) => waiting.add(resolve))
    waiting.clear()
  }
}

function only<Row>({ rows }: { rows: Row[] }): Row {
  const [row] = rows
  if (row === undefined || rows.length > 1) throw new Error(`one row was expected, there are ${rows.length}`)
  return row
}

async function makeOrganization(slug: string): Promise<string> {
  const { id } = only(
    await owner.query<{ id: string }>('select app_private.create_organization($1, $1) as id', [slug]),
  )
  await owner.query(
    `insert into app_public.users (organization_id, email, name) values ($1, 'customer@' || $2 || '.example', 'Customer')`,
    [id, slug],
  )
  return id
}

async function openTicket(organizationId: string): Promise<string> {
  const client = await owner.connect()
  try {
    await client.query('begin')
    await client.query(`select set_config('atum.organization_id', $1, true)`, [organizationId])
    const row = only(
      await client.query<{ id: string }>(
        `insert into app_public.tickets (organization_id, subject, requester_id)
       select $1, 'The lift is stuck', id from app_public.users where organization_id = $1
       returning id`,
        [organizationId],
      ),
    )
    await client.query('commit')
    return row.id
  } finally {
    client.release()
  }
}

const scheduleDue = (ticketId: string, interval: string) =>
  owner.query(
    `update app_public.sla_calculations set due_at = clock_timestamp() + $2::interval
     where ticket_id = $1 and kind = 'resolution'`,
    [ticketId, interval],
  )

const resolutionOf = async (ticketId: string) =>
  only(
    await owner.query<{ due_at: Date; breached_at: Date | null; recorded_at: Date }>(
      `select clock.due_at, clock.breached_at, log.recorded_at
       from app_public.sla_calculations as clock
       join app_public.audit_log as log on log.row_id = clock.id and log.after ? 'breached_at'
       where clock.ticket_id = $1 and clock.kind = 'resolution'
       order by log.seq desc limit 1`,
      [ticketId],
    ),
  )

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.ownerUrl, max: 3 })
  acme = await makeOrganization('acme')
  globex = await makeOrganization('globex')
  listener = new Client({ connectionString: database.ownerUrl })
  await listener.connect()
  listener.on('notification', ({ payload }) => {
    announced.push(JSON.parse(payload ?? ''))
    for (const wake of waiting) wake()
  })
  for (const id of [acme, globex]) await listener.query(`listen "inbox:${id}"`)
})

afterAll(async () => {
  await listener.end()
  await owner.end()
  await database.drop()
})

describe('what is refused', () => {
  test('an environment without a database, or with nonsense in it', () => {
    expect(() => readEnvironment({})).toThrow('DATABASE_URL')
    expect(() => readEnvironment({ DATABASE_URL: 'postgres://x', ATUM_WORKER_CONCURRENCY: '0' })).toThrow(
      'CONCURRENCY',
    )
    expect(() => readEnvironment({ DATABASE_URL: 'postgres://x', LOG_LEVEL: 'loud' })).toThrow('LOG_LEVEL')
  })

  test('a mail server without what mails need, and without repeating its password', () => {
    const complete = {
      DATABASE_URL: 'postgres://x',
      SMTP_URL: 'smtps://desk:hunter2@mail.example.com',
      ATUM_MAIL_FROM: 'ATUM Desk <desk@example.com>',
      ATUM_PUBLIC_URL: 'https://desk.example.com/, https://other.example.com',
    }
    expect(readEnvironment(complete).mail).toEqual({
      smtpUrl: complete.SMTP_URL,
      from: complete.ATUM_MAIL_FROM,
      publicOrigin: 'https://desk.example.com',
    })
    expect(readEnvironment({ ...complete, SMTP_URL: '' }).mail).toBeUndefined()
    for (const [name, values] of Object.entries({
      SMTP_URL: ['desk:hunter2@mail.example.com', 'http://desk:hunter2@mail.example.com', 'smtp://'],
      ATUM_MAIL_FROM: ['', 'desk', 'a@b.example, c@d.example', 'Desk <desk@example.com>\r\nBcc: x@y.example'],
      ATUM_PUBLIC_URL: ['', 'desk.example.com', 'javascript:alert(1)'],
    })) {
      for (const value of values) {
        expect(() => readEnvironment({ ...complete, [name]: value })).toThrow(name)
        expect(() => readEnvironment({ ...complete, [name]: value })).not.toThrow('hunter2')
      }
    }
  })

  test('a key that is too short, without repeating it; none is no fault', () => {
    const complete = {
      DATABASE_URL: 'postgres://x',
      ATUM_ENCRYPTION_KEY: `${'y'.repeat(32)}\n${'z'.repeat(32)}`,
    }
    expect(readEnvironment(complete).encryptionKeys).toEqual(['y'.repeat(32), 'z'.repeat(32)])
    expect(readEnvironment({ ...complete, ATUM_ENCRYPTION_KEY: ' ' }).encryptionKeys).toBeUndefined()
    const short = { ...complete, ATUM_ENCRYPTION_KEY: `${'y'.repeat(32)} hunter2` }
    expect(() => readEnvironment(short)).toThrow('ATUM_ENCRYPTION_KEY')
    expect(() => readEnvironment(short)).not.toThrow('hunter2')
  })

  test('a job without an organization, on the way in', async () => {
    await expect(owner.query(`select app_private.enqueue('record_sla_breach', null)`)).rejects.toMatchObject({
      code: 'AD301',
    })
  })
})

describe('a running worker', () => {
  let worker: TestWorker

  beforeAll(async () => {
    worker = await startWorker(database.workerUrl)
  })

  afterAll(async () => {
    worker.process.kill('SIGTERM')
    expect(await worker.ended).toEqual([0, null])
  })

  test('refuses a job that came in another way without an organization', async () => {
    for (const payload of ['{}', '{"organizationId": null}', '{"organizationId": "acme"}']) {
      const row = only(
        await owner.query<{ id: string }>(
          `select id from graphile_worker.add_job('record_sla_breach', $1::text::json, max_attempts => 1, job_key => $1::text)`,
          [payload],
        ),
      )
      await expect
        .poll(
          async () =>
            (await owner.query('select last_error from graphile_worker.jobs where id = $1', [row.id])).rows[0]
              ?.last_error,
          { timeout: 10_000 },
        )
        .toContain('has no organization and is refused')
    }
  })

  test('cannot touch a clock of another organization than its job names', async () => {
    const ticketId = await openTicket(globex)
    await owner.query(`alter table app_public.sla_calculations disable trigger _900_schedule_on_update`)
    await scheduleDue(ticketId, '-1 hour')
    await owner.query(`alter table app_public.sla_calculations enable trigger _900_schedule_on_update`)
    const row = only(
      await owner.query<{ id: string }>(
        `select id from app_public.sla_calculations where ticket_id = $1 and kind = 'resolution'`,
        [ticketId],
      ),
    )
    await owner.query(
      `select app_private.enqueue('record_sla_breach', $1, jsonb_build_object('slaCalculationId', $2::text), job_key => 'forged')`,
      [acme, row.id],
    )
    await expect
      .poll(async () => (await owner.query(`select from graphile_worker.jobs where key = 'forged'`)).rowCount)
      .toBe(0)
    const { rows: clocks } = await owner.query(
      'select breached_at from app_public.sla_calculations where id = $1',
      [row.id],
    )
    expect(clocks).toEqual([{ breached_at: null }])
  })

  test('records a breach within two seconds of the instant it was due, with that instant', async () => {
    const ticketId = await openTicket(acme)
    await scheduleDue(ticketId, '1.5 seconds')
    await announcement('sla_breached', ticketId)
    const { due_at, breached_at, recorded_at } = await resolutionOf(ticketId)
    expect(breached_at).toEqual(due_at)
    expect(recorded_at.getTime() - due_at.getTime()).toBeGreaterThanOrEqual(0)
    expect(recorded_at.getTime() - due_at.getTime()).toBeLessThan(2_000)
  })

  test('forgets what slows nobody down any more', async () => {
    await owner.query(
      `insert into app_private.login_failures (key, failures, failed_at)
       values ('pair:old', 9, now() - interval '2 days'), ('pair:new', 9, now())`,
    )
    await owner.query(`select graphile_worker.add_job('sweep_throttles')`)
    await expect
      .poll(async () => (await owner.query('select key from app_private.login_failures order by key')).rows, {
        timeout: 10_000,
      })
      .toEqual([{ key: 'pair:new' }])
  })

  test('says that it is alive', async () => {
    await expect
      .poll(
        async () =>
          (await owner.query("select app_private.last_heartbeat_at() > now() - interval '1 minute' as alive"))
            .rows,
      )
      .toEqual([{ alive: true }])
  })
})

test('after an outage the sweep records every missed breach, in each organization, with its true instant', async () => {
  const tickets = await Promise.all([acme, globex].map(openTicket))
  await owner.query(`alter table app_public.sla_calculations disable trigger _900_schedule_on_update`)
  for (const ticketId of tickets) await scheduleDue(ticketId, '-1 hour')
  await owner.query(`alter table app_public.sla_calculations enable trigger _900_schedule_on_update`)

  const worker = await startWorker(database.workerUrl)
  await owner.query(`select graphile_worker.add_job('sweep_sla_breaches')`)
  for (const ticketId of tickets) {
    await announcement('sla_breached', ticketId)
    const { due_at, breached_at } = await resolutionOf(ticketId)
    expect(breached_at).toEqual(due_at)
  }
  worker.process.kill('SIGTERM')
  await worker.ended
})
