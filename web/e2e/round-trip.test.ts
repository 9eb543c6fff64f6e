import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { Client } from 'pg'
import type { Page } from 'playwright-core'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEncryption, placeOf } from '../../server/encryption.ts'
import { hasClamd, startClamd, type TestClamd } from '../../worker/files/testing.ts'
import { type Dovecot, passwordOf, startDovecot } from '../../worker/mail-in/testing.ts'
import type { ReceivedMail } from '../../worker/mail/testing.ts'
import { complaintsOf, encryptionKey, logIn, setStage, type Stage } from './stage.ts'

// Everything that comes in and goes out, once around: nothing here is ours but the product, and nothing is played.
const patience = { timeout: 30_000, interval: 100 }
const desk = 'help@acme.example'
const customer = 'mara.lindt@harbour.example'
const subject = 'The gate at quay 7 does not open'

let stage: Stage
let database: Client
let dovecot: Dovecot
let clamd: TestClamd | undefined
let receiver: Server
const secret = `whsec_${randomBytes(24).toString('base64')}`
/** What the webhook was told, each once its signature was found to be good. */
const told: {
  id: string
  type: string
  data: { ticket: { number: number }; event: { after: Record<string, unknown> } }
}[] = []
const unsigned: string[] = []

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void readAll(request).then((body) => {
      try {
        const call = new Webhook(secret).verify(body, signatureOf(request.headers)) as (typeof told)[number]
        told.push({ ...call, id: String(request.headers['webhook-id']) })
        response.statusCode = 204
      } catch (error) {
        unsigned.push(String(error))
        response.statusCode = 400
      }
      response.end()
    })
  })
  receiver.listen(0, '127.0.0.1')
  ;[dovecot, clamd] = await Promise.all([
    startDovecot(),
    hasClamd ? startClamd() : undefined,
    once(receiver, 'listening'),
  ])
  stage = await setStage({
    environment: {
      ...(clamd && { ATTACHMENT_SCANNER: 'clamd', CLAMD_SOCKET: clamd.socket }),
      IMAP_HOST: '127.0.0.1',
      IMAP_PORT: String(dovecot.port),
      IMAP_SECURITY: 'none',
      IMAP_USER: 'help',
      IMAP_PASSWORD: passwordOf('help'),
      IMAP_ADDRESS: desk,
      IMAP_ORGANIZATION: 'acme',
    },
  })
  database = new Client({ connectionString: stage.database.superuserUrl })
  await database.connect()
  const { rows } = await database.query<{ id: string }>(
    `select id from app_public.organizations where slug = 'acme'`,
  )
  const organizationId = rows[0]!.id
  // Without what the demo tells: the report is of what is said here.
  await database.query('delete from app_public.csat_surveys')
  await database.query(
    'update app_public.csat_settings set is_enabled = true, delay_minutes = 0 where organization_id = $1',
    [organizationId],
  )
  const { port } = receiver.address() as AddressInfo
  const made = await database.query<{ id: string }>(
    `insert into app_public.webhooks (organization_id, name, url, includes_internal, allow_internal)
    values ($1, 'Round trip', $2, true, true) returning id`,
    [organizationId, `http://127.0.0.1:${port}/hook`],
  )
  const webhookId = made.rows[0]!.id
  await database.query(
    'insert into app_private.webhook_secrets (organization_id, webhook_id, sealed) values ($1, $2, $3)',
    [
      organizationId,
      webhookId,
      createEncryption([encryptionKey]).encrypt(secret, placeOf.webhook(organizationId, webhookId)),
    ],
  )
}, 180_000)

afterAll(async () => {
  await database.end()
  await stage.close()
  await Promise.all([dovecot.close(), clamd?.close()])
  receiver.close()
})

const signatureOf = (headers: IncomingHttpHeaders) => ({
  'webhook-id': String(headers['webhook-id']),
  'webhook-timestamp': String(headers['webhook-timestamp']),
  'webhook-signature': String(headers['webhook-signature']),
})

/** A mail as the customer's program writes it. */
const written = (headers: Record<string, string>, body: string) =>
  Buffer.from(
    `${Object.entries({
      From: `Mara Lindt <${customer}>`,
      Date: new Date().toUTCString(),
      'MIME-Version': '1.0',
      'Content-Type': 'text/plain; charset=utf-8',
      ...headers,
    })
      .map(([name, value]) => `${name}: ${value}`)
      .join('\r\n')}\r\n\r\n${body.replaceAll('\n', '\r\n')}`,
  )

/** The mail to the customer that says something, once it has left. */
async function mailSaying(words: string | RegExp): Promise<ReceivedMail> {
  const found = () =>
    stage.mails.taken.find(
      ({ recipients, text }) =>
        recipients.includes(customer) &&
        (typeof words === 'string' ? text.includes(words) : words.test(text)),
    )
  await expect.poll(() => found() !== undefined, patience).toBe(true)
  return found()!
}

const ticketsOf = async () =>
  (
    await database.query<{ number: number; channel: string; comments: string[] }>(
      `select ticket.number, ticket.channel,
        (select array_agg(comment.body order by comment.created_at) from app_public.comments as comment where comment.ticket_id = ticket.id) as comments
      from app_public.tickets as ticket
      join app_public.users as requester on requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
      where requester.email = $1`,
      [customer],
    )
  ).rows

const live = (page: Page) =>
  page.getByText('Live', { exact: true }).filter({ visible: true }).first().waitFor()

