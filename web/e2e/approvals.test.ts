import type { Page } from 'playwright-core'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

async function asOwner<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
  const database = new Client({ connectionString: stage.database.superuserUrl })
  await database.connect()
  try {
    const { rows } = await database.query<Row>(sql, values)
    return rows
  } finally {
    await database.end()
  }
}

/** An open ticket of a company, and a colleague of its requester who from now on does not see it. */
async function ticketAndColleague(): Promise<{
  number: number
  userId: string
  email: string
  name: string
  company: string
}> {
  const [found] = await asOwner<Awaited<ReturnType<typeof ticketAndColleague>>>(
    `select ticket.number, colleague.id as "userId", colleague.email, colleague.name, company.name as company
     from app_public.tickets as ticket
     join app_public.companies as company on company.organization_id = ticket.organization_id and company.id = ticket.company_id
     join app_public.users as colleague on colleague.organization_id = ticket.organization_id
       and colleague.company_id = ticket.company_id and colleague.id <> ticket.requester_id
     join app_public.organizations as organization on organization.id = ticket.organization_id
     where ticket.status = 'open' and organization.slug = 'acme' and colleague.role = 'customer' and colleague.disabled_at is null
     order by ticket.number desc, colleague.email limit 1`,
  )
  await asOwner('update app_public.companies set shares_tickets = false')
  if (!found) throw new Error('The demo has no ticket with a colleague of its requester')
  return found
}

const step = (page: Page, text: string) => page.getByRole('checkbox', { name: text })

test('steps are ticked off, and a customer who does not see the ticket approves it', async () => {
  const { number, userId, email, name, company } = await ticketAndColleague()

  const admin = await stage.open()
  await logIn(admin, 'desk', 'admin@acme.example', `/desk/admin/people/${userId}`)
  await admin.getByText(`Decides for ${company}`).click()
  await admin
    .getByRole('region', { name: 'Role and reach' })
    .getByRole('button', { name: 'Save changes' })
    .click()
  await admin.getByText('Role and reach saved').waitFor()
  expect(await admin.getByRole('switch', { name: `Decides for ${company}` }).isChecked()).toBe(true)
  expect(await violationsOf(admin)).toEqual([])

  const page = await stage.open({ viewport: { width: 1440, height: 900 } })
  const complaints = complaintsOf(page)
  await logIn(page, 'desk', 'agent@acme.example', `/desk/tickets/${number}`)
  await page.getByRole('button', { name: 'Start a checklist' }).click()
  await page.getByRole('textbox', { name: 'Steps' }).fill('Order the part\nFit the part')
  await page.getByRole('button', { name: 'Add 2 steps' }).click()
  await step(page, 'Fit the part').waitFor()
  await page.getByRole('region', { name: 'Checklist' }).getByRole('button', { name: 'Close' }).click()
  await page.getByRole('region', { name: 'Checklist' }).getByText('Order the part').click()
  await page.getByText('ticked off Order the part').waitFor()
  expect(await step(page, 'Order the part').isChecked()).toBe(true)
  expect(await step(page, 'Fit the part').isChecked()).toBe(false)
  await page.getByRole('button', { name: 'Checklist 1/2' }).press('Enter')
  await step(page, 'Fit the part').waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Checklist 1/2' }).press('Enter')

  await page.getByRole('button', { name: 'Ask for approval' }).click()
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByText('Say what is to be approved.').waitFor()
  await page.getByText('Choose somebody to ask.').waitFor()
  await page.getByLabel('What is to be approved?').fill('May we order the part for 240 €?')
  await page.getByRole('combobox', { name: 'Whom to ask' }).fill(name)
  await page.getByRole('option', { name: new RegExp(`${name}.*Decides for the company`) }).click()
  expect(await violationsOf(page)).toEqual([])
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByText('asked for approval: May we order the part for 240 €?').waitFor()
  const approvals = page.getByRole('region', { name: 'Approvals' })
  await approvals.getByText('Waiting').waitFor()
  expect(await violationsOf(page)).toEqual([])

  const customer = await stage.open()
  const customerComplaints = complaintsOf(customer)
  await logIn(customer, 'portal', email)
  const asked = customer.getByRole('region', { name: 'Waiting for your approval' })
  await asked.getByText('May we order the part for 240 €?').waitFor()
  expect(await violationsOf(customer)).toEqual([])
  await customer.goto(`/portal/tickets/${number}`)
  await customer.getByText('There is no such ticket').waitFor()
  await customer.goto('/portal')
  await asked.getByRole('button', { name: 'Approve' }).click()
  await asked.getByLabel('A word with your approval (optional)').fill('Up to 300 €.')
  await asked.getByRole('button', { name: 'Approve' }).click()
  await asked.waitFor({ state: 'hidden' })

  await approvals.getByText('approved: Up to 300 €.').waitFor()
  await page.getByText(`${name} approved: May we order the part for 240 €?`).waitFor()
  expect(await approvals.getByText('Waiting').count()).toBe(0)
  expect(complaints).toEqual([])
  expect(customerComplaints).toEqual([])
})

