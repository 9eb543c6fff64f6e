import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage
/** A reply leaves after a second, and the worker has it then. */
const patience = { timeout: 15_000 }

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

/** What the browser was asked to show, instead of the system's own notifications, which no test can see. */
const watchTheBrowser = (page: Page) =>
  page.addInitScript(`
    window.shown = []
    window.Notification = class {
      static permission = 'granted'
      constructor(title, { body }) {
        window.shown.push({ title, body, press: () => this.onclick() })
      }
      close() {}
    }
  `)

/** The page is in another tab, or not. */
const setSeen = (page: Page, isSeen: boolean) =>
  page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${isSeen ? 'visible' : 'hidden'}' })
    document.dispatchEvent(new Event('visibilitychange'))
  `)

const shownBy = (page: Page) =>
  page.evaluate<{ title: string; body: string }[]>('window.shown.map(({ title, body }) => ({ title, body }))')

const bellOf = (page: Page) => page.getByRole('button', { name: /^Notifications/ }).filter({ visible: true })

const unreadOf = async (page: Page) => {
  const name = (await bellOf(page).getAttribute('aria-label')) ?? ''
  return Number(/, (\d+) unread/.exec(name)?.[1] ?? 0)
}

async function readEverything(page: Page) {
  await page.goto(page.url().includes('/portal') ? '/portal/notifications' : '/desk/notifications')
  await page.getByRole('button', { name: 'Mark all as read' }).click()
  await expect.poll(() => unreadOf(page), patience).toBe(0)
}

test('who is assigned a ticket hears of it at once, wherever they look, and the requester is answered by mail', async () => {
  const customer = await stage.open()
  await logIn(customer, 'portal', 'customer@acme.example')
  await customer.getByRole('link', { name: 'New request' }).first().click()
  await customer.getByLabel('What is it about?').fill('The scanner hums')
  await customer.getByLabel('Description').fill('It hums all day')
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL('**/portal/tickets/*')
  await customer.getByRole('heading', { level: 1, name: 'The scanner hums' }).waitFor()
  const number = /tickets\/(\d+)/.exec(customer.url())![1]!
  expect(await unreadOf(customer)).toBe(0)

  const agent = await stage.open()
  const complaints = complaintsOf(agent)
  await watchTheBrowser(agent)
  await logIn(agent, 'desk', 'agent@acme.example')
  await readEverything(agent)
  await agent.getByRole('heading', { level: 1, name: 'Notifications' }).waitFor()
  expect(await violationsOf(agent)).toEqual([])
  await agent.goto('/desk')

  const manager = await stage.open()
  await logIn(manager, 'desk', 'manager@acme.example')
  await readEverything(manager)
  await manager.goto(`/desk/tickets/${number}`)
  await manager.getByRole('heading', { level: 1, name: 'The scanner hums' }).waitFor()
  await manager.getByRole('combobox', { name: 'Assignee' }).fill('Miriam')
  await manager.getByRole('option', { name: 'Miriam Aydin' }).click()

  // Counted up in the page that is looked at, without a word of the browser.
  await expect.poll(() => unreadOf(agent), patience).toBe(1)
  expect(await shownBy(agent)).toEqual([])
  expect(await unreadOf(manager)).toBe(0)
  await bellOf(agent).click()
  const panel = agent.getByRole('dialog', { name: 'Notifications' })
  await panel
    .getByText(/assigned a ticket to you/)
    .first()
    .waitFor()
  expect(await violationsOf(agent)).toEqual([])
  await panel
    .getByRole('link', { name: /assigned a ticket to you/ })
    .first()
    .click()
  await agent.waitForURL(`**/desk/tickets/${number}`)
  await expect.poll(() => unreadOf(agent), patience).toBe(0)

  // What is answered is told to the customer by mail and in the portal, whose page is in another tab.
  await customer.goto('/portal')
  await agent.getByRole('textbox', { name: /^Your reply to/ }).fill('Have you tried another cable?')
  await agent.getByRole('button', { name: 'Send reply' }).click()
  await expect.poll(() => unreadOf(customer), patience).toBe(1)
  await expect
    .poll(
      () => stage.mails.taken.filter(({ text }) => text.includes('Have you tried another cable?')).length,
      patience,
    )
    .toBe(1)
  await customer.goto(`/portal/tickets/${number}`)
  await expect.poll(() => unreadOf(customer), patience).toBe(0)

  // Nobody looks at the desk: the browser says it, and leads there.
  await agent.goto('/desk')
  await agent.getByText('Live', { exact: true }).filter({ visible: true }).first().waitFor()
  await setSeen(agent, false)
  await customer.getByRole('textbox', { name: 'Your reply' }).fill('I have, and it hums on')
  await customer.getByRole('button', { name: 'Send reply' }).click()
  await expect
    .poll(() => shownBy(agent), patience)
    .toMatchObject([{ body: expect.stringContaining('it hums on') }])
  await agent.evaluate('window.shown[0].press()')
  await agent.waitForURL(`**/desk/tickets/${number}`)
  await agent.getByText('I have, and it hums on').first().waitFor()
  // It is not read before it is looked at.
  expect(await unreadOf(agent)).toBe(1)
  await setSeen(agent, true)
  await expect.poll(() => unreadOf(agent), patience).toBe(0)
  expect(complaints).toEqual([])
}, 120_000)

test('everybody chooses what they are told, and when they want to be left alone', async () => {
  const page = await stage.open({ viewport: { width: 360, height: 740 } })
  const complaints = complaintsOf(page)
  await logIn(page, 'portal', 'customer@globex.example')
  await page.keyboard.press('Tab')
  await bellOf(page).click()
  await page.getByRole('link', { name: 'Choose what you are told' }).click()
  await page.waitForURL('**/portal/profile#notifications')
  const replies = page.getByRole('group', { name: 'Replies' })
  await replies.getByRole('checkbox', { name: 'Replies: in the app' }).waitFor()
  // Customers are offered nothing that is for staff.
  expect(await page.getByRole('group', { name: 'Internal notes' }).count()).toBe(0)
  await replies.getByRole('button', { name: /By mail/ }).click()
  await page.getByRole('option', { name: 'Once a day' }).click()
  await replies.getByRole('button', { name: /Once a day/ }).waitFor()
  await page.getByText('Send me no mail and show nothing in the browser at certain hours').click()
  await page.getByLabel('Until').fill('20:00')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText('Choose an end that differs from the beginning.').waitFor()
  await page.getByLabel('Until').fill('06:30')
  await page.getByText('Sunday', { exact: true }).click()
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText('Your hours are saved.').waitFor()
  expect(await violationsOf(page)).toEqual([])
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  await page.reload()
  await expect.poll(() => page.getByLabel('Until').inputValue(), patience).toBe('06:30')
  expect(await page.getByRole('checkbox', { name: 'Sunday' }).isChecked()).toBe(false)
  await page.getByRole('button', { name: 'Use what is usual' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Use what is usual' }).click()
  await replies.getByRole('button', { name: /At once/ }).waitFor()
  expect(complaints).toEqual([])
}, 60_000)
