import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withClient } from '../../infra/dev/database.ts'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage
const patience = { timeout: 20_000 }

beforeAll(async () => {
  stage = await setStage()
  // Without what the demo tells: what is counted here was said here.
  await ask('delete from app_public.csat_surveys')
  await ask('update app_public.csat_settings set is_enabled = false')
}, 180_000)

afterAll(() => stage.close())

const ask = <T>(sql: string, values: unknown[] = []) =>
  withClient(stage.database.superuserUrl, async (client) => (await client.query(sql, values)).rows as T[])

interface Survey {
  id: string
  organization_id: string
  state: string
  score: number | null
  comment: string | null
}
const surveysOf = (number: number) =>
  ask<Survey>(
    `select survey.* from app_public.csat_surveys as survey
    join app_public.tickets as ticket on ticket.organization_id = survey.organization_id and ticket.id = survey.ticket_id
    join app_public.organizations as organization on organization.id = ticket.organization_id
    where organization.slug = 'acme' and ticket.number = $1`,
    [number],
  )

/** The token that a mail would carry. */
const tokenOf = ({ id, organization_id: organizationId }: Survey) =>
  withClient(stage.database.superuserUrl, async (client) => {
    await client.query('begin')
    await client.query(`select set_config('atum.organization_id', $1, true)`, [organizationId])
    const { rows } = await client.query<{ token: string }>(
      'select app_private.issue_survey_token($1) as token',
      [id],
    )
    await client.query('commit')
    return rows[0]!.token
  })

/** Opens a request as a customer and returns its number. */
async function openRequest(customer: Page, subject: string): Promise<number> {
  await customer.goto('/portal/new')
  await customer.getByLabel('What is it about?').fill(subject)
  await customer.getByLabel('Description').fill('Since this morning.')
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL(/\/portal\/tickets\/\d+/)
  return Number(/\d+$/.exec(new URL(customer.url()).pathname)![0])
}

async function resolve(number: number) {
  await ask(
    `update app_public.tickets as ticket set status = 'resolved' from app_public.organizations as organization
    where organization.id = ticket.organization_id and organization.slug = 'acme' and ticket.number = $1`,
    [number],
  )
  await expect.poll(async () => (await surveysOf(number))[0]?.state, patience).toBe('sent')
  return (await surveysOf(number))[0]!
}

