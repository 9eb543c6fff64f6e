import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Pool } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { accountLetter } from './mail/account-letter.ts'
import { createMailServer } from './mail/mail-server.ts'
import { type MailReceiver, type ReceivedMail, refusal, startMailReceiver } from './mail/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

const publicOrigin = 'https://desk.example.com'
// The first repetition comes after three seconds.
const patience = { timeout: 15_000, interval: 50 }

let database: TestDatabase
let owner: Pool
let organizationId: string
let receiver: MailReceiver

interface Recipient {
  id: string
  email: string
}

async function one<Row extends object>(sql: string, values: unknown[] = []): Promise<Row> {
  const { rows } = await owner.query<Row>(sql, values)
  const [row] = rows
  if (row === undefined || rows.length > 1) throw new Error(`one row was expected, there are ${rows.length}`)
  return row
}

let made = 0
async function makePerson(values: { name?: string; locale?: string } = {}): Promise<Recipient> {
  made += 1
  return one<Recipient>(
    `insert into app_public.users (organization_id, email, name, locale, time_zone)
     values ($1, $2, $3, $4, 'Europe/Berlin') returning id, email::text`,
    [organizationId, `person${made}@acme.example`, values.name ?? 'Ada Lovelace', values.locale ?? null],
  )
}

/** Has a mail written as the functions of the account do, and returns its id. */
async function write(person: Recipient, purpose: string): Promise<string> {
  const client = await owner.connect()
  try {
    await client.query('begin')
    await client.query(`select set_config('atum.organization_id', $1, true)`, [organizationId])
    await client.query(
      `select app_private.write_account_mail(person, $2) from app_public.users as person where id = $1`,
      [person.id, purpose],
    )
    const { rows } = await client.query<{ id: string }>(
      'select id from app_private.account_mails where user_id = $1 and purpose = $2 order by id desc limit 1',
      [person.id, purpose],
    )
    await client.query('commit')
    return rows[0]!.id
  } finally {
    client.release()
  }
}

const deliveryOf = async (id: string) =>
  (await one<{ delivery: string }>('select delivery from app_private.account_mails where id = $1', [id]))
    .delivery

const jobOf = async (id: string) => {
  const { rows } = await owner.query<{ last_error: string | null }>(
    `select job.last_error
     from graphile_worker._private_jobs as job where job.payload ->> 'accountMailId' = $1`,
    [id],
  )
  return rows[0]
}

const mailsTo = ({ email }: Recipient, mails: ReceivedMail[]) =>
  mails.filter(({ recipients }) => recipients.includes(email))

const tokenIn = ({ text }: ReceivedMail): string => /#token=([0-9a-f]{64})\n/.exec(text)?.[1] ?? ''

/** Whom a link is for; the code of the refusal where it is worth nothing. */
const holderOf = async (token: string) =>
  owner
    .query<{ email: string }>(`select app_private.account_token_of($1) ->> 'email' as email`, [token])
    .then(({ rows }) => rows[0]?.email)
    .catch((error: { code?: string }) => error.code)

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.ownerUrl, max: 3 })
  // Dropping the database may overtake the goodbye of a connection.
  owner.on('connect', (client) => client.on('error', () => {}))
  organizationId = (
    await one<{ id: string }>(`select app_private.create_organization('acme', 'Acme & Söhne') as id`)
  ).id
})

afterAll(async () => {
  await owner.end()
  await database.drop()
})

beforeEach(async () => {
  receiver = await startMailReceiver()
})

afterEach(() => receiver.close())

const startMailing = (port = receiver.port) =>
  startWorker(database.workerUrl, {
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    ATUM_MAIL_FROM: 'Hilfe & Co <desk@example.com>',
    ATUM_PUBLIC_URL: `${publicOrigin}, https://other.example.com`,
  })

