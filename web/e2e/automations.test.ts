import { afterAll, beforeAll, expect, test } from 'vitest'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

test('a rule is made, tried out, and seen to act on what a customer opens', async () => {
  const admin = await stage.open()
  const complaints = complaintsOf(admin)
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/automations')
  await admin.getByRole('link', { name: 'Urgent from a customer' }).waitFor()
  expect(await violationsOf(admin)).toEqual([])

  await admin.getByRole('link', { name: 'New automation' }).click()
  await admin.getByRole('heading', { level: 1, name: 'New automation' }).waitFor()
  // What is missing is told in words, and nothing is sent.
  await admin.getByLabel('Name').fill('Printers go to the front')
  await admin.getByRole('button', { name: 'New automation' }).click()
  await admin.getByText('Say what is done: add an action').waitFor()

  await admin
    .getByRole('group', { name: 'All of these hold' })
    .getByRole('button', { name: 'Add condition' })
    .click()
  await admin.getByRole('button', { name: 'Property' }).click()
  await admin.getByRole('option', { name: 'Subject' }).click()
  await admin.getByRole('textbox', { name: 'Text' }).fill('printer')
  await admin.getByRole('button', { name: 'Add action' }).click()
  await admin.getByRole('button', { name: 'Action', exact: false }).first().click()
  await admin.getByRole('option', { name: 'Add tags' }).click()
  await admin.getByRole('textbox', { name: 'Tags' }).fill('printer')
  expect(await violationsOf(admin)).toEqual([])

  await admin.getByRole('button', { name: 'Show what would be done' }).click()
  await admin.getByText(/tickets? fits?\./).waitFor()
  await admin.getByText('Would be done').first().waitFor()

  await admin.getByRole('button', { name: 'New automation' }).click()
  await admin.getByRole('heading', { level: 1, name: 'Printers go to the front' }).waitFor()
  await admin.getByText('It has not run yet').waitFor()

  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@acme.example', '/portal/new')
  await customer.getByLabel('What is it about?').fill('The printer at the gate is out of paper')
  await customer.getByLabel('Description').fill('Nobody gets a delivery note.')
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL(/\/portal\/tickets\/\d+/)

  // The log tells it, and leads to the ticket, whose history tells it too.
  const reference = admin.getByRole('list', { name: 'Log' }).getByRole('link')
  await expect
    .poll(
      async () => {
        await admin.getByRole('button', { name: 'Read again' }).click()
        return reference.count()
      },
      { timeout: 20_000 },
    )
    .toBe(1)
  await admin.getByText('Done', { exact: true }).waitFor()
  await reference.click()
  await admin.getByText('The automation Printers go to the front ran').waitFor()
  await admin.getByText('Automation: Printers go to the front').first().waitFor()
  expect(complaints).toEqual([])
})
