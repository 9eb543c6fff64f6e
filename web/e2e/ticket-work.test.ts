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

/** Two open tickets of one customer that stand by themselves, by number. */
async function twoTickets(email: string): Promise<[number, number]> {
  const rows = await asOwner<{ number: number }>(
    `select ticket.number
     from app_public.tickets as ticket
     join app_public.users as requester on requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
     where requester.email = $1 and ticket.status in ('new', 'open')
       and not exists (
         select from app_public.ticket_relationships as related
         where related.organization_id = ticket.organization_id and ticket.id in (related.ticket_id, related.other_ticket_id)
       )
     order by ticket.number desc limit 2`,
    [email],
  )
  const [one, two] = rows
  if (!one || !two) throw new Error('The demo has too few tickets')
  return [one.number, two.number]
}

const more = async (page: Page, item: string | RegExp) => {
  await page.getByRole('button', { name: 'More for this ticket' }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

test('a ticket is tagged, watched, put aside, related, merged and taken back', async () => {
  const [source, target] = await twoTickets('customer@acme.example')
  const page = await stage.open({ viewport: { width: 1440, height: 900 } })
  const complaints = complaintsOf(page)
  await logIn(page, 'desk', 'agent@acme.example', `/desk/tickets/${source}`)

  await page.getByRole('combobox', { name: 'Add a tag' }).fill('Gate 4, x"y')
  await page.keyboard.press('Enter')
  await page.getByText('A tag has no quotation marks.').waitFor()
  await page.getByRole('combobox', { name: 'Add a tag' }).fill('Gate 4, badge')
  await page.keyboard.press('Enter')
  await page.getByRole('row', { name: 'gate 4' }).waitFor()
  await page.getByText('added badge and gate 4 to the tags').waitFor()

  await page.getByRole('button', { name: 'Watch', exact: true }).click()
  await page.getByRole('button', { name: 'Stop watching' }).waitFor()

  await more(page, /^Tomorrow/)
  await page.getByRole('button', { name: 'Wake now' }).click()
  await page.getByText('woke this ticket').waitFor()

  await page.getByRole('button', { name: 'Relate to another ticket' }).click()
  await page.getByLabel('Number of the other ticket').fill(String(source))
  await page.getByText('That is this ticket.').waitFor()
  await page.getByLabel('Number of the other ticket').fill('999999')
  await page.getByText('There is no ticket of this number').waitFor()
  await page.getByLabel('Number of the other ticket').fill(`ACME-${target}`)
  await page.getByRole('button', { name: 'Relate', exact: true }).click()
  await page.getByRole('heading', { name: 'Related to' }).waitFor()
  expect(await violationsOf(page)).toEqual([])

  await more(page, 'Merge into another ticket')
  await page.getByLabel('Number of the ticket to go on in').fill(String(target))
  await page.getByText('The conversation and the recorded time move').waitFor()
  await page.getByRole('button', { name: `Merge into ACME-${target}` }).click()
  await page.getByText('This ticket goes on in').waitFor()

  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@acme.example', `/portal/tickets/${source}`)
  await customer.getByText('This request goes on in').waitFor()
  expect(await violationsOf(customer)).toEqual([])
  expect(await customer.getByRole('textbox').count()).toBe(0)

  await page.locator('main').getByRole('button', { name: 'Undo' }).click()
  await page.getByText('took the merge with').waitFor()
  await customer.getByRole('textbox', { name: 'Your reply' }).waitFor()
  expect(complaints).toEqual([])
})

test('tags that there are already are suggested as one types', async () => {
  const [one, other] = await twoTickets('owen.hughes@tidewater-marine.example')
  const page = await stage.open({ viewport: { width: 1440, height: 900 } })
  await logIn(page, 'desk', 'agent@acme.example', `/desk/tickets/${one}`)
  await page.getByRole('combobox', { name: 'Add a tag' }).fill('turnstile')
  await page.keyboard.press('Enter')
  await page.getByRole('row', { name: 'turnstile' }).waitFor()

  // They come after the typing has rested, and the list was not closed for want of them.
  await page.goto(`/desk/tickets/${other}`)
  await page.getByRole('combobox', { name: 'Add a tag' }).pressSequentially('turn')
  await page.getByRole('option', { name: 'turnstile' }).click()
  await page.getByRole('row', { name: 'turnstile' }).waitFor()
})

test('two subjects written at the same time are both shown, and one is chosen', async () => {
  const [number] = await twoTickets('sabine.krueger@acme.example')
  const page = await stage.open()
  await logIn(page, 'desk', 'agent@acme.example', `/desk/tickets/${number}`)
  await more(page, 'Change the subject')
  await page.getByLabel('Subject', { exact: true }).fill('What the agent wrote')
  await asOwner('update app_public.tickets set subject = $1 where number = $2', [
    'What somebody else wrote',
    number,
  ])
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText('Which one shall it be?').waitFor()
  await page.getByRole('dialog').getByText('What somebody else wrote').waitFor()
  expect(await page.getByLabel('Yours').inputValue()).toBe('What the agent wrote')
  await page.getByRole('button', { name: 'Save yours' }).click()
  await page.getByRole('heading', { level: 1, name: 'What the agent wrote' }).waitFor()
})

test('many tickets are changed at once, and each refusal is told', async () => {
  const [source, target] = await twoTickets('owen.hughes@tidewater-marine.example')
  const page = await stage.open({ viewport: { width: 1440, height: 900 } })
  await logIn(page, 'desk', 'agent@acme.example', `/desk/tickets/${source}`)
  await more(page, 'Merge into another ticket')
  await page.getByLabel('Number of the ticket to go on in').fill(String(target))
  await page.getByRole('button', { name: `Merge into ACME-${target}` }).click()
  await page.getByText('This ticket goes on in').waitFor()

  await page.goto('/desk?view=all')
  const box = (number: number) => page.getByRole('checkbox', { name: `Choose ACME-${number}` })
  await box(source).check()
  await box(target).check()
  await page.getByText('2 chosen').waitFor()
  expect(await violationsOf(page)).toEqual([])
  await page.getByRole('toolbar').getByRole('button', { name: 'Status' }).click()
  await page.getByRole('menuitem', { name: 'Pending', exact: true }).click()
  await page.getByText('1 ticket is changed.').waitFor()
  await page.getByText('This ticket goes on in another one.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
  await page.getByText('1 chosen').waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(() => page.getByRole('toolbar').count()).toBe(0)

  await box(target).check()
  await page.getByRole('toolbar').getByRole('button', { name: 'Macros' }).click()
  await page.getByRole('menuitem', { name: 'Wait for the customer' }).click()
  const question = page.getByRole('alertdialog', { name: 'Apply “Wait for the customer” to 1 ticket?' })
  await question.waitFor()
  expect(await violationsOf(page)).toEqual([])
  await question.getByRole('button', { name: 'Apply' }).click()
  await page.getByText('1 ticket is changed.').waitFor()
  await page.goto(`/desk/tickets/${target}`)
  await page.getByText('question back').first().waitFor()
})

test('an admin names a status and says how tickets end; a late answer becomes a new request', async () => {
  const page = await stage.open()
  const complaints = complaintsOf(page)
  await logIn(page, 'desk', 'admin@acme.example')
  for (const [place, title] of [
    ['teams', 'Teams'],
    ['services', 'Services'],
    ['ticket-statuses', 'Ticket statuses'],
    ['ticket-settings', 'Ticket settings'],
  ] as const) {
    await page.goto(`/desk/admin/${place}`)
    await page.getByRole('heading', { level: 1, name: title }).waitFor()
    await page.waitForLoadState('networkidle')
    expect(await violationsOf(page)).toEqual([])
  }

  await page.getByLabel('Days in which an answer opens a resolved ticket again').fill('0')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText('The ticket settings are saved').waitFor()

  await page.goto('/desk/admin/ticket-statuses')
  await page.getByRole('button', { name: 'Add a status: Pending' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('With the carrier')
  await page.getByRole('dialog').getByRole('button', { name: 'Add a status' }).click()
  await page.getByText('With the carrier').waitFor()

  await page.goto('/desk/admin/teams')
  await page.getByRole('button', { name: 'Add a team' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Night shift')
  await page.getByRole('dialog').getByRole('button', { name: 'Add a team' }).click()
  // The first people come later than the first word is typed.
  const typed = Promise.withResolvers<void>()
  await page.route('**/graphql', async (route) => {
    if (route.request().postData()?.includes('PeopleSearch')) await typed.promise
    await route.continue()
  })
  await page.getByRole('button', { name: 'Change Night shift' }).click()
  await page.getByRole('combobox', { name: 'Add a member' }).fill('Priya')
  typed.resolve()
  await page.getByRole('option', { name: 'Priya Raman' }).click()
  await page
    .getByText('Priya Raman takes tickets')
    .or(page.getByRole('switch', { name: /Priya Raman/ }))
    .first()
    .waitFor()

  const [number] = await twoTickets('sabine.krueger@acme.example')
  await page.goto(`/desk/tickets/${number}`)
  await page.getByRole('button', { name: /Status$/ }).click()
  await page.getByRole('option', { name: 'With the carrier' }).click()
  await page.getByText('from New to With the carrier').waitFor()
  await page.getByRole('button', { name: /Status$/ }).click()
  await page.getByRole('option', { name: 'Resolved' }).click()
  await page.getByText('marked this as Resolved').waitFor()

  const customer = await stage.open()
  await logIn(customer, 'portal', 'sabine.krueger@acme.example', `/portal/tickets/${number}`)
  await customer.getByRole('textbox', { name: 'Your reply' }).fill('It broke again this morning.')
  await customer.getByRole('button', { name: 'Send reply' }).click()
  await customer.getByRole('button', { name: 'Open a new request with this text' }).click()
  await customer.waitForURL('**/portal/new')
  expect(await customer.getByLabel('Description').inputValue()).toBe('It broke again this morning.')
  expect(complaints).toEqual([])
})