describe('with a mail server', () => {
  let worker: TestWorker

  beforeEach(async () => {
    worker = await startMailing()
  })

  afterEach(async () => {
    expect(await stopWorker(worker)).toEqual([0, null])
    // Whatever happened: no token is in the log.
    for (const mail of receiver.shown) {
      const token = tokenIn(mail)
      if (token) expect(worker.said()).not.toContain(token)
    }
    expect(worker.said()).not.toMatch(/[0-9a-f]{64}/)
  })

  test('delivers an invitation, as text and as HTML, and no transaction is open meanwhile', async () => {
    const person = await makePerson()
    await owner.query('update app_public.users set activated_at = null where id = $1', [person.id])
    let openTransactions: number | undefined
    receiver.onMail = async () => {
      const { rowCount } = await owner.query(
        `select from pg_stat_activity
         where datname = current_database() and application_name = 'atum-worker' and state like 'idle in transaction%'`,
      )
      openTransactions = rowCount ?? undefined
    }
    const id = await write(person, 'invitation')
    await expect.poll(() => deliveryOf(id), patience).toBe('sent')
    await expect.poll(() => jobOf(id), patience).toBeUndefined()
    expect(openTransactions).toBe(0)

    const [mail, ...more] = mailsTo(person, receiver.taken)
    expect(more).toEqual([])
    expect(mail?.sender).toBe('desk@example.com')
    expect(Object.fromEntries(mail?.headers ?? [])).toMatchObject({
      from: '"Hilfe & Co" <desk@example.com>',
      to: `Ada Lovelace <${person.email}>`,
      subject: 'Your account at the help desk of Acme & Söhne',
      'auto-submitted': 'auto-generated',
      'mime-version': '1.0',
    })
    expect(mail?.headers.get('content-type')).toMatch(/^multipart\/alternative;/)
    const link = `${publicOrigin}/invitation#token=${tokenIn(mail!)}`
    expect(mail?.text).toContain('Hello Ada Lovelace,')
    expect(mail?.text).toContain(link)
    expect(mail?.html).toContain(`<a href="${link}"`)
    expect(mail?.html).toContain('Acme &amp; Söhne')
    expect(await holderOf(tokenIn(mail!))).toBe(person.email)
  })

  test('tells the old address that it was changed, and nothing to the new one', async () => {
    const person = await makePerson()
    const changed = { ...person, email: `new.${person.email}` }
    const { id } = await one<{ id: string }>(
      `with changed as (update app_public.users set email = $2 where id = $1 returning id)
       select id from changed`,
      [person.id, changed.email],
    )
    const mailId = async () =>
      (await one<{ id: string }>('select id from app_private.account_mails where user_id = $1', [id])).id
    await expect.poll(async () => deliveryOf(await mailId()), patience).toBe('sent')
    const [mail, ...more] = mailsTo(person, receiver.taken)
    expect(more).toEqual([])
    expect(mailsTo(changed, receiver.taken)).toEqual([])
    expect(mail?.headers.get('subject')).toBe('The mail address of your account at Acme & Söhne was changed')
    expect(mail?.text).not.toContain(changed.email)
  })

  test('writes German to who reads German', async () => {
    const person = await makePerson({ name: 'Jürgen Groß', locale: 'de-AT' })
    const id = await write(person, 'two_factor_off')
    await expect.poll(() => deliveryOf(id), patience).toBe('sent')
    const [mail] = mailsTo(person, receiver.taken)
    expect(mail?.headers.get('subject')).toBe(
      'Die Anmeldung mit zwei Faktoren bei Acme & Söhne ist ausgeschaltet',
    )
    expect(mail?.headers.get('to')).toBe(`Jürgen Groß <${person.email}>`)
    expect(mail?.text).toContain('Guten Tag Jürgen Groß,')
    expect(mail?.text).toMatch(/Seit dem \d+\. \S+ \d{4} um \d\d:\d\d \(Europe\/Berlin\)/)
    expect(mail?.html).toContain('<html lang="de">')
    expect(mail?.text).not.toContain('#token=')
  })

  test('lets no name add a header or a recipient', async () => {
    const person = await makePerson({ name: 'Ada\r\nBcc: evil@example.com\r\n\r\n<h1>Hello</h1>' })
    const id = await write(person, 'password_reset')
    await expect.poll(() => deliveryOf(id), patience).toBe('sent')
    const [mail] = mailsTo(person, receiver.taken)
    expect(mail?.recipients).toEqual([person.email])
    expect(mail?.headers.has('bcc')).toBe(false)
    expect(mail?.html).not.toContain('<h1>')
  })

  test('tries again with another token after a refusal for now; the one before is worth nothing', async () => {
    const person = await makePerson()
    let seen = 0
    receiver.onMail = (mail) => {
      seen += 1
      // It quotes what it was shown, as some filters do.
      if (seen === 1) throw refusal(451, `Try again later, about ${mail.text.match(/https:\S+/)?.[0]}`)
    }
    const id = await write(person, 'password_reset')
    await expect.poll(async () => (await jobOf(id))?.last_error, patience).toContain('451')
    expect(await deliveryOf(id)).toBe('waiting')
    const [first] = mailsTo(person, receiver.shown)
    expect((await jobOf(id))?.last_error).not.toContain(tokenIn(first!))

    await expect.poll(() => deliveryOf(id), patience).toBe('sent')
    const [second] = mailsTo(person, receiver.taken)
    expect(tokenIn(second!)).not.toBe(tokenIn(first!))
    expect(await holderOf(tokenIn(first!))).toBe('AD010')
    expect(await holderOf(tokenIn(second!))).toBe(person.email)
  })

  test('keeps a mail that was refused for good, says why, and sends it when the server has changed its mind', async () => {
    const person = await makePerson()
    let refuses = true
    receiver.onRecipient = () => {
      if (refuses) throw refusal(550, 'No such mailbox')
    }
    const id = await write(person, 'password_changed')
    await expect.poll(async () => (await jobOf(id))?.last_error, patience).toContain('No such mailbox')
    expect(await deliveryOf(id)).toBe('waiting')
    expect(receiver.shown).toEqual([])
    refuses = false
    await expect.poll(() => deliveryOf(id), patience).toBe('sent')
  })

  test('does not send what was overtaken by a later one', async () => {
    const person = await makePerson()
    receiver.onRecipient = () => {
      throw refusal(450, 'Later')
    }
    const first = await write(person, 'password_reset')
    await expect.poll(async () => (await jobOf(first))?.last_error, patience).toContain('450')
    receiver.onRecipient = () => {}
    const second = await write(person, 'password_reset')
    await expect.poll(() => deliveryOf(second), patience).toBe('sent')
    await expect.poll(() => jobOf(first), patience).toBeUndefined()
    expect(mailsTo(person, receiver.taken)).toHaveLength(1)
    expect(await holderOf(tokenIn(mailsTo(person, receiver.taken)[0]!))).toBe(person.email)
  })
})

