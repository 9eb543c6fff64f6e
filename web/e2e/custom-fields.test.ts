import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withClient } from '../../infra/dev/database.ts'
import { repository } from '../../infra/dev/repository.ts'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

async function choose(page: Page, label: string | RegExp, option: string): Promise<void> {
  await page.getByRole('button', { name: label }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

/** For whoever wants to look at what a person would see. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = join(repository, '.atum/pictures')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `custom-fields-${name}.png`), fullPage: true })
}

async function addField(page: Page, fill: () => Promise<void>, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Add a field' }).first().click()
  await page.getByRole('dialog').getByLabel('Name').fill(name)
  await fill()
  await page.getByRole('dialog').getByRole('button', { name: 'Add a field' }).click()
  await page.getByText(`${name} was added`).first().waitFor()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

test('an admin adds fields, a customer fills them in, an agent changes them', async () => {
  const admin = await stage.open()
  const complaints = [complaintsOf(admin)]
  await logIn(admin, 'desk', 'admin@acme.example')
  await admin.getByRole('link', { name: 'Administration' }).click()
  await admin.getByRole('link', { name: 'Fields', exact: true }).click()
  await admin.getByRole('heading', { level: 1, name: 'Fields' }).waitFor()
  await picture(admin, 'empty')

  // Nothing is sent that is not whole.
  await admin.getByRole('button', { name: 'Add a field' }).first().click()
  await admin.getByRole('dialog').getByRole('button', { name: 'Add a field' }).click()
  await admin.getByText('Give it a name.').waitFor()
  await admin.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()

  await addField(
    admin,
    async () => {
      await choose(admin, /Kind/, 'One of several options')
      for (const [index, option] of ['Hardware', 'Software'].entries()) {
        await admin.getByRole('button', { name: 'Add an option' }).click()
        await admin.getByRole('textbox', { name: `Option ${index + 1}` }).fill(option)
      }
      await admin.getByText('Customers see it').click()
      await admin.getByText('Customers fill it in when they open a ticket').click()
      await choose(admin, /Needed/, 'When a ticket is opened')
      await picture(admin, 'dialog')
      expect(await violationsOf(admin)).toEqual([])
    },
    'What kind of fault',
  )
  await addField(
    admin,
    async () => {
      await admin.getByText('Customers see it').last().click()
      await admin.getByText('Customers fill it in when they open a ticket').click()
      await choose(admin, /Ask only when/, 'What kind of fault')
      await admin.getByRole('checkbox', { name: 'Hardware' }).press('Space')
    },
    'Serial number',
  )
  await addField(
    admin,
    async () => {
      await choose(admin, /Kind/, 'Number')
      await admin.getByLabel('Most').fill('10000')
      await choose(admin, /Needed/, 'Before a ticket is resolved')
    },
    'Cost in euros',
  )
  await admin.getByRole('button', { name: 'Move Cost in euros up' }).click()
  await admin.getByText('Cost in euros is now number 2 of 3').first().waitFor()
  expect(await violationsOf(admin)).toEqual([])
  await picture(admin, 'list')
  await admin.setViewportSize({ width: 360, height: 720 })
  await admin.emulateMedia({ colorScheme: 'dark' })
  expect(await admin.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  await picture(admin, 'narrow')
  await admin.emulateMedia({ colorScheme: 'light' })
  await admin.setViewportSize({ width: 1280, height: 800 })

  const customer = await stage.open()
  complaints.push(complaintsOf(customer))
  await logIn(customer, 'portal', 'customer@acme.example')
  await customer.getByRole('link', { name: 'New request' }).first().click()
  await customer.getByLabel('What is it about?').fill('The scanner is dead')
  await customer.getByLabel('Description').fill('It does nothing at all.')
  await customer.getByRole('button', { name: 'What kind of fault' }).waitFor()
  expect(await customer.getByText('Cost in euros').count()).toBe(0)
  expect(await customer.getByLabel('Serial number').count()).toBe(0)
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.getByText('This is needed.').waitFor()
  await picture(customer, 'form')
  await choose(customer, /What kind of fault/, 'Hardware')
  await customer.getByLabel('Serial number').fill(' SN-4711 ')
  expect(await violationsOf(customer)).toEqual([])
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL('**/portal/tickets/*')
  await customer.getByText('SN-4711', { exact: true }).waitFor()
  await picture(customer, 'portal')

  const agent = await stage.open()
  complaints.push(complaintsOf(agent))
  await logIn(agent, 'desk', 'agent@acme.example')
  await agent.getByRole('link', { name: 'The scanner is dead' }).click()
  await agent.getByText('SN-4711', { exact: true }).waitFor()
  await picture(agent, 'panel')
  await choose(agent, /Status/, 'Resolved')
  await agent
    .getByText('Fill in the fields that are needed before you resolve this ticket.')
    .first()
    .waitFor()
  await agent.getByRole('button', { name: 'Change the fields' }).click()
  await agent.getByLabel('Cost in euros').fill('20000')
  await agent.getByRole('button', { name: 'Save changes' }).click()
  await agent.getByText('At most 10,000.').waitFor()
  await picture(agent, 'editing')
  await agent.getByLabel('Cost in euros').fill('12,5')
  await choose(agent, /What kind of fault/, 'Software')
  await agent.getByRole('button', { name: 'Save changes' }).click()
  await agent.getByText('Cost in euros: 12.5').waitFor()
  await agent.getByText('Serial number: empty').waitFor()
  expect(await agent.locator('*:focus').getAttribute('aria-label')).toBe('Change the fields')
  expect(await violationsOf(agent)).toEqual([])
  await picture(agent, 'changed')
  await choose(agent, /Status/, 'Resolved')

  // The customer sees it live, and nothing of what is internal.
  await customer.getByText('What kind of fault: Software').waitFor()
  expect(await customer.getByText('Cost in euros').count()).toBe(0)

  await admin.getByRole('button', { name: 'Change What kind of fault' }).click()
  await admin.getByRole('dialog').getByRole('button', { name: 'Retire' }).click()
  await admin.locator('section[role="alertdialog"]').getByRole('button', { name: 'Retire' }).click()
  await admin.getByText('This field cannot be saved like that.').waitFor()
  expect(complaints.flat()).toEqual([])
})

test('an agent sees the tickets of which a field says something, and what another one says', async () => {
  await withClient(stage.database.superuserUrl, async (client) => {
    await client.query('begin')
    await client.query(`
      select set_config('atum.organization_id', organization_id::text, true), set_config('atum.user_id', id::text, true),
        set_config('role', 'atum_admin', true)
      from app_public.users where email = 'admin@acme.example'`)
    await client.query(`
      select app_public.create_custom_field('wing', 'select', 'Wing of the house', options => '[{"key": "east", "label": "East"}]'),
        app_public.create_custom_field('floor', 'number', 'Floor')`)
    await client.query(`
      update app_public.tickets set internal_fields = '{"wing": "east", "floor": 12.5}'
      where id = (select id from app_public.tickets where status = 'open' order by number limit 1)`)
    await client.query('commit')
  })
  const page = await stage.open({ viewport: { width: 1280, height: 1000 } })
  const complaints = complaintsOf(page)
  await logIn(page, 'desk', 'agent@acme.example')
  await page.getByRole('button', { name: 'New view' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('The east wing')
  const more = dialog.getByRole('group', { name: 'And all of these' })
  await more.getByRole('button', { name: 'Add condition' }).click()
  await more.getByRole('button', { name: /Property$/ }).click()
  await page.getByRole('option', { name: 'Wing of the house' }).click()
  await dialog.getByRole('button', { name: 'New view' }).click()
  await dialog.getByText('Complete each condition, or take it away.').waitFor()
  await more.getByRole('button', { name: /Value$/ }).click()
  await page.getByRole('option', { name: 'East' }).click()
  await dialog.getByRole('checkbox', { name: 'Floor' }).press('Space')
  expect(await violationsOf(page)).toEqual([])
  await picture(page, 'view-dialog')
  await dialog.getByRole('button', { name: 'New view' }).click()
  const table = page.getByRole('table', { name: 'The east wing' })
  await table.getByRole('columnheader', { name: 'Floor' }).waitFor()
  await table.getByRole('cell', { name: '12.5' }).waitFor()
  expect(await table.getByRole('row').count()).toBe(2)
  await picture(page, 'view')
  expect(complaints).toEqual([])
})
