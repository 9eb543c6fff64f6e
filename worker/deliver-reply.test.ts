import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Tenant, twoTenants } from '../db/tests/support/fixture.ts'
import { asRoleForGood } from '../db/tests/support/session.ts'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

let database: TestDatabase
let client: Client
let acme: Tenant
const workers: TestWorker[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  client = new Client({ connectionString: database.superuserUrl })
  await client.connect()
  acme = (await twoTenants(client)).acme
  await client.query('update app_public.ticket_settings set undo_send_seconds = 1')
})

afterEach(async () => {
  await Promise.all(
    workers
      .splice(0)
      .filter((worker) => worker.process.exitCode === null)
      .map((worker) => stopWorker(worker)),
  )
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

async function start(count = 1): Promise<TestWorker[]> {
  const started = await Promise.all(Array.from({ length: count }, () => startWorker(database.workerUrl)))
  workers.push(...started)
  return started
}

const send = (body: string) =>
  asRoleForGood(client, acme.agent, async () => {
    const { rows } = await client.query<{ outgoing_reply_id: string; send_at: Date }>(
      'select outgoing_reply_id, send_at from app_public.send_reply($1, $2)',
      [acme.ticketId, body],
    )
    return rows[0]!
  })

/** The comments that begin with a word, by whom and how long after a moment. */
async function said(word: string) {
  const { rows } = await client.query<{ body: string; author_id: string; created_at: Date }>(
    'select body, author_id, created_at from app_public.comments where ticket_id = $1 and starts_with(body, $2) order by body',
    [acme.ticketId, word],
  )
  return rows
}
const outgoing = async (word: string) =>
  (await client.query('select from app_public.outgoing_replies where starts_with(body, $1)', [word])).rowCount

test('a reply leaves when its time is over, in the name of its author, and not before', async () => {
  await start()
  const { send_at } = await send('Alone')
  await expect.poll(() => said('Alone'), { timeout: 10_000 }).toHaveLength(1)
  const [comment] = await said('Alone')
  expect(comment?.author_id).toBe(acme.agent.userId)
  const late = comment!.created_at.getTime() - send_at.getTime()
  expect(late).toBeGreaterThanOrEqual(0)
  expect(late).toBeLessThan(3_000)
  expect(await outgoing('Alone')).toBe(0)
})

test('one that was taken back does not leave', async () => {
  await start()
  const { outgoing_reply_id } = await send('Back')
  await asRoleForGood(client, acme.agent, () =>
    client.query('select app_public.undo_send($1)', [outgoing_reply_id]),
  )
  // Its job runs all the same, and finds nothing.
  await expect
    .poll(
      async () =>
        (
          await client.query(`select from graphile_worker.jobs where key = 'deliver_reply:' || $1`, [
            outgoing_reply_id,
          ])
        ).rowCount,
      { timeout: 10_000 },
    )
    .toBe(0)
  expect(await said('Back')).toEqual([])
})

test('each leaves exactly once with two workers, of which one is killed, and a sweep at the same moment', async () => {
  const bodies = Array.from({ length: 30 }, (_, index) => `Many ${String(index).padStart(2, '0')}`)
  for (const body of bodies) await send(body)
  const [killed] = await start(2)
  await client.query(`select graphile_worker.add_job('sweep_outgoing_replies')`)
  while ((await said('Many')).length === 0) await delay(5)
  killed!.process.kill('SIGKILL')
  await killed!.ended
  await expect
    .poll(
      async () => {
        // What the dead one had locked as a job stays with it for hours; the sweep of the next minute has it before.
        await client.query(`select graphile_worker.add_job('sweep_outgoing_replies')`)
        return outgoing('Many')
      },
      { timeout: 20_000, interval: 500 },
    )
    .toBe(0)
  expect((await said('Many')).map(({ body }) => body)).toEqual(bodies)
})

test('what was missed while no worker ran leaves with the first sweep', async () => {
  const { outgoing_reply_id } = await send('Missed')
  await client.query(`select graphile_worker.remove_job('deliver_reply:' || $1)`, [outgoing_reply_id])
  await client.query(
    `update app_public.outgoing_replies set send_at = now() - interval '1 hour' where id = $1`,
    [outgoing_reply_id],
  )
  await start()
  await client.query(`select graphile_worker.add_job('sweep_outgoing_replies')`)
  await expect.poll(() => said('Missed'), { timeout: 10_000 }).toHaveLength(1)
})
