import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Tenant, twoTenants } from '../../db/tests/support/fixture.ts'
import { createTestDatabase, type TestDatabase } from '../../infra/dev/testing.ts'
import { startWorker, stopWorker } from '../testing.ts'
import { expected } from './fixtures/expected.ts'
import { MailStore } from './mail-store.ts'
import { readMail } from './parse-mail.ts'

const directory = join(import.meta.dirname, 'fixtures')
const names = readdirSync(directory)
  .filter((file) => file.endsWith('.eml'))
  .map((file) => file.slice(0, -'.eml'.length))
const sourceOf = (name: string) => readFileSync(join(directory, `${name}.eml`))
/** The mail of ours that the fixtures answer and return. */
const ours = '0190b1c2-0000-7000-8000-000000000001'
const reference = `<${ours}.0123456789abcdef@desk.test>`

test('there are many, and it is said of each what comes out', () => {
  expect(names.length).toBeGreaterThan(40)
  expect(Object.keys(expected).sort()).toEqual(names.sort())
})

describe('what is read', () => {
  test.each(names)('of %s', async (name) => {
    const wanted = expected[name]!
    const { facts, files } = await readMail(sourceOf(name))
    expect(facts.kind).toBe(wanted.kind ?? 'person')
    expect(facts.from?.address).toBe('from' in wanted ? wanted.from : 'paula@customer.test')
    if (facts.from) expect(facts.from.name).toBe(wanted.name ?? 'Paula Kern')
    expect(facts.subject.slice(0, wanted.subject.length || undefined)).toBe(wanted.subject)
    expect(facts.text.length > 300 ? facts.text.slice(0, wanted.text.length) : facts.text).toBe(wanted.text)
    expect(facts.quoted?.split('\n').find((line) => line.trim())).toBe(wanted.quoted)
    expect(files.map((file) => file.name)).toEqual(wanted.files ?? [])
    expect(facts.html !== undefined).toBe(wanted.html ?? false)
    // Nothing that Postgres would not keep.
    expect(JSON.stringify(facts)).not.toContain(String.raw`\u0000`)
  })
})

describe('of particular mails', () => {
  const read = async (name: string) => readMail(sourceOf(name))

  test('what could act or be fetched is no part of what is shown', async () => {
    const { html } = (await read('script-in-html')).facts
    expect(html).toContain('<p data-style="color:red">Hello')
    expect(html).not.toMatch(
      /script|evil|onerror|onload|javascript|iframe|form|svg|style=".*(url|position)|href|src/i,
    )
  })

  test('images that came with it are named, and those that would be fetched are not', async () => {
    const { facts, files } = await read('inline-images')
    expect(facts.html).toContain('data-cid="image001.png@01DB3F5B"')
    expect(facts.html).not.toContain('track.test/p.gif')
    expect(facts.html).toContain('href="https://track.test/c?u=1" rel="noopener noreferrer nofollow"')
    expect(files).toMatchObject([{ contentId: 'image001.png@01DB3F5B', claimedContentType: 'image/png' }])
  })

  test('what does not fit into a comment comes whole as a file', async () => {
    const { facts, files } = await read('very-long-lines')
    expect(Buffer.byteLength(facts.text)).toBeLessThan(65_536)
    expect(facts.text.endsWith('[…]')).toBe(true)
    expect(files[0]!.content.toString()).toContain('The end.')
    expect(files[0]!.content.length).toBeGreaterThan(100_000)
  })

  test.each([
    ['bounce-dsn', true, 'nobody@customer.test 5.1.1 550 5.1.1 <nobody@customer.test>: User unknown'],
    ['bounce-delayed', false, 'nobody@customer.test 4.4.1 connect to mx.customer.test: timed out'],
    ['bounce-plain', true, '550 5.1.1 The email account that you tried to reach does not exist.'],
    ['complaint-arf', true, 'paula@customer.test abuse'],
  ])('%s says which mail of ours it is about', async (name, isFinal, detail) => {
    expect((await read(name)).facts.report).toEqual({ messageIds: [reference], isFinal, detail })
  })

  test('groups are who is in them', async () => {
    const { facts } = await read('group-addresses')
    expect(facts.recipients).toEqual([
      'agent@acme.test',
      'paula@customer.test',
      'support+k3j5h2@desk.test',
      'support@desk.test',
    ])
    expect(facts.copied).not.toContain('support@desk.test')
  })

  test('a mail without a date or a name has none, and one of the future has its own', async () => {
    expect((await read('no-date')).facts.sentAt).toBeUndefined()
    expect((await read('no-message-id')).facts.messageId).toBeUndefined()
    expect((await read('future-date')).facts.sentAt).toBe('2035-01-01T00:00:00.000Z')
  })

  test('what a desk of our kind says of itself is told', async () => {
    expect((await read('own-loop')).facts.desk).toBe('acme/ATUM-1042')
    // Of the mail that is returned, and not of the one that returns it.
    expect((await read('bounce-dsn')).facts.desk).toBeUndefined()
  })
})

