import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { ImapFlow } from 'imapflow'
import { Pool } from 'pg'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findProgram } from '../infra/dev/system-packages.ts'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { createEncryption, placeOf } from '../server/encryption.ts'
import { hasClamd, startClamd, type TestClamd } from './files/testing.ts'
import { type MailReceiver, startMailReceiver } from './mail/testing.ts'
import { type Dovecot, passwordOf, startDovecot } from './mail-in/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

/** Each brings a mail to fetch, a file to scan, a mail to send and a webhook to call. */
const letters = 250
const longestLifeMilliseconds = 6_000
const key = 'k'.repeat(48)
const secret = `whsec_${randomBytes(32).toString('base64')}`

const missing = [hasClamd ? null : 'clamd', findProgram('dovecot') ? null : 'dovecot'].filter(
  (name) => name !== null,
)

let database: TestDatabase
let owner: Pool
let organizationId: string
let dataDirectory: string
let clamd: TestClamd
let dovecot: Dovecot
let mailServer: MailReceiver
let hook: Server
/** What was called, by the id that stays the same when it is called again. */
const calls = new Map<string, { times: number; subject: string }>()
const forged: string[] = []

beforeAll(async () => {
  if (missing.length > 0) return
  ;[database, clamd, dovecot, mailServer] = await Promise.all([
    createTestDatabase(),
    startClamd(),
    startDovecot(),
    startMailReceiver(),
  ])
  hook = createServer((request, response) => {
    void readAll(request).then((body) => {
      try {
        const headers = request.headers as Record<string, string>
        const { data } = new Webhook(secret).verify(body, headers) as {
          data: { ticket: { subject: string } }
        }
        const id = headers['webhook-id']!
        calls.set(id, { times: (calls.get(id)?.times ?? 0) + 1, subject: data.ticket.subject })
        response.statusCode = 204
      } catch (error) {
        forged.push(String(error))
        response.statusCode = 400
      }
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(hook, 'listening')
  dataDirectory = mkdtempSync(join(tmpdir(), 'atum-killed-'))
  owner = new Pool({ connectionString: database.superuserUrl, max: 2 })
  organizationId = await value(`select app_private.create_organization('acme', 'Acme')`)
  await setUp()
})

afterAll(async () => {
  if (missing.length > 0) return
  worker?.process.kill('SIGKILL')
  await owner.end()
  hook.close()
  await Promise.all([clamd.close(), dovecot.close(), mailServer.close()])
  await database.drop()
  rmSync(dataDirectory, { recursive: true, force: true })
})

async function value<Value>(sql: string, values: unknown[] = []): Promise<Value> {
  const { rows } = await owner.query<Value[]>({ text: sql, values, rowMode: 'array' })
  return rows[0]![0] as Value
}

async function setUp(): Promise<void> {
  const encryption = createEncryption([key])
  const mailboxId = await value<string>(
    `insert into app_public.mailboxes (organization_id, name, address, host, port, security, username)
    values ($1, 'Support', 'support@desk.test', '127.0.0.1', $2, 'none', 'support') returning id`,
    [organizationId, dovecot.port],
  )
  await owner.query(
    'insert into app_private.mailbox_secrets (organization_id, mailbox_id, sealed) values ($1, $2, $3)',
    [
      organizationId,
      mailboxId,
      encryption.encrypt(
        JSON.stringify({ password: passwordOf('support') }),
        placeOf.mailbox(organizationId, mailboxId),
      ),
    ],
  )
  const webhookId = await value<string>(
    `insert into app_public.webhooks (organization_id, name, url, event_types, allow_internal)
    values ($1, 'Chat', $2, '{ticket_created}', true) returning id`,
    [organizationId, `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`],
  )
  await owner.query(
    'insert into app_private.webhook_secrets (organization_id, webhook_id, sealed) values ($1, $2, $3)',
    [organizationId, webhookId, encryption.encrypt(secret, placeOf.webhook(organizationId, webhookId))],
  )
}

const subjectOf = (number: number) => `Letter ${number}`
const contentOf = (number: number) => `The ${number}th lamp is red\n`.repeat(40)

const letter = (number: number) =>
  [
    `From: Customer ${number} <customer${number}@customer.test>`,
    'To: support@desk.test',
    `Subject: ${subjectOf(number)}`,
    `Message-ID: <letter-${number}@customer.test>`,
    `Date: ${new Date().toUTCString()}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=part',
    '',
    '--part',
    'Content-Type: text/plain; charset=utf-8',
    '',
    `This is letter ${number}.`,
    '--part',
    `Content-Type: text/plain; name=lamp-${number}.txt`,
    'Content-Disposition: attachment',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(contentOf(number)).toString('base64').replaceAll(/.{76}/g, '$&\r\n'),
    '--part--',
    '',
  ].join('\r\n')

async function deliverLetters(): Promise<void> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: dovecot.port,
    secure: false,
    auth: { user: 'support', pass: passwordOf('support') },
    logger: false,
    disableAutoIdle: true,
  })
  await client.connect()
  for (let number = 1; number <= letters; number += 1)
    await client.append('INBOX', Buffer.from(letter(number)))
  await client.logout()
}

/** The one that lives. */
let worker: TestWorker | undefined

const start = async (): Promise<TestWorker> =>
  (worker = await startWorker(database.workerUrl, {
    LOG_LEVEL: 'info',
    ATUM_DATA_DIR: dataDirectory,
    ATUM_ENCRYPTION_KEY: key,
    ATUM_MAIL_LEASE_SECONDS: '2',
    ATUM_PUBLIC_URL: 'http://desk.test',
    ATUM_MAIL_FROM: 'desk@desk.test',
    SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`,
    CLAMD_SOCKET: clamd.socket,
  }))

interface Progress {
  fetched: number
  scanned: number
  sent: number
  called: number
}

async function progress(): Promise<Progress> {
  const { rows } = await owner.query<Progress>(`
    select
      (select count(*)::int from app_public.incoming_mails where state = 'processed') as fetched,
      (select count(*)::int from app_public.stored_files where state = 'clean') as scanned,
      (select count(*)::int from app_public.mail_messages where state = 'sent') as sent,
      (select count(*)::int from app_public.webhook_deliveries where state = 'delivered') as called`)
  return rows[0]!
}

const isDone = (now: Progress) => Object.values(now).every((count) => count >= letters)

/** How often each of some things is there, as far as that is not once. */
const notOnce = (things: readonly string[], expected: readonly string[]) => {
  const counts = new Map(expected.map((thing) => [thing, 0]))
  for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1)
  return [...counts].filter(([, count]) => count !== 1)
}

test('workers that are killed at any instant lose nothing, and do nothing twice that is told of once', async (context) => {
  if (missing.length > 0) context.skip(`there is no ${missing.join(' and no ')}`)
  await deliverLetters()

  const lives: number[] = []
  let now: Progress
  for (;;) {
    const worker = await start()
    const life = randomInt(longestLifeMilliseconds)
    const hasFinished = await Promise.race([delay(life, false), finished(worker)])
    worker.process.kill('SIGKILL')
    await worker.ended
    now = await progress()
    if (hasFinished || isDone(now)) break
    lives.push(life)
  }
  // One that is let live ends what is left of the queue.
  const last = await start()
  await expect
    .poll(
      async () =>
        (
          await owner.query(
            `select task_identifier, attempts, locked_by, run_at, last_error from graphile_worker.jobs
            where task_identifier in
              ('process_incoming_mail', 'scan_file', 'place_file', 'send_mail', 'deliver_webhook', 'announce_ticket_events')`,
          )
        ).rows,
      // One that was killed before its first heartbeat is missed after 30 seconds.
      { timeout: 60_000, interval: 250 },
    )
    .toEqual([])
  await stopWorker(last)

  const numbers = Array.from({ length: letters }, (_, index) => index + 1)
  const subjects = numbers.map(subjectOf)
  const column = async (sql: string) =>
    (await owner.query<string[]>({ text: sql, rowMode: 'array' })).rows.map(([first]) => first!)

  expect(notOnce(await column('select subject from app_public.tickets'), subjects)).toEqual([])
  expect(notOnce(await column('select subject from app_public.incoming_mails'), subjects)).toEqual([])
  expect(
    notOnce(
      await column(`
        select ticket.subject from app_public.comments as comment
        join app_public.tickets as ticket on ticket.id = comment.ticket_id
        where comment.body like 'This is letter%'`),
      subjects,
    ),
  ).toEqual([])

  const hashes = numbers.map((number) => createHash('sha256').update(contentOf(number)).digest('hex'))
  expect(notOnce(await column('select sha256 from app_public.attachments'), hashes)).toEqual([])
  expect(
    notOnce(await column(`select sha256 from app_public.stored_files where state = 'clean'`), hashes),
  ).toEqual([])
  const uploads = globSync('uploads/*/*/*', { cwd: dataDirectory })
  expect(
    notOnce(
      uploads.map((path) => path.split('/').at(-1)!),
      hashes,
    ),
  ).toEqual([])
  for (const path of uploads) {
    const content = readFileSync(join(dataDirectory, path))
    expect(path.endsWith(createHash('sha256').update(content).digest('hex'))).toBe(true)
  }
  expect(globSync('quarantine/*/*', { cwd: dataDirectory })).toEqual([])

  expect(
    notOnce(
      await column(`
        select ticket.subject from app_public.webhook_deliveries as delivery
        join app_public.tickets as ticket on ticket.id = delivery.ticket_id
        where delivery.state = 'delivered'`),
      subjects,
    ),
  ).toEqual([])
  expect(
    notOnce(
      [...calls.values()].map(({ subject }) => subject),
      subjects,
    ),
  ).toEqual([])
  expect(forged).toEqual([])

  // The domain is the sender's, which the database does not know.
  const sent = await column(
    `select replace(message_id, '@desk.invalid', '@desk.test') from app_public.mail_messages where state = 'sent'`,
  )
  expect(sent).toHaveLength(letters)
  const received = mailServer.taken.map(({ headers }) => headers.get('message-id')!)
  expect(new Set(received)).toEqual(new Set(sent))
  expect(await value('select count(*)::int from app_public.mail_messages')).toBe(letters)

  console.log(
    `${lives.length} workers were killed after ${lives.join(', ')} ms. Of ${letters} letters: ` +
      `${subjects.length} tickets, ${hashes.length} files scanned, ` +
      `${sent.length} mails sent (${received.length} taken by the mail server), ` +
      `${calls.size} webhooks called (${[...calls.values()].reduce((sum, { times }) => sum + times, 0)} calls).`,
  )
  expect(lives.length).toBeGreaterThan(3)
}, 300_000)

/** Settles when everything is done while a worker lives. */
async function finished(worker: TestWorker): Promise<boolean> {
  while (worker.process.exitCode === null && worker.process.signalCode === null) {
    if (isDone(await progress())) return true
    await delay(250)
  }
  return false
}
