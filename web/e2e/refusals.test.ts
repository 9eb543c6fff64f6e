import { afterAll, beforeAll, expect, test } from 'vitest'
import { logIn, setStage, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

test('a wrong password and an unknown address get the same words', async () => {
  const page = await stage.open()
  const words: string[] = []
  for (const email of ['agent@acme.example', 'nobody@acme.example']) {
    await page.goto('/desk/login')
    await page.getByLabel('E-mail address').fill(email)
    await page.getByLabel('Password', { exact: true }).fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    words.push(await page.getByRole('alert').innerText())
  }
  expect(words[0]).toBe(words[1])
})

test('a customer does not get into the desk', async () => {
  const page = await stage.open()
  await logIn(page, 'portal', 'customer@acme.example', '/desk')
  await page.waitForURL('**/portal?from=desk')
  await page.goto('/desk/tickets/1001')
  await page.waitForURL('**/portal?from=desk')
  await page.getByText('The desk is where your help team works.').waitFor()
})

test('the ticket of another organization is not there', async () => {
  const page = await stage.open()
  await logIn(page, 'desk', 'agent@globex.example', '/desk/tickets/999999')
  await page.getByText('There is no such ticket').waitFor()
  await page.goto('/desk/tickets/1005')
  await page
    .getByText(/GLBX-1005/)
    .first()
    .waitFor()
  expect(await page.getByText(/ACME/).count()).toBe(0)
})

test('an empty request is not sent, and says why', async () => {
  const page = await stage.open()
  await logIn(page, 'portal', 'customer@acme.example', '/portal/new')
  await page.getByRole('button', { name: 'Send request' }).click()
  await page.getByText('Say in a few words what it is about.').waitFor()
  expect(page.url()).toContain('/portal/new')
})

test('what was typed survives a reload', async () => {
  const page = await stage.open()
  await logIn(page, 'portal', 'customer@acme.example', '/portal/new')
  await page.getByLabel('Description').fill('Half a sentence that')
  await page.reload()
  await expect.poll(() => page.getByLabel('Description').inputValue()).toBe('Half a sentence that')
})
