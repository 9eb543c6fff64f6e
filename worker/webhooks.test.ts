import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { findProgram } from '../infra/dev/system-packages.ts'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { createEncryption, placeOf } from '../server/encryption.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'
import { type Receiver, startReceiver } from './webhooks/testing.ts'

const patience = { timeout: 15_000 }
const key = 'a-key-for-tests-that-has-32-bytes-and-more'
const withKey = { ATUM_ENCRYPTION_KEY: key }
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const { encrypt } = createEncryption([key])

let database: TestDatabase
let owner: Pool
let organizationId: string
let receiver: Receiver
const workers: TestWorker[] = []

const value = async <T>(sql: string, values: unknown[] = []): Promise<T> =>
  Object.values((await owner.query<Record<string, T>>(sql, values)).rows[0]!)[0]!

async function makeWebhook(url: string, allowInternal = true) {
  const id = await value<string>(
    `insert into app_public.webhooks (organization_id, name, url, allow_internal)
    values ($1, 'Hook ' || gen_random_uuid(), $2, true) returning id`,
    [organizationId, url],
  )
  // As one whose name came to lead inside after it was saved.
  if (!allowInternal) {
    await owner.query(
      `update app_public.webhooks set url = 'http://hooks.example.com', allow_internal = false where id = $1`,
      [id],
    )
  }
  await addSecret(id, secret)
  return id
}

const addSecret = (id: string, one: string, expires: string | null = null) =>
  owner.query(
    `insert into app_private.webhook_secrets (organization_id, webhook_id, sealed, expires_at) values ($1, $2, $3, now() + $4::interval)`,
    [organizationId, id, encrypt(one, placeOf.webhook(organizationId, id)), expires],
  )

/** Opens a ticket, which is two events: it is opened, and something is said. */
async function openTicket(subject: string) {
  const client = await owner.connect()
  try {
    await client.query('begin')
    await client.query(
      `insert into app_public.tickets (organization_id, subject, requester_id)
      select $1, $2, id from app_public.users where organization_id = $1`,
      [organizationId, subject],
    )
    // The first one is its description.
    for (const body of ['It is dark', 'Still dark']) {
      await client.query(
        `insert into app_public.comments (organization_id, ticket_id, author_id, body)
        select organization_id, id, requester_id, $2 from app_public.tickets where subject = $1`,
        [subject, body],
      )
    }
    await client.query('commit')
  } finally {
    client.release()
  }
}

const start = async (environment: Record<string, string> = withKey) => {
  const worker = await startWorker(database.workerUrl, environment)
  workers.push(worker)
  return worker
}
const states = async () =>
  (
    await owner.query<{ line: string }>(
      `select concat_ws(' ', ticket.subject, event_type, state) as line
      from app_public.webhook_deliveries as delivery join app_public.tickets as ticket on ticket.id = delivery.ticket_id
      order by delivery.created_at`,
    )
  ).rows.map(({ line }) => line)
const open = () =>
  value<number>(
    `select (select count(*) from app_public.webhook_deliveries where state = 'waiting')::int
      + (select count(*) from app_private.announcement_queue)::int`,
  )
const told = () =>
  receiver.calls.map(({ body }) => {
    const { type, data } = JSON.parse(body) as { type: string; data: { ticket: { subject: string } } }
    return `${data.ticket.subject} ${type}`
  })
/** What waits is due, and what was being made is lost. */
const letTimePass = async () => {
  await owner.query(
    `update app_public.webhook_deliveries set next_attempt_at = now(), claimed_until = claimed_until - interval '2 minutes' where state = 'waiting'`,
  )
  await owner.query(`select graphile_worker.add_job('sweep_webhooks')`)
}

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.ownerUrl, max: 4 })
  organizationId = await value<string>(`select app_private.create_organization('acme', 'Acme')`)
  await owner.query(
    `insert into app_public.users (organization_id, email, name) values ($1, 'customer@acme.example', 'Customer')`,
    [organizationId],
  )
})

beforeEach(async () => {
  receiver = await startReceiver()
})

afterEach(async () => {
  for (const worker of workers.splice(0))
    if (worker.process.exitCode === null && !worker.process.killed) await stopWorker(worker)
  await receiver.close()
  await owner.query('delete from app_public.webhooks; delete from app_private.announcement_queue')
})

afterAll(async () => {
  await owner.end()
  await database.drop()
})