test('keeps a mail while nobody listens where the mail server should be, and sends it later', async () => {
  const nobody = createServer().listen(0, '127.0.0.1')
  await once(nobody, 'listening')
  const { port } = nobody.address() as AddressInfo
  nobody.close()
  await once(nobody, 'close')

  const person = await makePerson()
  const worker = await startMailing(port)
  const id = await write(person, 'invitation')
  await expect.poll(async () => (await jobOf(id))?.last_error, patience).toContain('ECONNREFUSED')
  expect(await deliveryOf(id)).toBe('waiting')
  await stopWorker(worker)

  const next = await startMailing()
  await expect.poll(() => deliveryOf(id), patience).toBe('sent')
  expect(mailsTo(person, receiver.taken)).toHaveLength(1)
  await stopWorker(next)
})

test('hands no link to a server in the clear, unless it is this machine or that was asked for', async () => {
  const person = await makePerson()
  const send = (smtpUrl: string) =>
    createMailServer({ smtpUrl, from: 'desk@example.com', publicOrigin }).send(
      { name: 'Ada', address: person.email },
      accountLetter(
        {
          purpose: 'password_reset',
          token: 'f'.repeat(64),
          writtenAt: '2026-03-01T12:30:00Z',
          name: 'Ada',
          email: person.email,
          locale: 'en',
          timeZone: 'Etc/UTC',
          organization: { slug: 'acme', name: 'Acme' },
        },
        publicOrigin,
      ),
    )
  // This machine too, in a spelling that says nothing about it.
  const elsewhere = `smtp://[::ffff:127.0.0.1]:${receiver.port}`
  await expect(send(elsewhere)).rejects.toThrow(/TLS/)
  expect(receiver.shown).toEqual([])
  await send(`${elsewhere}?requireTLS=false`)
  expect(receiver.taken).toHaveLength(1)
})

test('without a mail server a mail is noted as not sent, and one line says so', async () => {
  const person = await makePerson()
  const worker = await startWorker(database.workerUrl)
  const id = await write(person, 'invitation')
  await expect.poll(() => deliveryOf(id), patience).toBe('no_mail_server')
  await expect.poll(() => jobOf(id), patience).toBeUndefined()
  await stopWorker(worker)
  const lines = worker
    .said()
    .split('\n')
    .filter((line) => line.includes(id))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('there is no mail server (SMTP_URL)')
  expect(worker.said()).not.toMatch(/[0-9a-f]{64}/)
})