test('a mail becomes a ticket, is answered with a file, answered again, resolved and judged, and a program hears of it all', async () => {
  const agent = await stage.open()
  const complaints = complaintsOf(agent)
  await logIn(agent, 'desk', 'manager@acme.example')
  await live(agent)
  await agent.evaluate('window.notReloaded = true')

  // In: the inbox that was open before has it.
  await dovecot.deliver(
    'help',
    written(
      { To: desk, Subject: subject, 'Message-ID': '<first@harbour.example>' },
      'Good morning,\n\nsince six nobody gets through the gate at quay 7.\n\nMara Lindt\n',
    ),
  )
  await agent.getByRole('link', { name: subject }).click({ timeout: 30_000 })
  await agent.waitForURL('**/desk/tickets/*')
  await agent.getByText('nobody gets through the gate').first().waitFor()
  expect(await agent.evaluate('window.notReloaded')).toBe(true)
  expect(await ticketsOf()).toMatchObject([{ channel: 'mail' }])
  const { number } = (await ticketsOf())[0]!
  expect(await dovecot.look('help')).toMatchObject([{ subject }])

  // Out: the answer goes by SMTP, in the thread, with the file, and with an address that knows its ticket.
  const plan = {
    name: 'Gate plan.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('Relay K4, behind the second door\n'),
  }
  await agent.locator('input[type=file]').setInputFiles(plan)
  await agent.getByRole('list', { name: 'Attached files' }).getByRole('listitem').first().waitFor()
  await agent
    .getByRole('textbox', { name: /^Your reply to/ })
    .fill('Please switch relay K4 off and on; where it is, the plan shows.')
  await agent.getByRole('button', { name: 'Send reply' }).click()
  const reply = await mailSaying('switch relay K4 off and on')
  const replyTo = /<?(help\+[0-9a-z]+@acme\.example)>?$/.exec(reply.headers.get('reply-to') ?? '')?.[1]
  expect(replyTo).toBeDefined()
  expect(reply.headers.get('from')).toContain(desk)
  expect(reply.headers.get('message-id')).toMatch(/^<[^\s<>@]+@[^\s<>@]+>$/)
  expect(reply.headers.get('references')).toContain('<first@harbour.example>')
  expect(reply.headers.get('in-reply-to')).toMatch(/^<[^\s<>@]+@[^\s<>@]+>$/)
  expect(reply.attachments).toMatchObject([{ name: plan.name, contentType: 'text/plain' }])
  expect(reply.attachments[0]!.content.equals(plan.buffer)).toBe(true)
  const states = await database.query<{ state: string }>(
    'select state from app_public.attachments where name = $1',
    [plan.name],
  )
  expect(states.rows).toEqual([{ state: clamd ? 'clean' : 'unscanned' }])

  // And in again, to the same ticket, without what was quoted.
  await dovecot.deliver(
    'help',
    written(
      {
        To: replyTo!,
        Subject: `Re: ${subject}`,
        'Message-ID': '<second@harbour.example>',
        'In-Reply-To': reply.headers.get('message-id')!,
        References: `<first@harbour.example> ${reply.headers.get('message-id')!}`,
      },
      `It opens again, thank you!\n\nOn Monday ATUM Desk wrote:\n> Please switch relay K4 off and on; where it is, the plan shows.\n`,
    ),
  )
  await agent.getByText('It opens again, thank you!').waitFor({ timeout: 30_000 })
  const [ticket, ...others] = await ticketsOf()
  expect(others).toEqual([])
  expect(ticket!.comments).toHaveLength(3)
  expect(ticket!.comments[2]!.trim()).toBe('It opens again, thank you!')

  // Resolved: the question how it went comes by mail, and one click in it is the answer.
  await agent.getByRole('textbox', { name: /^Your reply to/ }).fill('Good to hear.')
  await agent.getByRole('button', { name: 'Send and set the status' }).click()
  await agent.getByRole('menuitem', { name: 'Send and set Resolved' }).click()
  const question = await mailSaying(/\/survey\/[0-9a-f]{64}/)
  expect(question.headers.get('references')).toContain('<first@harbour.example>')
  const click = /https?:\/\/\S+\/survey\/[0-9a-f]{64}\?score=5/.exec(question.text)![0]
  expect(click.startsWith(stage.address)).toBe(true)
  const mara = await stage.open()
  await mara.goto(click)
  await mara.getByText('Thank you, your answer is noted.').waitFor()
  await agent.getByText(/rated the help: 5 of 5/).waitFor({ timeout: 30_000 })
  expect(await agent.evaluate('window.notReloaded')).toBe(true)
  await agent.goto('/desk/satisfaction')
  await agent.getByText('satisfied: gave 4 or 5').waitFor()
  await agent.locator('dl').getByText('5.00', { exact: true }).waitFor()
  // A machine that does all this at once may be too busy for a request, which is then sent again.
  expect(complaints.filter((complaint) => !complaint.includes('status of 503'))).toEqual([])

  // The program was told of each step, once, in order, and with a signature that is right.
  const heard = () => told.filter(({ data }) => data.ticket.number === number)
  await expect.poll(() => heard().some(({ type }) => type === 'ticket.survey_answered'), patience).toBe(true)
  expect(unsigned).toEqual([])
  const ids = heard().map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  // What clocks and rules of the demo do besides is theirs.
  const aside = /^ticket\.(sla_|assignee|team|automation|priority|tags)/
  expect(
    heard()
      .filter(({ type }) => !aside.test(type))
      .map(({ type, data }) =>
        type === 'ticket.status_changed' ? `${type} ${data.event.after['status']}` : type,
      ),
  ).toEqual([
    'ticket.created',
    'ticket.comment_added',
    'ticket.status_changed open',
    'ticket.attachment_added',
    'ticket.comment_added',
    'ticket.comment_added',
    'ticket.status_changed resolved',
    'ticket.survey_sent',
    'ticket.survey_answered',
  ])
  expect(heard().at(-1)!.data.event.after).toMatchObject({ score: 5, low: false })
}, 180_000)