test('two workers tell of each event once, signed, and of one ticket in the order in which it happened', async () => {
  const id = await makeWebhook(`${receiver.origin}/desk`)
  await addSecret(id, `whsec_${Buffer.alloc(32, 8).toString('base64')}`, '1 hour')
  const subjects = Array.from({ length: 20 }, (_, number) => `Ticket ${number}`)
  await Promise.all(subjects.map(openTicket))
  await Promise.all([start(), start()])
  await expect.poll(open, patience).toBe(0)

  expect(receiver.verified(secret)).toHaveLength(40)
  // While a secret takes over, receivers may check with the one before.
  expect(receiver.verified(`whsec_${Buffer.alloc(32, 8).toString('base64')}`)).toHaveLength(40)
  expect(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(40)
  for (const subject of subjects) {
    expect(told().filter((line) => line.startsWith(`${subject} `))).toEqual([
      `${subject} ticket.created`,
      `${subject} ticket.comment_added`,
    ])
  }
})

test('what fails is told again before what came after it, and holds up no other ticket', async () => {
  await makeWebhook(receiver.origin)
  let failures = 0
  receiver.onCall = ({ body }, response) => {
    const fails = body.includes('The unlucky one') && failures === 0
    if (fails) failures += 1
    response.writeHead(fails ? 500 : 204).end(fails ? 'not now' : undefined)
  }
  await openTicket('The unlucky one')
  await start()
  await expect.poll(() => failures, patience).toBe(1)
  await openTicket('Another one')
  await expect
    .poll(async () => (await states()).filter((line) => line.endsWith('delivered')), patience)
    .toEqual(['Another one ticket_created delivered', 'Another one comment_added delivered'])
  await letTimePass()
  await expect.poll(open, patience).toBe(0)
  expect(told().filter((line) => line.includes('unlucky'))).toEqual([
    'The unlucky one ticket.created',
    'The unlucky one ticket.created',
    'The unlucky one ticket.comment_added',
  ])
  const [first, again] = receiver.calls.filter(
    ({ body }) => body.includes('ticket.created') && body.includes('unlucky'),
  )
  expect([again!.body, again!.headers['webhook-id']]).toEqual([first!.body, first!.headers['webhook-id']])
  const { rows } = await owner.query(
    `select status, fault, response_body from app_public.webhook_attempts order by attempted_at limit 1`,
  )
  expect(rows).toEqual([{ status: 500, fault: 'response', response_body: 'not now' }])
})

test('what a worker was telling when it was killed is told again by the next one, under the same name', async () => {
  await makeWebhook(receiver.origin)
  receiver.onCall = () => {}
  await openTicket('The held one')
  const killed = await start()
  await expect.poll(() => receiver.calls.length, patience).toBe(1)
  killed.process.kill('SIGKILL')
  await killed.ended
  receiver.onCall = (_call, response) => void response.writeHead(204).end()
  await start()
  await letTimePass()
  await expect.poll(open, patience).toBe(0)
  expect(told()).toEqual([
    'The held one ticket.created',
    'The held one ticket.created',
    'The held one ticket.comment_added',
  ])
  expect(receiver.calls[1]!.headers['webhook-id']).toBe(receiver.calls[0]!.headers['webhook-id'])
  // The lost attempt is in the log as what it is.
  expect(
    await value<number>('select count(*)::int from app_public.webhook_attempts where ended_at is null'),
  ).toBe(1)
})

test('a worker without the key tells nobody and says why; one with another key does not either', async () => {
  await makeWebhook(receiver.origin)
  await openTicket('Unsigned')
  const faults = () =>
    value<string[]>(
      `select array_agg(error order by attempted_at) from app_public.webhook_attempts where fault = 'secret'`,
    )
  const keyless = await start({})
  expect(keyless.said()).toContain('there is no ATUM_ENCRYPTION_KEY')
  await expect.poll(faults, patience).toHaveLength(1)
  await stopWorker(keyless)
  await start({ ATUM_ENCRYPTION_KEY: 'another-key-for-tests-that-has-32-bytes' })
  await letTimePass()
  await expect.poll(faults, patience).toHaveLength(2)
  expect((await faults())[0]).toContain('ATUM_ENCRYPTION_KEY')
  expect((await faults())[1]).toContain('is not among ours')
  expect(receiver.calls).toEqual([])
})

test('an internal address is not called, whatever the database says, unless the webhook may', async () => {
  const id = await makeWebhook(receiver.origin, false)
  // Past the check at saving, as a name could be that leads inside.
  await owner.query('alter table app_public.webhooks disable trigger _200_refuse')
  await owner.query('update app_public.webhooks set url = $2 where id = $1', [
    id,
    `http://localhost:${receiver.port}/`,
  ])
  await owner.query('alter table app_public.webhooks enable trigger _200_refuse')
  await openTicket('Inside')
  await start()
  await expect
    .poll(
      () => value<string | null>('select min(last_fault::text) from app_public.webhook_deliveries'),
      patience,
    )
    .toBe('internal_address')
  expect(receiver.calls).toEqual([])

  await owner.query('update app_public.webhooks set allow_internal = true where id = $1', [id])
  await letTimePass()
  await expect.poll(open, patience).toBe(0)
  expect(told()).toEqual(['Inside ticket.created', 'Inside ticket.comment_added'])
})

const openssl = findProgram('openssl')

test.skipIf(!openssl)(
  'over TLS the name must be on the certificate, and somebody must vouch for it',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'atum-webhooks-'))
    const file = (name: string) => join(directory, name)
    execFileSync(
      openssl!,
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
        ...['-keyout', file('key.pem'), '-out', file('cert.pem')],
      ],
      { stdio: 'ignore' },
    )
    const secure = await startReceiver({
      key: readFileSync(file('key.pem'), 'utf8'),
      cert: readFileSync(file('cert.pem'), 'utf8'),
    })
    try {
      await makeWebhook(`https://localhost:${secure.port}/`)
      const wrongName = await makeWebhook(`https://127.0.0.1:${secure.port}/`)
      await openTicket('Secure')
      await start({ ...withKey, NODE_EXTRA_CA_CERTS: file('cert.pem') })
      await expect.poll(() => secure.calls.length, patience).toBe(2)
      const { body, headers } = secure.calls[0]!
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: 'ticket.created' })
      await expect
        .poll(
          () =>
            value<string | null>(
              'select last_fault::text from app_public.webhook_deliveries where webhook_id = $1 order by created_at limit 1',
              [wrongName],
            ),
          patience,
        )
        .toBe('tls')
    } finally {
      await secure.close()
      rmSync(directory, { recursive: true, force: true })
    }
  },
)
