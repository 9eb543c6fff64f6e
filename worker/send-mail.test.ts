import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { canMakeCertificate, makeCertificate } from './mail/testing/certificate.ts'
import { type MailDoor, type MailReceiver, refusal, startMailReceiver } from './mail/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

const patience = { timeout: 15_000, interval: 50 }
const dataDirectory = mkdtempSync(join(tmpdir(), 'atum-send-mail-'))

let database: TestDatabase
let owner: Pool
let organizationId: string
let customerId: string
let agentId: string
let receiver: MailReceiver
const workers: TestWorker[] = []

async function rows<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await owner.query<Row>(sql, values)).rows
}

async function one<Row extends object>(sql: string, values: unknown[] = []): Promise<Row> {
  const [row, ...more] = await rows<Row>(sql, values)
  if (row === undefined || more.length > 0) throw new Error('one row was expected')
  return row
}

/** Does something inside the organization, for somebody or for the system. */
async function inside<Row extends object>(
  sql: string,
  values: unknown[] = [],
  userId = '',
  role = 'atum_owner',
): Promise<Row> {
  const client = await owner.connect()
  try {
    await client.query('begin')
    await client.query(
      `select set_config('atum.organization_id', $1, true), set_config('atum.user_id', $2, true), set_config('role', $3, true)`,
      [organizationId, userId, role],
    )
    const { rows } = await client.query<Row>(sql, values)
    await client.query('commit')
    return rows[0]!
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

const openTicket = async (subject = 'The lamp flickers') =>
  (
    await inside<{ id: string }>(
      `select id from app_public.create_ticket($1, 'Since eight')`,
      [subject],
      customerId,
      'atum_customer',
    )
  ).id

/** Writes a mail to the customer, and returns its row id. */
async function write(
  fact: { ticketId?: string; commentId?: string; kind?: string; to?: string } = {},
): Promise<string> {
  const ticketId = fact.ticketId ?? (await openTicket())
  const { id } = await inside<{ id: string }>(
    `select app_private.write_mail($1, $2, recipient, ticket, comment) as id
    from app_public.users as recipient
    join app_public.tickets as ticket on ticket.id = $4
    left join app_public.comments as comment on comment.id = $5
    where recipient.id = $3`,
    [fact.kind ?? 'resolution', randomUUID(), fact.to ?? customerId, ticketId, fact.commentId ?? null],
  )
  return id
}

interface Row {
  state: string
  attempts: number
  last_error: string | null
  send_at: Date
}
const mailOf = (id: string) =>
  one<Row>('select state, attempts, last_error, send_at from app_public.mail_messages where id = $1', [id])
const stateOf = async (id: string) => (await mailOf(id)).state
const historyOf = async (id: string) =>
  (
    await rows<{ line: string }>(
      `select concat_ws(' ', outcome, code) as line from app_public.mail_attempts where mail_id = $1 order by created_at, id`,
      [id],
    )
  ).map(({ line }) => line)
const takenOf = (id: string) =>
  receiver.taken.filter(({ headers }) => headers.get('message-id')?.includes(id))
const shownOf = (id: string) =>
  receiver.shown.filter(({ headers }) => headers.get('message-id')?.includes(id))

/** Has a mail that waits for its next attempt tried now. */
const bringForward = (id: string) =>
  inside(
    `with brought as (
      update app_public.mail_messages set send_at = now(), claimed_until = null where id = $1 returning organization_id, id
    )
    select app_private.enqueue_mail(organization_id, id) from brought`,
    [id],
  )

async function mailing(environment: Record<string, string> = {}): Promise<TestWorker> {
  const worker = await startWorker(database.workerUrl, {
    SMTP_URL: `smtp://127.0.0.1:${receiver.port}`,
    ATUM_MAIL_FROM: 'desk@example.com',
    ATUM_PUBLIC_URL: 'https://desk.example',
    ATUM_DATA_DIR: dataDirectory,
    ...environment,
  })
  workers.push(worker)
  return worker
}

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.superuserUrl, max: 4 })
  owner.on('connect', (client) => client.on('error', () => {}))
  organizationId = (
    await one<{ id: string }>(
      `select app_private.create_organization('acme', 'Acme & Söhne', ticket_prefix => 'LAMP') as id`,
    )
  ).id
  const person = async (email: string, name: string, role: string) =>
    (
      await one<{ id: string }>(
        'insert into app_public.users (organization_id, email, name, role) values ($1, $2, $3, $4) returning id',
        [organizationId, email, name, role],
      )
    ).id
  customerId = await person('jürgen@acme.example'.replace('ü', 'ue'), 'Jürgen Groß', 'customer')
  agentId = await person('grace@acme.example', 'Grace Hopper', 'agent')
  await one(
    `insert into app_public.mailboxes (organization_id, name, address, host, username, is_default)
    values ($1, 'Hilfe & Söhne', 'help@acme.example', 'imap.acme.example', 'help', true) returning id`,
    [organizationId],
  )
})