test('an admin makes a template, and a customer begins a request with it', async () => {
  const admin = await stage.open()
  const complaints = complaintsOf(admin)
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/ticket-templates')
  await admin.getByRole('button', { name: 'Add a template' }).click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByLabel('Name').fill('A new badge')
  await dialog.getByLabel('Subject').fill('A badge for a new colleague')
  await dialog.getByLabel('Description').fill('Name of the colleague:\nFirst day:')
  await dialog.getByLabel('Checklist').fill('Print it\nHand it over')
  await dialog.getByText('Customers may begin with it').click()
  expect(await violationsOf(admin)).toEqual([])
  await dialog.getByRole('button', { name: 'Add a template' }).click()
  await admin.getByText('A new badge is added').waitFor()
  await admin.getByText('2 steps').waitFor()
  expect(await violationsOf(admin)).toEqual([])

  const customer = await stage.open()
  const customerComplaints = complaintsOf(customer)
  await logIn(customer, 'portal', 'customer@acme.example', '/portal/new')
  await customer.getByRole('button', { name: 'Begin with' }).click()
  await customer.getByRole('option', { name: 'A new badge' }).click()
  expect(await customer.getByLabel('What is it about?').inputValue()).toBe('A badge for a new colleague')
  expect(await customer.getByRole('button', { name: 'Service' }).count()).toBe(0)
  await customer.getByLabel('Description').fill('Name of the colleague: Ada\nFirst day: Monday')
  expect(await violationsOf(customer)).toEqual([])
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL('**/portal/tickets/*')
  await customer.getByText('Name of the colleague: Ada').waitFor()
  const number = customer.url().split('/').at(-1)
  expect(customerComplaints).toEqual([])

  await admin.goto(`/desk/tickets/${number}`)
  await step(admin, 'Hand it over').waitFor()
  expect(complaints).toEqual([])
})

test('an agent opens a ticket for a customer, who finds it in the portal', async () => {
  const page = await stage.open()
  const complaints = complaintsOf(page)
  await logIn(page, 'desk', 'agent@acme.example')
  await page.getByRole('link', { name: 'New ticket' }).click()
  await page.getByRole('button', { name: 'Open ticket' }).click()
  await page.getByText('Choose who asks.').waitFor()
  await page.locator('[role=combobox]:focus').waitFor()
  expect(await violationsOf(page)).toEqual([])
  await page.getByRole('combobox', { name: 'Who asks?' }).fill('Jonas')
  await page.getByRole('option', { name: /Jonas Weber/ }).click()
  await page.getByLabel('Subject').fill('The gate does not open')
  await page.getByLabel('Description').fill('He called from gate 4.')
  await page.getByLabel('Tags').fill('Gate, phone')
  await page.getByRole('button', { name: 'Open ticket' }).click()
  await page.getByRole('heading', { level: 1, name: 'The gate does not open' }).waitFor()
  await page.getByRole('row', { name: 'gate' }).waitFor()
  await page.getByRole('region', { name: 'Requester' }).getByText('Jonas Weber').waitFor()

  // Who asks works for no company, and may still be asked.
  await page.getByRole('button', { name: 'Ask for approval' }).click()
  await page.getByRole('combobox', { name: 'Whom to ask' }).fill('Jonas')
  await page.getByRole('option', { name: /Jonas Weber/ }).waitFor()
  expect(complaints).toEqual([])

  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@acme.example')
  await customer.getByRole('link', { name: /The gate does not open/ }).click()
  await customer.getByText('He called from gate 4.').waitFor()
})