test('an admin has customers asked, they answer by one click, and a manager reads it', async () => {
  const admin = await stage.open()
  const complaints = complaintsOf(admin)
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/satisfaction')
  await admin.getByRole('heading', { level: 1, name: 'Satisfaction' }).waitFor()
  await admin.getByLabel('Of how many tickets in a hundred').fill('0')
  await admin.getByText('A whole number from 1 to 100.').waitFor()
  expect(await admin.getByRole('button', { name: 'Save changes' }).isDisabled()).toBe(true)
  await admin.getByLabel('Of how many tickets in a hundred').fill('100')
  await admin.getByRole('switch', { name: 'Ask how it went' }).click({ force: true })
  await admin.getByRole('button', { name: 'When to ask' }).click()
  await admin.getByRole('option', { name: 'At once' }).click()
  expect(await violationsOf(admin)).toEqual([])
  await admin.getByRole('button', { name: 'Save changes' }).click()
  await admin.getByText('The settings of satisfaction are saved').waitFor()

  // By the link: what is clicked in the mail counts as soon as the page is seen.
  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@acme.example')
  const number = await openRequest(customer, 'The lamp at the gate is out')
  await customer.getByRole('heading', { level: 1, name: 'The lamp at the gate is out' }).waitFor()
  const survey = await resolve(number)
  const token = await tokenOf(survey)
  // Who has the request open sees the question come, and the reply covers none of it.
  await customer.getByRole('region', { name: 'How did we do?' }).waitFor()
  for (const viewport of [
    { width: 360, height: 780 },
    { width: 1280, height: 900 },
  ]) {
    await customer.setViewportSize(viewport)
    await customer.evaluate('scrollTo(0, 0)')
    const survey = (await customer.getByRole('region', { name: 'How did we do?' }).boundingBox())!
    const reply = (await customer.getByRole('form', { name: 'Your reply' }).boundingBox())!
    expect(reply.y).toBeGreaterThan(survey.y + survey.height)
  }
  await customer.setViewportSize({ width: 1280, height: 800 })

  // A scanner of mails follows each link without running scripts: that is nobody's answer.
  const scanned = await fetch(`${stage.address}/survey/${token}?score=1`)
  expect([scanned.status, (await scanned.text()).includes('<script')]).toEqual([200, true])
  expect((await surveysOf(number))[0]!.score).toBeNull()

  const phone = await stage.open({ viewport: { width: 360, height: 780 }, colorScheme: 'dark' })
  const phoneComplaints = complaintsOf(phone)
  await phone.goto(`/survey/${token}?score=4`)
  await phone.getByText('Thank you, your answer is noted.').waitFor()
  // As a British browser writes a date.
  await phone.getByText(/change it until \d{1,2} [A-Z][a-z]+ \d{4}/).waitFor()
  expect(await surveysOf(number)).toMatchObject([{ state: 'answered', score: 4 }])
  expect(await phone.getByRole('radio', { name: '4 Good' }).getAttribute('aria-checked')).toBe('true')
  expect(phone.url()).not.toContain('score')
  expect(await violationsOf(phone)).toEqual([])
  expect(await phone.evaluate('document.documentElement.scrollWidth')).toBe(360)

  // By the keyboard; loading the page again does not say again what was clicked in the mail.
  await phone.getByRole('radio', { name: '4 Good' }).focus()
  await phone.keyboard.press('ArrowLeft')
  await phone.keyboard.press('ArrowLeft')
  await phone.keyboard.press('Space')
  await expect.poll(async () => (await surveysOf(number))[0]!.score, patience).toBe(2)
  await phone.reload()
  await phone.getByLabel('Would you like to tell us more?').fill('Two days are long in the dark.')
  await phone.getByRole('button', { name: 'Send' }).click()
  await phone.getByText('Thank you, we will read it.').waitFor()
  expect(await surveysOf(number)).toMatchObject([{ score: 2, comment: 'Two days are long in the dark.' }])

  // In the portal the answer stands, and may still change.
  await customer.reload()
  const asked = customer.getByRole('region', { name: 'How did we do?' })
  await asked.getByRole('radio', { name: '2 Bad' }).waitFor()
  await asked.getByRole('radio', { name: '3 So-so' }).click()
  await expect.poll(async () => (await surveysOf(number))[0]!.score, patience).toBe(3)
  expect(await violationsOf(customer)).toEqual([])
  await asked.getByRole('radio', { name: '1 Very bad' }).click()
  await expect.poll(async () => (await surveysOf(number))[0]!.score, patience).toBe(1)

  // The team sees it beside the ticket and in its history.
  await admin.goto(`/desk/tickets/${number}`)
  const rating = admin.getByRole('region', { name: 'Satisfaction' })
  await rating.getByText('1 of 5 · Very bad').waitFor()
  await rating.getByText('Two days are long in the dark.').waitFor()
  await admin.getByText('The requester was asked how it went').waitFor()
  await admin.getByText(/changed the rating from 3 to 1 of 5/).waitFor()
  expect(await violationsOf(admin)).toEqual([])

  const other = await openRequest(customer, 'A fuse blew')
  const second = await resolve(other)
  await customer.goto(`/survey/${await tokenOf(second)}?score=5`)
  await customer.getByText('Thank you, your answer is noted.').waitFor()

  await admin.goto('/desk/satisfaction')
  await admin.getByText('satisfied: gave 4 or 5').waitFor()
  const figures = admin.locator('dl')
  await figures.getByText('50%', { exact: true }).waitFor()
  await figures.getByText('3.00', { exact: true }).waitFor()
  await admin
    .getByRole('list', { name: 'Satisfied by month' })
    .getByText(/50% satisfied, 2 answers/)
    .waitFor({ state: 'attached' })
  await admin.getByRole('radio', { name: 'Service' }).click()
  await admin.getByRole('rowheader', { name: 'No service' }).waitFor()
  await admin.getByText('Two days are long in the dark.').waitFor()
  await admin.getByText('With words only').click()
  await admin.getByText('Bad answers only').click()
  await admin.getByRole('link', { name: /The lamp at the gate is out/ }).waitFor()
  expect(await admin.getByRole('link', { name: /A fuse blew/ }).count()).toBe(0)
  expect(await violationsOf(admin)).toEqual([])
  // Two years of months scroll in their own frame.
  await ask(
    `with ticket as (
      insert into app_public.tickets (organization_id, subject, requester_id)
      select organization_id, 'Long ago', id from app_public.users, generate_series(1, 12) where email = 'customer@acme.example' returning *
    )
    insert into app_public.csat_surveys (organization_id, ticket_id, requester_id, state, planned_for, sent_at, expires_at)
    select organization_id, id, requester_id, 'expired', at, at, at + interval '14 days'
    from (select *, now() - row_number() over () * interval '1 month' as at from ticket) as asked`,
  )
  await admin.getByLabel('From').fill('2020-01-01')
  await expect
    .poll(
      () => admin.getByRole('list', { name: 'Satisfied by month' }).getByRole('listitem').count(),
      patience,
    )
    .toBeGreaterThan(10)
  await admin.setViewportSize({ width: 360, height: 780 })
  expect(await admin.evaluate('document.documentElement.scrollWidth')).toBe(360)
  // Nor does the table scroll, and it says the same.
  const table = admin.getByRole('table', { name: 'Whose tickets' })
  await table.getByText(/\d+ asked, 2 answered \(\d+%\), mean 3\.00/).waitFor()
  expect(
    await admin.evaluate(
      `{ const table = document.querySelector('main table[aria-busy]'); table.scrollWidth - table.parentElement.clientWidth }`,
    ),
  ).toBe(0)

  expect([...complaints, ...phoneComplaints]).toEqual([])
})