afterAll(async () => {
  await owner.end()
  await database.drop()
  rmSync(dataDirectory, { recursive: true, force: true })
})

const receive = async (door?: MailDoor) => {
  receiver = await startMailReceiver(door)
}
beforeEach(() => receive())

afterEach(async () => {
  for (const worker of workers.splice(0)) await stopWorker(worker)
  await receiver.close()
})

describe('a mail', () => {
  test('is taken: from the mailbox, answered to a token, and with no transaction open meanwhile', async () => {
    const ticketId = await openTicket('Die Lämpchen flackern')
    const { id: commentId } = await inside<{ id: string }>(
      'select id from app_public.add_comment($1, $2)',
      [ticketId, 'Eine lose Klemme – jetzt ist sie fest.'],
      agentId,
      'atum_agent',
    )
    const id = await write({ ticketId, commentId, kind: 'reply' })
    let wasFree = false
    receiver.onMail = async ({ headers }) => {
      if (!headers.get('message-id')!.includes(id)) return
      // Refused while a transaction that took the mail is open.
      await rows('select from app_public.mail_messages where id = $1 for update nowait', [id])
      wasFree = true
    }
    const worker = await mailing()
    await expect.poll(() => stateOf(id), patience).toBe('sent')
    expect(wasFree).toBe(true)
    expect(await historyOf(id)).toEqual(['sent 250'])

    const [mail, ...more] = takenOf(id)
    expect(more).toEqual([])
    expect(mail!.sender).toBe('help@acme.example')
    expect(mail!.recipients).toEqual(['juergen@acme.example'])
    const headers = Object.fromEntries(mail!.headers)
    expect(headers).toMatchObject({
      from: 'Hilfe & Söhne <help@acme.example>',
      to: 'Jürgen Groß <juergen@acme.example>',
      subject: expect.stringMatching(/^\[LAMP-\d+\] Die Lämpchen flackern$/) as string,
      'x-atum-desk': expect.stringMatching(/^acme\/LAMP-\d+$/) as string,
    })
    // Written by a person.
    expect(headers).not.toHaveProperty('auto-submitted')
    const token = /<help\+([0-9a-f]{32})@acme\.example>$/.exec(headers['reply-to']!)![1]!
    expect(mail!.text).toContain('Eine lose Klemme – jetzt ist sie fest.')
    expect(mail!.text.split('\n')[0]).toBe('##- Please write your answer above this line -##')
    expect(mail!.html).toContain('Eine lose Klemme – jetzt ist sie fest.')
    expect(mail!.source.split('\r\n\r\n')[0]).toMatch(/^[\x20-\x7e\r\n\t]*$/)

    expect(JSON.stringify(await rows('select * from app_public.mail_messages'))).not.toContain(token)
    expect(JSON.stringify(await rows('select * from app_public.audit_log'))).not.toContain(token)
    expect(worker.said()).not.toContain(token)
  })

  test('answers those before it', async () => {
    const ticketId = await openTicket()
    const ids = [
      await write({ ticketId, kind: 'acknowledgement' }),
      await write({ ticketId }),
      await write({ ticketId }),
    ]
    await mailing()
    for (const id of ids) await expect.poll(() => stateOf(id), patience).toBe('sent')
    const [first, second, third] = ids.map((id) => takenOf(id)[0]!.headers)
    // What the announcement of the ticket wrote may be between them.
    const before = (headers: typeof first) => (headers!.get('references') ?? '').split(' ')
    expect(first!.get('auto-submitted')).toBe('auto-replied')
    expect(second!.get('auto-submitted')).toBe('auto-generated')
    expect(before(second)).toContain(first!.get('message-id'))
    expect(before(third)).toEqual(
      expect.arrayContaining([first!.get('message-id')!, second!.get('message-id')!]),
    )
    expect(third!.get('in-reply-to')).toBe(before(third).at(-1))
  })

  test('that is not taken for now comes again, with the same name', async () => {
    const id = await write()
    let tries = 0
    receiver.onMail = (mail) => {
      if (!mail.headers.get('message-id')!.includes(id)) return
      tries += 1
      // It quotes what it was shown, as some filters do.
      if (tries === 1) throw refusal(451, `Come back later with ${mail.headers.get('reply-to')}`)
    }
    await mailing()
    await expect.poll(async () => (await mailOf(id)).attempts, patience).toBe(1)
    const waiting = await mailOf(id)
    expect(waiting.state).toBe('waiting')
    expect(waiting.last_error).toContain('Come back later')
    expect(waiting.last_error).not.toMatch(/[0-9a-f]{32}/)
    // In a while, and not at once.
    expect(waiting.send_at.getTime()).toBeGreaterThan(Date.now() + 10_000)

    await bringForward(id)
    await expect.poll(() => stateOf(id), patience).toBe('sent')
    expect(await historyOf(id)).toEqual(['deferred 451', 'sent 250'])
    const [first, second] = shownOf(id)
    expect(second!.headers.get('message-id')).toBe(first!.headers.get('message-id'))
    expect(second!.headers.get('reply-to')).not.toBe(first!.headers.get('reply-to'))
  })

  test('that is refused for good is given up at once, and the ticket and the admins hear of it', async () => {
    const ticketId = await openTicket()
    const id = await write({ ticketId })
    receiver.onRecipient = (address) => {
      if (address.startsWith('juergen')) throw refusal(550, 'No such mailbox')
    }
    await mailing()
    await expect.poll(() => stateOf(id), patience).toBe('failed')
    expect(await historyOf(id)).toEqual(['refused 550'])
    expect(
      await rows(
        `select visibility, actor_name, after ->> 'outcome' as outcome, after ->> 'name' as name
        from app_public.ticket_events where type = 'mail_failed' and after ->> 'mail_id' = $1`,
        [id],
      ),
    ).toEqual([{ visibility: 'internal', actor_name: 'Mail', outcome: 'refused', name: 'Jürgen Groß' }])
  })

  test('that was tried for a day is given up', async () => {
    const id = await write()
    await rows(`update app_public.mail_messages set give_up_at = now() where id = $1`, [id])
    receiver.onMail = () => {
      throw refusal(451, 'Never')
    }
    await mailing()
    await expect.poll(() => stateOf(id), patience).toBe('failed')
    expect(await historyOf(id)).toEqual(['deferred 451'])
  })

  test('whose connection breaks in the middle is not lost', async () => {
    const id = await write()
    let breaks = true
    receiver.onMail = (mail) => {
      if (breaks && mail.headers.get('message-id')!.includes(id)) receiver.hangUp()
    }
    await mailing()
    await expect.poll(() => historyOf(id), patience).toEqual(['deferred'])
    breaks = false
    await bringForward(id)
    await expect.poll(() => stateOf(id), patience).toBe('sent')
  })

  test('lets no name and no subject add a header or a recipient', async () => {
    const { id: eveId } = await one<{ id: string }>(
      `insert into app_public.users (organization_id, email, name) values ($1, 'eve@acme.example', $2) returning id`,
      [organizationId, 'Eve\r\nBcc: evil@example.com\r\n\r\n<h1>Hello</h1>'],
    )
    const { id: ticketId } = await inside<{ id: string }>(
      'select id from app_public.create_ticket($1, $2)',
      ['Lamps\u2028Bcc: evil@example.com', 'x\r\n.\r\nMAIL FROM:<evil@example.com>'],
      eveId,
      'atum_customer',
    )
    const id = await write({ ticketId, to: eveId })
    await mailing()
    await expect.poll(() => stateOf(id), patience).toBe('sent')
    const [mail] = takenOf(id)
    expect(mail!.recipients).toEqual(['eve@acme.example'])
    expect(mail!.headers.has('bcc')).toBe(false)
    expect(mail!.html).not.toContain('<h1>')
    expect(receiver.shown.some(({ sender }) => sender.includes('evil'))).toBe(false)
  })
})