describe('what becomes of them', () => {
  let database: TestDatabase
  let client: Client
  let acme: Tenant
  let dataDirectory: string
  const outcomes = new Map<string, { line: string; id: string; commentId: string | null }>()

  beforeAll(async () => {
    database = await createTestDatabase()
    client = new Client({ connectionString: database.superuserUrl })
    await client.connect()
    ;({ acme } = await twoTenants(client))
    dataDirectory = mkdtempSync(join(tmpdir(), 'atum-fixtures-'))
    const ticketId = await prepare()
    const ids = await storeAll()
    const worker = await startWorker(database.workerUrl, {
      ATUM_DATA_DIR: dataDirectory,
      ATTACHMENT_SCANNER: 'off',
    })
    try {
      await vi.waitFor(
        async () => {
          const { rowCount } = await client.query(
            `select from app_public.incoming_mails where state = 'stored'`,
          )
          expect(rowCount).toBe(0)
        },
        { timeout: 60_000, interval: 100 },
      )
    } finally {
      await stopWorker(worker)
    }
    for (const [name, id] of ids) {
      const { rows } = await client.query<{
        state: string
        reason: string | null
        detail: string | null
        ticket_id: string | null
        comment_id: string | null
      }>('select * from app_public.incoming_mails where id = $1', [id])
      const { state, reason, detail, ticket_id, comment_id } = rows[0]!
      const what =
        state !== 'processed' ? state : ticket_id === ticketId ? (reason ? 'note' : 'answer') : 'new'
      outcomes.set(name, {
        line: [what, reason, state === 'failed' ? detail : null].filter(Boolean).join(' '),
        id,
        commentId: comment_id,
      })
    }
  }, 120_000)

  afterAll(async () => {
    await client.end()
    await database.drop()
    rmSync(dataDirectory, { recursive: true, force: true })
  })

  /** Paula, her open ticket, and the mail that we wrote her about it. */
  async function prepare(): Promise<string> {
    await client.query('begin')
    await client.query('set local session_replication_role = replica')
    const { rows } = await client.query<{ id: string }>(
      `with paula as (
        insert into app_public.users (organization_id, email, name, role) values ($1, 'paula@customer.test', 'Paula Kern', 'customer')
        returning id
      )
      update app_public.tickets as ticket set requester_id = paula.id, number = 1042, reference = 'ATUM-1042', status = 'open', state_id = state.id,
        resolved_at = null, closed_at = null
      from paula, app_public.ticket_states as state
      where ticket.id = $2 and state.organization_id = $1 and state.kind = 'open' and state.is_default
      returning ticket.id`,
      [acme.organizationId, acme.ticketId],
    )
    await client.query(
      `insert into app_public.mail_messages
        (organization_id, id, kind, dedupe_key, user_id, to_address, ticket_id, subject, text_body, html_body, message_id, state, sent_at)
      select organization_id, $2, 'reply', 'ours', requester_id, 'paula@customer.test', id, 'Re', 'Re', 'Re', $3, 'sent', now()
      from app_public.tickets where id = $1`,
      [rows[0]!.id, ours, reference],
    )
    await client.query('update app_private.ticket_counters set last_number = 2000')
    await client.query('commit')
    return rows[0]!.id
  }

  async function storeAll(): Promise<Map<string, string>> {
    const store = new MailStore(dataDirectory)
    const ids = new Map<string, string>()
    const { rows } = await client.query<{ id: string }>(
      'select id from app_public.mailboxes where organization_id = $1',
      [acme.organizationId],
    )
    await client.query('begin')
    await client.query(`select set_config('atum.organization_id', $1, true)`, [acme.organizationId])
    for (const [at, name] of names.entries()) {
      const sha256 = await store.keep(acme.organizationId, sourceOf(name))
      const answer = await client.query<{ id: string }>(
        'select app_private.store_incoming_mail($1, $2) as id',
        [rows[0]!.id, JSON.stringify({ folder: 'INBOX', uidValidity: '1', uid: at + 100, sha256, size: 1 })],
      )
      ids.set(name, answer.rows[0]!.id)
    }
    // Nobody writes so much within an hour.
    await client.query(
      `update app_public.incoming_mails set created_at = now() - interval '2 hours' where state = 'stored'`,
    )
    await client.query('commit')
    return ids
  }

  test.each(names)('of %s', (name) => {
    expect(outcomes.get(name)!.line).toBe(expected[name]!.becomes)
  })

  test('files are on the comment under names that are safe, and their bytes where they are served', async () => {
    for (const name of names) {
      const { files } = expected[name]!
      const { commentId } = outcomes.get(name)!
      if (!files || !commentId) continue
      const { rows } = await client.query<{ name: string; state: string; sha256: string }>(
        'select name, state, sha256 from app_public.attachments where comment_id = $1',
        [commentId],
      )
      expect([name, rows.length]).toEqual([name, files.length])
      for (const file of rows) {
        expect(file.state).toBe('unscanned')
        expect(file.name).not.toMatch(/[/\\\p{Cc}]/u)
        expect(
          readdirSync(join(dataDirectory, 'uploads', acme.organizationId, file.sha256.slice(0, 2))),
        ).toContain(file.sha256)
      }
    }
  })

  test('our mail is known to have come back', async () => {
    const { rows } = await client.query<{ state: string }>(
      'select state from app_public.mail_messages where id = $1',
      [ours],
    )
    expect(rows[0]!.state).toMatch(/^(bounced|complained)$/)
  })

  test('nothing was left on its way', () => {
    expect(readdirSync(join(dataDirectory, 'incoming'))).toEqual([])
  })
})
