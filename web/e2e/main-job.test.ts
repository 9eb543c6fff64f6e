import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repository } from '../../infra/dev/repository.ts'
import { complaintsOf, logIn, logInByForm, setStage, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

const subject = 'The badge reader at gate 4 stays red'

/** The live connection is up: on narrow screens its sign is elsewhere. */
const live = (page: Page) =>
  page.getByText('Live', { exact: true }).filter({ visible: true }).first().waitFor()

/** A mark that a reload would wipe away. */
const mark = (page: Page) => page.evaluate('window.notReloaded = true')
const isUnreloaded = (page: Page) => page.evaluate('window.notReloaded === true')

test('a customer asks, an agent answers and resolves, and each sees the other live', async () => {
  const customer = await stage.open()
  const agent = await stage.open()
  const complaints = [complaintsOf(customer), complaintsOf(agent)]

  await logInByForm(agent, 'desk', 'agent@acme.example')
  await live(agent)
  await mark(agent)

  await logInByForm(customer, 'portal', 'customer@acme.example')
  await customer.getByRole('link', { name: 'New request' }).first().click()
  await customer.getByLabel('What is it about?').fill(subject)
  await customer
    .getByLabel('Description')
    .fill('Since eight this morning nobody gets in. The light stays red for every badge.')
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL('**/portal/tickets/*')
  await customer.getByRole('heading', { name: subject }).waitFor()
  await mark(customer)

  // The agent's inbox has it without a reload.
  await agent.getByRole('link', { name: subject }).click()
  await agent.waitForURL('**/desk/tickets/*')
  await agent.getByText('The light stays red for every badge.').waitFor()
  await agent.getByRole('button', { name: 'Take it' }).click()

  await agent.getByRole('radio', { name: 'Internal note' }).click()
  await agent
    .getByRole('textbox', { name: 'Your note for the team' })
    .fill('Same as in March: the controller lost its certificate.')
  await agent.getByRole('button', { name: 'Add note' }).click()
  await agent.getByRole('article').getByText('Same as in March').waitFor()

  await agent.getByRole('radio', { name: 'Reply' }).click()
  await agent
    .getByRole('textbox', { name: /^Your reply to/ })
    .fill('The controller is being restarted. Please try again in five minutes.')
  await agent.getByRole('button', { name: 'Send reply' }).click()

  // The customer sees the reply, and nothing of the note.
  await customer.getByText('The controller is being restarted.').waitFor()
  await expect.poll(() => customer.getByText('Open', { exact: true }).count()).toBeGreaterThan(0)
  expect(await customer.getByText('Same as in March').count()).toBe(0)

  await customer.getByRole('textbox', { name: 'Your reply' }).fill('It is green again. Thank you!')
  await customer.getByRole('button', { name: 'Send reply' }).click()
  await agent.getByText('It is green again.').waitFor()
  await screenshot(agent, 'desk-ticket')

  await agent.getByRole('textbox', { name: /^Your reply to/ }).fill('Good. I close this.')
  await agent.getByRole('button', { name: 'Send and set the status' }).click()
  await agent.getByRole('menuitem', { name: 'Send and set Resolved' }).click()
  await customer.getByText('Good. I close this.').waitFor()
  await customer.getByText('Resolved', { exact: true }).first().waitFor()
  await screenshot(customer, 'portal-ticket')

  expect(await isUnreloaded(agent)).toBe(true)
  expect(await isUnreloaded(customer)).toBe(true)
  expect(complaints).toEqual([[], []])

  const database = new Client({ connectionString: stage.database.ownerUrl })
  await database.connect()
  try {
    const { rows: clocks } = await database.query(
      `select clock.kind, clock.met_at is not null as met, clock.breached_at is not null as breached
       from app_public.sla_calculations as clock
       join app_public.tickets as ticket on ticket.organization_id = clock.organization_id and ticket.id = clock.ticket_id
       where ticket.subject = $1 order by clock.kind`,
      [subject],
    )
    expect(clocks).toEqual([
      { kind: 'first_response', met: true, breached: false },
      { kind: 'resolution', met: true, breached: false },
    ])
    const { rows: events } = await database.query<{ type: string }>(
      `select event.type from app_public.ticket_events as event
       join app_public.tickets as ticket on ticket.organization_id = event.organization_id and ticket.id = event.ticket_id
       where ticket.subject = $1`,
      [subject],
    )
    expect(events.map(({ type }) => type).sort()).toEqual(
      [
        'ticket_created',
        'assignee_changed',
        'comment_added',
        'comment_added',
        'comment_added',
        'comment_added',
        'sla_met',
        'sla_met',
        'status_changed',
        'status_changed',
      ].sort(),
    )
    const { rows: chains } = await database.query(
      `select verdict.verified from app_private.audit_scopes() as scope
       cross join lateral app_private.verify_audit_chain_of(scope) as verdict`,
    )
    expect(chains.every(({ verified }) => verified)).toBe(true)
  } finally {
    await database.end()
  }
})

test('what happens before a page that was read is listened for is shown as well', async () => {
  const agent = await stage.open()
  await agent.addInitScript(`{
    const send = WebSocket.prototype.send
    const opened = new Promise((resolve) => { window.listen = resolve })
    WebSocket.prototype.send = function (data) {
      if (String(data).includes('"subscribe"')) void opened.then(() => send.call(this, data))
      else send.call(this, data)
    }
  }`)
  await logIn(agent, 'desk', 'agent@globex.example')
  await agent.getByRole('row').nth(1).waitFor()

  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@globex.example')
  await customer.goto('/portal/new')
  await customer.getByLabel('What is it about?').fill('Asked in the moment between')
  await customer.getByLabel('Description').fill('The door was just being opened.')
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL('**/portal/tickets/*')

  expect(await agent.getByText('Asked in the moment between').count()).toBe(0)
  await agent.evaluate('window.listen()')
  await agent.getByText('Asked in the moment between').first().waitFor()
})

test('the live connection comes back by itself, with what was missed', async () => {
  const agent = await stage.open()
  await logIn(agent, 'desk', 'agent@globex.example')
  await live(agent)
  await agent.context().setOffline(true)
  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@globex.example', '/portal/new')
  await customer.getByLabel('What is it about?').fill('Asked while the agent was offline')
  await customer.getByLabel('Description').fill('The invoice of October is missing.')
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL('**/portal/tickets/*')
  expect(await agent.getByText('Asked while the agent was offline').count()).toBe(0)
  await agent.context().setOffline(false)
  await agent.getByText('Asked while the agent was offline').waitFor({ timeout: 30_000 })
})

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = join(repository, process.env.UPDATE_SCREENSHOTS ? 'docs/images' : '.atum/screenshots')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
