import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

async function deskOf(role: 'agent' | 'manager' | 'admin'): Promise<Page> {
  const page = await stage.open()
  await logIn(page, 'desk', `${role}@acme.example`)
  return page
}

async function openFirstTicket(page: Page): Promise<string> {
  // After the head of the table.
  await page.getByRole('row').nth(1).click()
  await page.waitForURL('**/desk/tickets/*')
  await page.getByRole('heading', { level: 1 }).waitFor()
  return page.url()
}

const timeOf = (page: Page) => page.getByRole('region', { name: 'Time', exact: true })

test('time is recorded, corrected with a reason, measured, and summed up for managers', async () => {
  const admin = await deskOf('admin')
  await admin.getByRole('link', { name: 'Administration' }).click()
  await admin.getByRole('link', { name: 'Time activities' }).click()
  await admin.getByRole('button', { name: 'Add an activity' }).first().click()
  await admin.getByLabel('Name').fill('Site visit')
  await admin.getByRole('dialog').getByRole('button', { name: 'Add an activity' }).click()
  await admin.getByText('Site visit', { exact: true }).waitFor()
  expect(await violationsOf(admin)).toEqual([])

  const page = await deskOf('agent')
  const complaints = complaintsOf(page)
  const url = await openFirstTicket(page)
  const time = timeOf(page)
  await time.getByRole('button', { name: 'Record time' }).click()
  await page.getByLabel('How long').fill('soon')
  await page.getByRole('dialog').getByRole('button', { name: 'Record', exact: true }).click()
  await page.getByText('Enter a time such as 1:30, 45m or 1.5h.').waitFor()
  await page.getByLabel('How long').fill('1h 30m')
  await page.getByLabel('What was done').fill('New cabling')
  await page.getByRole('dialog').getByRole('button', { name: 'Record', exact: true }).click()
  await time.getByText('New cabling').waitFor()
  await page.getByText('recorded 1:30 of work').waitFor()

  await time.getByRole('button', { name: /^Correct 1:30 of/ }).click()
  await page.getByLabel('How long').fill('45m')
  await page.getByRole('dialog').getByRole('button', { name: 'Correct', exact: true }).click()
  await page.getByText('Say why.').waitFor()
  await page.getByLabel('Why is it corrected?').fill('Lunch was in it')
  await page.getByRole('dialog').getByRole('button', { name: 'Correct', exact: true }).click()
  await time.getByText(/corrected 1:30: Lunch was in it/).waitFor()

  await time.getByRole('button', { name: 'Start timer' }).click()
  await time.getByRole('button', { name: 'Stop and record' }).waitFor()
  // It is still there after the page was loaded again, and wherever one goes.
  await page.goto('/desk')
  const chip = page.getByRole('region', { name: 'Running timer' }).filter({ visible: true })
  await chip.waitFor()
  await page.goto(url)
  await timeOf(page).getByRole('button', { name: 'Stop and record' }).click()
  await chip.waitFor({ state: 'detached' })
  await timeOf(page).getByText('0:45').first().waitFor()
  expect(await violationsOf(page)).toEqual([])
  expect(complaints).toEqual([])
  // Agents have no report.
  expect(await page.getByRole('link', { name: 'Time report' }).count()).toBe(0)
  await page.goto('/desk/time')
  await page.waitForURL(/\/desk$/)

  const manager = await deskOf('manager')
  await manager.getByRole('link', { name: 'Time report' }).click()
  await manager.getByRole('rowheader', { name: 'Total' }).waitFor()
  const saved = manager.waitForEvent('download')
  await manager.getByRole('button', { name: 'Download as CSV' }).click()
  const file = await readFile(await (await saved).path(), 'utf8')
  expect(file).toContain('Agent,Entries,Hours,Billable hours')
  expect(file).toMatch(/,2,0\.75,0\.75/)
  expect(await violationsOf(manager)).toEqual([])
}, 120_000)

test('two agents at one ticket see each other, and that the other one types', async () => {
  const one = await deskOf('agent')
  const url = await openFirstTicket(one)
  const other = await deskOf('manager')
  await other.goto(url)
  const seesOther = (page: Page) => page.getByRole('img', { name: /looking at this ticket too/ })
  await seesOther(one).waitFor()
  await seesOther(other).waitFor()
  await other.getByRole('textbox', { name: /reply to/i }).pressSequentially('I am on it')
  await one.getByText(/is typing/).waitFor()
  expect(await violationsOf(one)).toEqual([])
  await other.goto('/desk')
  await seesOther(one).waitFor({ state: 'detached', timeout: 10_000 })
  expect(await one.getByText(/is typing/).count()).toBe(0)
}, 60_000)
