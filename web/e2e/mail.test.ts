import { afterAll, beforeAll, expect, test } from 'vitest'
import { withClient } from '../../infra/dev/database.ts'
import { refusal } from '../../worker/mail/testing.ts'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

const patience = { timeout: 20_000, interval: 100 }
const mailsTo = (address: string) =>
  stage.mails.taken.filter(({ recipients }) => recipients.includes(address))

test('mails get a look and words, shown while they are written, and leave so', async () => {
  const admin = await stage.open()
  const complaints = complaintsOf(admin)
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/mail')
  const frame = admin.frameLocator('iframe[title="The mail"]')
  await frame.getByText('Grace Hopper wrote about').waitFor()
  expect(await violationsOf(admin)).toEqual([])

  await admin.getByLabel("Sender's name").fill('Acme cares')
  const color = admin.getByRole('textbox', { name: 'Colour', exact: true })
  await color.fill('#0a7')
  await admin.getByText('A colour is # and six digits').waitFor()
  await color.fill('#00aa77')
  await admin.getByLabel('Footer').fill('Acme Industrial, 1 Lamp Street')
  await frame.getByText('Acme Industrial, 1 Lamp Street').waitFor()
  await frame.getByText('Acme cares').waitFor()
  // Styles are there, though our own pages allow none that are written in markup.
  expect(
    await admin.evaluate(
      `getComputedStyle(document.querySelector('iframe').contentDocument.querySelector('.card')).borderTopColor`,
    ),
  ).toBe('rgb(0, 170, 119)')
  await admin.getByRole('button', { name: 'Save changes' }).click()
  await admin.getByText('The look of your mails is saved').waitFor()

  await admin.getByRole('link', { name: /^Answer/ }).click()
  await admin.getByRole('heading', { level: 1, name: 'Answer' }).waitFor()
  const body = admin.getByRole('textbox', { name: 'Text' })
  await body.fill('Dear {{recipient.nickname}}, {{comment.body}}')
  await admin.getByRole('button', { name: 'Save changes' }).click()
  await admin.getByText('Such mails have no variable {{recipient.nickname}}.').waitFor()
  await expect.poll(() => admin.evaluate('document.activeElement.tagName')).toBe('TEXTAREA')
  await body.fill('Dear {{recipient.first_name}}')
  await admin.getByRole('button', { name: 'Save changes' }).click()
  await admin.getByText('Such a mail is worth nothing without {{comment.body}}.').waitFor()
  await body.fill('Dear ')
  await admin.getByRole('button', { name: /^Insert recipient\.first_name/ }).click()
  await expect.poll(() => body.inputValue()).toBe('Dear {{recipient.first_name}}')
  await admin.keyboard.type(', here it is:\n\n{{comment.body}}\n\nLook: {{ticket_link}}')
  await frame.getByText('Dear Ada, here it is:').waitFor()
  await frame.getByRole('link', { name: 'Look' }).waitFor()
  expect(await violationsOf(admin)).toEqual([])
  await admin.getByRole('radio', { name: 'Text', exact: true }).click()
  await admin.getByText('Look: https://desk.example/portal/tickets/1042').waitFor()
  await admin.getByRole('button', { name: 'Save changes' }).click()
  await admin.getByText('The words are saved').waitFor()
  await admin.getByText('Own words', { exact: true }).waitFor()

  // An answer to a customer arrives in these words and with this look.
  const number = await withClient(stage.database.superuserUrl, async (client) => {
    const { rows } = await client.query<{ number: number }>(
      `select ticket.number from app_public.tickets as ticket
      join app_public.users as requester on requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
      where requester.email = 'customer@acme.example' and ticket.status = 'open' limit 1`,
    )
    return rows[0]!.number
  })
  await admin.goto(`/desk/tickets/${number}`)
  await admin.getByRole('textbox', { name: /reply/i }).fill('They come **tomorrow** <b>at nine</b>.')
  await admin.getByRole('button', { name: 'Send', exact: false }).first().click()
  const answer = () => mailsTo('customer@acme.example').find(({ text }) => text.includes('**tomorrow**'))
  await expect.poll(answer, patience).toBeDefined()
  const { headers, text, html } = answer()!
  expect(headers.get('subject')).toMatch(new RegExp(`^\\[ACME-${number}\\] `))
  expect(headers.get('from')).toContain('Acme cares')
  expect(text).toContain('here it is:')
  expect(html).toContain('They come **tomorrow** &lt;b&gt;at nine&lt;/b&gt;.')
  expect(html).toContain('#00aa77')

  // And what is built in is a press away.
  await admin.goto('/desk/admin/mail/reply')
  await admin.getByRole('button', { name: 'Use what is built in' }).click()
  await admin.getByRole('alertdialog').getByRole('button', { name: 'Use what is built in' }).click()
  await admin.getByText('Built in', { exact: true }).waitFor()
  expect(complaints.filter((line) => !line.includes('422'))).toEqual([])
}, 90_000)

