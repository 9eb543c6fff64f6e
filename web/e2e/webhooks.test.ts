import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../worker/webhooks/testing.ts'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

const patience = { timeout: 30_000 }

let stage: Stage
let receiver: Receiver

beforeAll(async () => {
  receiver = await startReceiver()
  stage = await setStage()
}, 180_000)

afterAll(async () => {
  await stage.close()
  await receiver.close()
})

test('a program is told: its address given, its secret shown once, tried out, and what it missed sent', async () => {
  const admin = await stage.open()
  const complaints = complaintsOf(admin)
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/webhooks')
  await admin.getByText('No program is told yet').waitFor()
  expect(await violationsOf(admin)).toEqual([])

  await admin.getByRole('link', { name: 'New webhook' }).click()
  await admin.getByRole('heading', { level: 1, name: 'New webhook' }).waitFor()
  // What is missing is told in words, and the first field that lacks something has the focus.
  await admin.getByRole('button', { name: 'New webhook' }).click()
  await admin.getByText('Give it a name').waitFor()
  await admin.getByLabel('Name', { exact: true }).fill('Dashboard')
  await admin.getByRole('textbox', { name: 'Address' }).fill(`${receiver.origin}/desk`)
  await admin.getByRole('radio', { name: 'Chosen events' }).click()
  await admin.getByRole('button', { name: 'New webhook' }).click()
  await admin.getByText('Choose at least one event').waitFor()
  await admin.getByText('Opened', { exact: true }).click()
  await admin.getByRole('button', { name: 'Choose all of Comments and files' }).click()
  expect(await admin.getByRole('checkbox', { name: 'File attached' }).isChecked()).toBe(true)
  expect(await violationsOf(admin)).toEqual([])

  // Into the own network only when that is said.
  await admin.getByRole('button', { name: 'New webhook' }).click()
  await admin.getByText('This address is inside your own network. Allow that below if it is meant.').waitFor()
  await admin.getByText('May be inside your own network', { exact: true }).click()
  await admin.getByRole('button', { name: 'New webhook' }).click()
  await admin.getByRole('heading', { name: 'The secret, for the only time' }).waitFor()
  const secret = await admin.getByText(/^whsec_/).innerText()
  expect(await violationsOf(admin)).toEqual([])
  await admin.getByRole('button', { name: 'I have it, go on' }).click()
  await admin.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor()
  await admin.getByText('Healthy').waitFor()
  expect(await admin.getByText('whsec_').count()).toBe(0)

  await admin.getByRole('button', { name: 'Send test' }).click()
  await admin.getByText(/Answered 204 after \d+ milliseconds?/).waitFor(patience)
  expect(receiver.verified(secret)).toMatchObject([
    { type: 'ping', data: { webhook: { name: 'Dashboard' } } },
  ])

  // What one address answered says nothing of another.
  const address = admin.getByRole('textbox', { name: 'Address' })
  await address.fill(`${receiver.origin}/other`)
  await admin.getByText('Save what you changed first').waitFor()
  expect(await admin.getByText(/Answered 204 after/).count()).toBe(0)
  await address.fill(`${receiver.origin}/desk`)
  await admin.getByText('Save what you changed first').waitFor({ state: 'detached' })

  // It is away for a moment.
  receiver.onCall = (_call, response) => void response.writeHead(503).end('{"problem":"closed for lunch"}')
  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@acme.example', '/portal/new')
  await customer.getByLabel('What is it about?').fill('The gate does not open')
  await customer.getByLabel('Description').fill('It hums and stays shut.')
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL(/\/portal\/tickets\/\d+/)
  await expect.poll(() => receiver.calls.length, patience).toBeGreaterThan(1)
  const log = admin.getByRole('list', { name: 'Log' })
  await expect
    .poll(async () => {
      await admin.getByRole('button', { name: 'Read again' }).click()
      return log.getByText('Answered 503').count()
    }, patience)
    .toBe(1)
  await log.getByRole('button', { name: 'What was sent: Opened' }).click()
  await log.getByText('closed for lunch').first().waitFor()
  await log.getByText('The gate does not open').first().waitFor()
  // What is opened at the end keeps to the corners of the card.
  expect(
    await admin.evaluate(`getComputedStyle(document.querySelector('ul[aria-label="Log"]')).overflowY`),
  ).toBe('clip')
  expect(await violationsOf(admin)).toEqual([])
  await log.getByRole('button', { name: 'Cancel it' }).click()
  await log.getByText('Cancelled', { exact: true }).waitFor()

  // And back: it is sent what it missed, under the same name.
  receiver.onCall = (_call, response) => void response.writeHead(204).end()
  const missed = receiver.calls.at(-1)!.headers['webhook-id']
  await admin.getByRole('button', { name: 'Send what was missed' }).click()
  await admin.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click()
  await admin.getByText('1 call is on its way').waitFor()
  await expect
    .poll(() => receiver.verified(secret).filter(({ type }) => type === 'ticket.created').length, patience)
    .toBeGreaterThan(1)
  expect(receiver.calls.at(-1)!.headers['webhook-id']).toBe(missed)

  // A new secret beside the one before.
  await admin.getByRole('button', { name: 'Replace secret' }).click()
  await admin.getByRole('button', { name: 'Make new secret' }).click()
  await admin.getByText('Calls are signed with the one before too').first().waitFor()
  const renewed = await admin.getByText(/^whsec_/).innerText()
  expect(renewed).not.toBe(secret)
  await admin.getByRole('button', { name: 'I have it' }).click()
  const before = receiver.calls.length
  await admin.getByRole('button', { name: 'Send test' }).click()
  await expect.poll(() => receiver.calls.length, patience).toBe(before + 1)
  receiver.calls.splice(0, before)
  for (const either of [secret, renewed]) expect(receiver.verified(either)).toHaveLength(1)

  await admin.getByRole('button', { name: 'Remove webhook' }).click()
  await admin.getByRole('alertdialog').getByRole('button', { name: 'Remove webhook' }).click()
  await admin.getByText('No program is told yet').waitFor()
  expect(complaints).toEqual([])
})