describe('files', () => {
  const content = Buffer.from('Wie man eine Lampe wechselt: behutsam.\n')
  const sha256 = createHash('sha256').update(content).digest('hex')
  const directory = join(dataDirectory, 'uploads')

  const withFile = async (name: string) => {
    const ticketId = await openTicket()
    const { id: commentId } = await inside<{ id: string }>(
      `select id from app_public.add_comment($1, 'See the file')`,
      [ticketId],
      agentId,
      'atum_agent',
    )
    await rows(
      `insert into app_public.stored_files (organization_id, sha256, size, content_type, state) values ($1, $2, $3, 'text/plain', 'clean')
      on conflict do nothing`,
      [organizationId, sha256, content.length],
    )
    await rows(
      `insert into app_public.attachments (organization_id, ticket_id, comment_id, name, sha256, size, content_type, state)
      values ($1, $2, $3, $4, $5, $6, 'text/plain', 'clean')`,
      [organizationId, ticketId, commentId, name, sha256, content.length],
    )
    return write({ ticketId, commentId, kind: 'reply' })
  }

  test('go with it, byte for byte; one that is not on the disk holds it up', async () => {
    const id = await withFile('Glühlampe "neu".txt')
    await mailing()
    await expect.poll(() => historyOf(id), patience).toEqual(['deferred'])
    expect((await mailOf(id)).last_error).toContain('is not in the data directory')

    const place = join(directory, organizationId, sha256.slice(0, 2))
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, sha256), content)
    await bringForward(id)
    await expect.poll(() => stateOf(id), patience).toBe('sent')
    const [mail] = takenOf(id)
    expect(mail!.attachments).toEqual([
      { name: 'Glühlampe "neu".txt', contentType: 'text/plain', content: expect.any(Buffer) as Buffer },
    ])
    expect(mail!.attachments[0]!.content.equals(content)).toBe(true)
    expect(mail!.text).toMatch(/- Glühlampe "neu"\.txt \(\d+ B\)\n/)
  })
})