test('a link says what it is not, and that it is over, in the language of whoever was asked', async () => {
  const customer = await stage.open()
  await customer.goto(`/survey/${'f'.repeat(64)}?score=5`)
  await customer.getByRole('heading', { name: 'This link leads to no survey' }).waitFor()
  expect(await violationsOf(customer)).toEqual([])

  await logIn(customer, 'portal', 'customer@acme.example')
  const number = await openRequest(customer, 'Die Lampe ist aus')
  const survey = await resolve(number)
  const token = await tokenOf(survey)
  await ask(`update app_public.users set locale = 'de-AT' where email = 'customer@acme.example'`)
  const german = await stage.open()
  await german.goto(`/survey/${token}`)
  await german.getByRole('heading', { level: 1, name: 'Wie haben wir das gemacht?' }).waitFor()
  expect(await german.evaluate('document.documentElement.lang')).toBe('de')
  await german.getByRole('radio', { name: '5 Sehr gut' }).waitFor()
  expect((await surveysOf(number))[0]!.score).toBeNull()

  await ask(
    `update app_public.csat_surveys set sent_at = now() - interval '15 days', expires_at = now() where id = $1`,
    [survey.id],
  )
  // It ran out while the page was open.
  await german.getByRole('radio', { name: '5 Sehr gut' }).click()
  await german.getByText('Die Zeit für eine Antwort ist vorbei. Trotzdem danke.').waitFor()
  await german.reload()
  await german.getByRole('heading', { name: 'Die Zeit für eine Antwort ist vorbei' }).waitFor()
  expect(await violationsOf(german)).toEqual([])
  await ask(`update app_public.users set locale = null where email = 'customer@acme.example'`)

  await customer.reload()
  await customer.getByRole('heading', { level: 1, name: 'Die Lampe ist aus' }).waitFor()
  expect(await customer.getByRole('region', { name: 'How did we do?' }).count()).toBe(0)
})

test('agents are shown no report', async () => {
  const agent = await stage.open()
  await logIn(agent, 'desk', 'agent@acme.example')
  expect(await agent.getByRole('link', { name: 'Satisfaction' }).count()).toBe(0)
  await agent.goto('/desk/satisfaction')
  await agent.waitForURL('**/desk')
})
