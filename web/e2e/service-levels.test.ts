import { afterAll, beforeAll, expect, test } from 'vitest'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

test('an admin sets working hours, a holiday, a policy, its order and an escalation', async () => {
  const page = await stage.open()
  const complaints = complaintsOf(page)
  await logIn(page, 'desk', 'admin@acme.example', '/desk/admin/service-levels')
  await page.getByRole('heading', { level: 1, name: 'Service levels' }).waitFor()
  const dialog = page.getByRole('dialog')

  await page.getByRole('button', { name: 'Add a calendar' }).click()
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Late shift')
  await dialog.getByRole('textbox', { name: 'Time zone' }).fill('Europe/Berlin')
  await dialog.getByRole('textbox', { name: 'Monday' }).fill('half past nine')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('Write hours like 9:00–17:00.').waitFor()
  await dialog.getByRole('textbox', { name: 'Monday' }).fill('12:00-16:00, 17:00-22:00')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('Mon 12:00–16:00, 17:00–22:00').waitFor()

  await page.getByRole('button', { name: 'Change Late shift' }).click()
  await dialog.getByRole('textbox', { name: 'What is celebrated' }).fill('Christmas Eve')
  await dialog.getByLabel('First day').fill('2026-12-24')
  await dialog.getByLabel('Shut from').fill('12:00')
  await dialog.getByText('Every year').click()
  await dialog.getByRole('button', { name: 'Add the holiday' }).click()
  await dialog.getByText('24 December, from 12:00 to 24:00, every year').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await dialog.waitFor({ state: 'detached' })

  await page.getByRole('button', { name: 'Add a policy' }).click()
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Urgent first')
  // The box itself lies under its label.
  await dialog
    .locator('label')
    .filter({ hasText: /^Urgent$/ })
    .click()
  await dialog.getByRole('textbox', { name: 'Next response, Urgent' }).fill('soon')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('Write a time like 4h or 1h 30m.').waitFor()
  await dialog.getByRole('textbox', { name: 'Next response, Urgent' }).fill('1h 30m')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })

  const order = page.getByRole('list', { name: 'Policies' }).getByRole('listitem')
  await page.getByRole('button', { name: 'Move Urgent first up' }).click()
  await expect.poll(() => order.first().innerText()).toContain('Urgent first')
  expect(await order.first().innerText()).toContain('1h 30m')

  await page.getByRole('button', { name: 'Change Urgent first' }).click()
  await dialog.getByRole('button', { name: 'Add it' }).click()
  await dialog.getByText('1h before Resolution is due').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await order.first().getByText('1 escalation').waitFor()

  await page.getByRole('button', { name: 'Change Urgent first' }).click()
  await dialog
    .locator('label')
    .filter({ hasText: /^Mail$/ })
    .click()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await expect.poll(() => order.first().innerText()).toContain('Mail')
  await page.getByRole('button', { name: 'Change Urgent first' }).click()
  await dialog.getByRole('button', { name: 'Archive' }).click()
  const archived = page.getByRole('list', { name: 'Archived policies' })
  await archived.getByText('Urgent first').waitFor()
  await archived.getByRole('button', { name: 'Change Urgent first' }).click()
  await dialog.getByRole('button', { name: 'Take up again' }).click()
  await expect.poll(() => archived.count()).toBe(0)

  expect(await violationsOf(page)).toEqual([])
  expect(complaints).toEqual([])
})
