import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demo } from '../../infra/dev/demo.ts'
import { codeOf } from './one-time-codes.ts'
import { complaintsOf, logIn, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

async function profileOf(role: 'customer' | 'agent' | 'manager' | 'admin'): Promise<Page> {
  const page = await stage.open()
  const door = role === 'customer' ? 'portal' : 'desk'
  await logIn(page, door, `${role}@acme.example`)
  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Your profile' }).click()
  await page.waitForURL(`**/${door}/profile`)
  await page.getByRole('heading', { level: 1, name: 'Your profile' }).waitFor()
  return page
}

const ask = (page: Page, token: string) =>
  page.evaluate(async (bearer) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ query: '{ currentUser { name } }' }),
    })
    return { status: response.status, text: await response.text() }
  }, token)

test('a wrong current password and a common new one change nothing', async () => {
  const page = await profileOf('admin')
  await page.getByLabel('Current password').fill('not mine')
  await page.getByLabel('New password', { exact: true }).fill('five boats under a bridge')
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('This is not your current password.').waitFor()
  await page.getByLabel('Current password').fill(demo.password)
  await page.getByLabel('New password', { exact: true }).fill('password123')
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('Many people use this password').waitFor()
})

test('a name that is changed is at once what everybody reads', async () => {
  const page = await profileOf('customer')
  const complaints = complaintsOf(page)
  expect(await violationsOf(page)).toEqual([])
  const name = page.getByRole('textbox', { name: 'Name' }).first()
  await name.fill('')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Enter your name.').waitFor()
  await name.fill('Zoë Grün')
  const zone = page.getByRole('combobox', { name: 'Time zone' })
  await zone.fill('new york')
  await page.getByRole('option', { name: /America\/New York/ }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Your profile is saved.').waitFor()
  await page.getByRole('button', { name: 'Account of Zoë Grün' }).waitFor()
  await page.reload()
  await expect.poll(() => zone.inputValue()).toBe('America/New York')
  await page.getByRole('button', { name: /^Language|Language$/ }).click()
  await page.getByRole('option', { name: 'Deutsch' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Ihr Profil' }).waitFor()
  expect(complaints).toEqual([])
})

test('another session is ended from here, and that device is out at once', async () => {
  const other = await stage.open()
  await logIn(other, 'desk', 'agent@acme.example')
  const page = await profileOf('agent')
  await page.getByText('This device').waitFor()
  const end = page.getByRole('button', { name: /^End the session of/ })
  expect(await end.count()).toBe(1)
  await end.click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click()
  expect(await end.count()).toBe(1)
  await end.click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'End the session' }).click()
  await page.getByText('The session has ended.').waitFor()
  await expect.poll(() => end.count()).toBe(0)
  await other.waitForURL('**/desk/login**')
  await other.getByText('Your session has ended.').waitFor()
  // And this one goes on.
  await page.reload()
  await page.getByText('This device').waitFor()
})

test('an API token is shown once, works, and works no more when it is revoked', async () => {
  const page = await profileOf('manager')
  await page.getByRole('button', { name: 'Make a token' }).click()
  await page.getByRole('button', { name: 'Make a token' }).click()
  await page.getByText('Give it a name.').waitFor()
  await page.getByRole('textbox', { name: 'Name' }).last().fill('Monitoring')
  await page.getByText('Work on tickets', { exact: true }).click()
  await page.getByText('Read everything I may', { exact: true }).click()
  await page.getByRole('button', { name: 'Make a token' }).click()
  await page.getByText('Reading everything does not go with working on tickets').waitFor()
  await page.getByText('Work on tickets', { exact: true }).click()
  expect(await violationsOf(page)).toEqual([])
  await page.getByRole('button', { name: 'Make a token' }).click()
  await page.getByRole('heading', { name: 'Monitoring is ready' }).waitFor()
  const token = await page.getByText(/^atum_[0-9a-f]{56}$/).innerText()
  expect(await ask(page, token)).toMatchObject({ status: 200, text: expect.stringContaining('currentUser') })

  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByText(`atum_…${token.slice(-4)}`).waitFor()
  expect(await page.content()).not.toContain(token)
  await page.getByRole('button', { name: 'Revoke Monitoring' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke the token' }).click()
  await page.getByText('You have no tokens.').waitFor()
  await expect.poll(async () => (await ask(page, token)).status).toBe(401)
})

test('two-factor sign-in is turned on, gets new recovery codes, and is turned off with proof', async () => {
  const page = await profileOf('admin')
  const settings = page.getByRole('region', { name: 'Two-factor sign-in' })
  await settings.getByRole('button', { name: 'Turn on' }).click()
  const secret = (await settings.locator('code').innerText()).replaceAll(' ', '')
  const code = settings.getByLabel('Code from your authenticator app')
  // Each code is good once: the one before, this one and the next are three.
  await code.fill(codeOf(secret, -1))
  const keep = async () => {
    await settings.getByText('I have kept them in a safe place').click()
    await settings.getByRole('button', { name: 'Done' }).click()
  }
  await keep()
  await settings.getByText('10 recovery codes are left.').waitFor()

  await settings.getByRole('button', { name: 'New recovery codes' }).click()
  await settings.getByLabel('Your password').fill('not mine')
  await code.fill(codeOf(secret))
  await settings.getByRole('button', { name: 'New recovery codes' }).click()
  await settings.getByText('The password is not right.').waitFor()
  await settings.getByLabel('Your password').fill(demo.password)
  await code.fill(codeOf(secret))
  await settings.getByRole('button', { name: 'New recovery codes' }).click()
  await keep()

  await settings.getByRole('button', { name: 'Turn off' }).click()
  expect(await violationsOf(page)).toEqual([])
  await settings.getByLabel('Your password').fill(demo.password)
  await code.fill('000000')
  await settings.getByRole('button', { name: 'Turn off' }).click()
  await settings.getByText('This code is not right').waitFor()
  await code.fill(codeOf(secret, 1))
  await settings.getByRole('button', { name: 'Turn off' }).click()
  await settings.getByText('You sign in with your password alone.').waitFor()
})