test('what did not arrive stands in the outbox with the reason, and is sent again', async () => {
  const admin = await stage.open()
  await logIn(admin, 'desk', 'admin@acme.example')
  stage.mails.onRecipient = (address) => {
    if (address === 'gone@acme.example') throw refusal(550, '5.1.1 No such mailbox')
  }
  await admin.goto('/desk/admin/mail')
  const address = admin.getByLabel('Mail address')
  await address.fill('gone')
  await admin.getByRole('button', { name: 'Send test' }).click()
  await admin.getByText('Write a mail address').waitFor()
  await address.fill('ada@acme.example')
  await admin.getByRole('button', { name: 'Send test' }).click()
  // It stays said as long as it is about what stands there.
  const look = admin.getByRole('link', { name: 'See what becomes of it' })
  await look.waitFor()
  const footer = admin.getByLabel('Footer')
  const words = await footer.inputValue()
  await footer.fill('Another footer')
  await admin.getByText('Save what you changed first').waitFor()
  expect(await look.count()).toBe(0)
  await footer.fill(words)
  await address.fill('gone@acme.example')
  await admin.getByRole('button', { name: 'Send test' }).click()
  await look.click()
  await admin.getByRole('heading', { level: 1, name: /^A test from the help desk/ }).waitFor()

  await admin.goto('/desk/admin/outbox')
  await admin.getByRole('searchbox', { name: 'Name or address' }).fill('gone@')
  const list = admin.getByRole('list', { name: 'Outbox' })
  await expect.poll(() => list.getByRole('listitem').count(), patience).toBe(1)
  await expect
    .poll(async () => {
      await admin.getByRole('button', { name: 'Read again' }).click()
      return list.getByText('Failed').count()
    }, patience)
    .toBe(1)
  expect(await violationsOf(admin)).toEqual([])
  await list.getByRole('link').click()
  await admin.getByText('5.1.1 No such mailbox').waitFor()
  await admin.frameLocator('iframe[title="The mail"]').getByText('can send mails').waitFor()
  expect(await violationsOf(admin)).toEqual([])

  stage.mails.onRecipient = () => {}
  await admin.getByRole('button', { name: 'Send again' }).click()
  await admin.getByRole('alertdialog').getByRole('button', { name: 'Send' }).click()
  await expect.poll(() => mailsTo('gone@acme.example').length, patience).toBe(1)
  await expect
    .poll(async () => {
      await admin.reload()
      const history = admin.getByRole('list', { name: 'History' })
      await history.waitFor()
      return history.getByRole('listitem').allTextContents()
    }, patience)
    .toEqual([
      expect.stringContaining('Taken by the mail server'),
      expect.stringContaining('Sent again by an administrator'),
      expect.stringContaining('Refused'),
    ])

  // Where there is no mail server, nothing is said to be on its way.
  const alone = await stage.open()
  await alone.route('**/auth/methods', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { ...((await response.json()) as object), mail: false } })
  })
  await logIn(alone, 'desk', 'admin@acme.example')
  await alone.goto('/desk/admin/mail')
  await alone.getByLabel('Mail address').fill('ada@acme.example')
  await alone.getByRole('button', { name: 'Send test' }).click()
  await alone.getByText('is written and kept here: there is no mail server').waitFor()
  expect(await alone.getByText('on its way').count()).toBe(0)

  // An agent sees none of it.
  const agent = await stage.open()
  await logIn(agent, 'desk', 'agent@acme.example', '/desk/admin/outbox')
  await expect.poll(() => agent.url(), patience).not.toContain('outbox')
}, 90_000)