describe('workers', () => {
  test('that die between the answer of the server and their note have it sent once more, and there is one mail', async () => {
    const id = await write()
    // Whoever looks at the row keeps the note from being made.
    const holder = await owner.connect()
    receiver.onMail = async (mail) => {
      if (!mail.headers.get('message-id')!.includes(id)) return
      await holder.query('begin')
      await holder.query('select from app_public.mail_messages where id = $1 for update', [id])
    }
    const worker = await mailing()
    await expect
      .poll(
        () =>
          rows(
            `select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and query like '%mail_was_sent%'`,
          ),
        patience,
      )
      .toHaveLength(1)
    expect(takenOf(id)).toHaveLength(1)
    worker.process.kill('SIGKILL')
    await worker.ended
    workers.length = 0
    await holder.query('rollback')
    holder.release()
    expect(await stateOf(id)).toBe('waiting')
    receiver.onMail = () => {}

    // The next one knows that it is dead, and waits for nothing.
    await mailing()
    await expect.poll(() => stateOf(id), patience).toBe('sent')
    const [first, second, ...more] = takenOf(id)
    expect(more).toEqual([])
    expect(second!.headers.get('message-id')).toBe(first!.headers.get('message-id'))
    expect(await historyOf(id)).toEqual(['sent 250'])
  })

  test('side by side send each mail once', async () => {
    const ticketId = await openTicket()
    const ids = []
    for (let mail = 0; mail < 20; mail += 1) ids.push(await write({ ticketId }))
    await Promise.all([mailing(), mailing()])
    // Whatever a job is made twice for.
    for (const id of ids) await inside('select app_private.enqueue_mail($1, $2)', [organizationId, id])
    for (const id of ids) await expect.poll(() => stateOf(id), patience).toBe('sent')
    expect(ids.map((id) => takenOf(id).length)).toEqual(ids.map(() => 1))
  })
})

test('without a mail server mails are kept, and sent when there is one and an admin says so', async () => {
  const { id: adminId } = await one<{ id: string }>(
    `insert into app_public.users (organization_id, email, name, role) values ($1, 'root@acme.example', 'Root', 'admin') returning id`,
    [organizationId],
  )
  const id = await write()
  const worker = await startWorker(database.workerUrl, { ATUM_DATA_DIR: dataDirectory })
  workers.push(worker)
  await expect.poll(() => stateOf(id), patience).toBe('kept')
  await expect.poll(() => worker.said(), patience).toContain(`mail ${id} is kept`)
  await stopWorker(worker)
  workers.length = 0

  await mailing()
  expect(takenOf(id)).toEqual([])
  await inside('select app_public.send_kept_mails()', [], adminId, 'atum_admin')
  await expect.poll(() => stateOf(id), patience).toBe('sent')
  expect(await historyOf(id)).toEqual(['kept', 'asked_again', 'sent 250'])
})

describe.skipIf(!canMakeCertificate)('a mail server with a certificate of its own', () => {
  test.each(['tls', 'starttls'] as const)(
    'by %s is used where its certificate is known',
    async (security) => {
      const certificate = makeCertificate()
      await receiver.close()
      await receive({ security, certificate, login: { user: 'desk', password: 'p@ss word' } })
      const id = await write()
      const scheme = security === 'tls' ? 'smtps' : 'smtp'
      const query = security === 'tls' ? '' : '?requireTLS=true'
      const worker = await mailing({
        SMTP_URL: `${scheme}://desk:p%40ss%20word@localhost:${receiver.port}${query}`,
        NODE_EXTRA_CA_CERTS: certificate.path,
      })
      await expect.poll(() => stateOf(id), patience).toBe('sent')
      expect(receiver.ways.every(({ isEncrypted, user }) => isEncrypted && user === 'desk')).toBe(true)
      expect(worker.said()).not.toContain('p@ss')
      certificate.remove()
    },
  )
})
