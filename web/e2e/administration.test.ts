import type { Page } from 'playwright-core'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  complaintsOf,
  fillSignIn,
  linkFor,
  logIn,
  logInByForm,
  setStage,
  violationsOf,
  type Stage,
} from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

const password = 'seven lanterns over the bay'

/** The dialog that asks; a notice has its role too. */
const question = (page: Page) => page.locator('section[role="alertdialog"]')

async function administration(place: string): Promise<Page> {
  const page = await stage.open()
  await logIn(page, 'desk', 'admin@acme.example')
  // The views move what is below them when they come.
  await page.getByRole('region', { name: 'Views' }).getByRole('listitem').first().waitFor()
  await page.getByRole('link', { name: 'Administration' }).click()
  await page.waitForURL('**/desk/admin/people')
  if (place !== 'People') await page.getByRole('link', { name: place }).click()
  await page.getByRole('heading', { level: 1, name: place }).waitFor()
  return page
}

async function openPerson(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'People', exact: true }).first().click()
  await page.getByRole('link', { name }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
}

/** What an operator does on the server. */
async function liftIpRules(): Promise<void> {
  const operator = new Client({ connectionString: stage.database.superuserUrl })
  await operator.connect()
  try {
    await operator.query('delete from app_public.ip_rules')
  } finally {
    await operator.end()
  }
}

test('only admins get in', async () => {
  for (const [door, role, home] of [
    ['portal', 'customer', '/portal?from=desk'],
    ['desk', 'agent', '/desk'],
    ['desk', 'manager', '/desk'],
  ] as const) {
    const page = await stage.open()
    const warnings: string[] = []
    page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()))
    await logIn(page, door, `${role}@acme.example`)
    expect(await page.getByRole('link', { name: 'Administration' }).count()).toBe(0)
    for (const path of ['', '/people', '/security', '/single-sign-on']) {
      await page.goto(`/desk/admin${path}`)
      await page.waitForURL(`**${home}`)
    }
    expect(warnings).toEqual([])
  }
})

test('nothing is wrong with the pages, nor with what a reader hears', async () => {
  const page = await administration('People')
  const complaints = complaintsOf(page)
  for (const place of [
    'People',
    'Roles',
    'Companies',
    'Fields',
    'Sign-in and security',
    'IP rules',
    'Single sign-on',
  ]) {
    await page.getByRole('link', { name: place, exact: true }).click()
    await page.getByRole('heading', { level: 1, name: place }).waitFor()
    await page.waitForLoadState('networkidle')
    expect(await violationsOf(page)).toEqual([])
  }
  await openPerson(page, 'Tobias Reinhardt')
  expect(await violationsOf(page)).toEqual([])
  for (const path of ['people/nobody', 'people/00000000-0000-0000-0000-000000000000', 'single-sign-on/x']) {
    await page.goto(`/desk/admin/${path}`)
    await page.getByText(/There is (nothing at this address|no such person)/).waitFor()
  }
  expect(complaints).toEqual([])
})

test('a person is invited, comes by the link that was handed over, and signs in', async () => {
  const admin = await administration('People')
  await admin.getByRole('button', { name: 'Invite a person' }).click()
  await admin.getByRole('button', { name: 'Send invitation' }).click()
  await admin.getByText('Enter the e-mail address.').waitFor()
  await admin.getByLabel('E-mail address', { exact: true }).fill('agent@acme.example')
  await admin.getByLabel('Name', { exact: true }).fill('Grace Adeyemi')
  await admin.getByRole('button', { name: 'Send invitation' }).click()
  await admin.getByText('There is a person with this e-mail address already.').waitFor()
  await admin.getByLabel('E-mail address', { exact: true }).fill('grace@acme.example')
  expect(await admin.getByLabel('Name', { exact: true }).inputValue()).toBe('Grace Adeyemi')
  await admin.getByRole('button', { name: /Role$/ }).last().click()
  await admin.getByRole('option', { name: 'Agent' }).click()
  await admin.getByText('Infrastructure').click()
  await admin.getByRole('button', { name: 'Send invitation' }).click()
  await admin.getByText('A mail to grace@acme.example is on its way.').waitFor()

  const mailed = await linkFor(stage, 'grace@acme.example', 'invitation')
  await admin.getByRole('button', { name: 'Make a link' }).click()
  const handedOver = await admin.locator('code', { hasText: '/invitation#token=' }).innerText()
  await admin.getByRole('button', { name: 'Done' }).click()
  await admin.getByRole('row', { name: /Grace Adeyemi.*Invited/ }).waitFor()

  const grace = await stage.open()
  await grace.goto(mailed)
  await grace.getByText('It was used already, or is too old.').waitFor()
  await grace.goto(handedOver)
  await grace.getByLabel('Password', { exact: true }).fill(password)
  await grace.getByRole('button', { name: 'Accept and sign in' }).click()
  await grace.waitForURL('**/desk')

  const elsewhere = await stage.open()
  await elsewhere.goto('/desk/login')
  await fillSignIn(elsewhere, 'grace@acme.example', password)
  await elsewhere.waitForURL('**/desk')

  await openPerson(admin, 'Grace Adeyemi')
  expect(await admin.getByRole('checkbox', { name: 'Infrastructure' }).isChecked()).toBe(true)
  expect(await admin.getByRole('checkbox', { name: 'Service Desk' }).isChecked()).toBe(false)
})

test('the own account is neither shut nor given another role', async () => {
  const page = await administration('People')
  await openPerson(page, 'Katharina Brandt')
  await page.getByText('Nobody disables their own account.').waitFor()
  await page.getByText('Nobody changes their own role.').waitFor()
  expect(await page.getByRole('button', { name: 'Disable account' }).count()).toBe(0)
})

test('disabling an account ends its sessions while they are looked at, and enabling lets the person in again', async () => {
  const agent = await stage.open()
  await logIn(agent, 'desk', 'lukas.novak@acme.example')
  await agent.getByText('Live', { exact: true }).filter({ visible: true }).first().waitFor()

  const admin = await administration('People')
  await openPerson(admin, 'Lukáš Novák')
  await admin.getByText('Chrome on Linux').waitFor()
  await admin.getByRole('button', { name: 'Disable account' }).click()
  await question(admin).getByRole('button', { name: 'Cancel' }).click()
  await admin.getByRole('button', { name: 'Disable account' }).click()
  await question(admin).getByRole('button', { name: 'Disable account' }).click()
  await question(admin).waitFor({ state: 'detached' })
  await admin.getByText('Not signed in anywhere.').waitFor()

  // Nothing is pressed there: the open page leaves by itself.
  await agent.waitForURL('**/desk/login**')
  await fillSignIn(agent, 'lukas.novak@acme.example', 'atum-demo-2026')
  await agent.getByRole('alert').waitFor()

  await admin.getByRole('button', { name: 'Enable account' }).click()
  await question(admin).getByRole('button', { name: 'Enable account' }).click()
  await question(admin).waitFor({ state: 'detached' })
  await admin.getByRole('button', { name: 'Disable account' }).waitFor()
  await logInByForm(agent, 'desk', 'lukas.novak@acme.example')
})

test('another role signs the person out, who comes back with its rights', async () => {
  const manager = await stage.open()
  await logIn(manager, 'desk', 'manager@acme.example')
  const admin = await administration('People')
  await openPerson(admin, 'Tobias Reinhardt')
  await admin.getByRole('button', { name: /Role$/ }).last().click()
  await admin.getByRole('option', { name: 'Administrator' }).click()
  await admin.getByRole('button', { name: 'Save changes' }).nth(1).click()
  await question(admin).getByRole('button', { name: 'Change role' }).click()
  await admin.getByText('Role and reach saved').waitFor()
  await manager.waitForURL('**/desk/login**')
  await logInByForm(manager, 'desk', 'manager@acme.example')
  await manager.getByRole('link', { name: 'Administration' }).waitFor()
})

test('a rule that would shut out the admin who makes it asks first', async () => {
  const page = await administration('IP rules')
  await page.getByRole('button', { name: 'Add a rule' }).click()
  await page.getByLabel('Network', { exact: true }).fill('192.0.2.7/24')
  await page.getByRole('button', { name: 'Add rule' }).click()
  await page.getByText('Did you mean 192.0.2.0/24?').waitFor()
  await page.getByLabel('Network', { exact: true }).fill('192.0.2.0/24')
  await page.getByLabel('What it is').fill('Office')
  await page.getByRole('button', { name: 'Add rule' }).click()
  await page.getByText('Your own address would be refused').waitFor()
  await question(page).getByRole('button', { name: 'Cancel' }).click()
  expect(await page.getByLabel('What it is').inputValue()).toBe('Office')

  await page.getByLabel('Network', { exact: true }).fill('')
  await page.getByRole('button', { name: /^Take your own address/ }).click()
  await page.getByRole('button', { name: 'Add rule' }).click()
  await page.getByText('Holds for every role without rules of its own').waitFor()
  await page.getByRole('button', { name: 'Remove 127.0.0.1/32' }).click()
  await question(page).getByRole('button', { name: 'Remove' }).click()
  await page.getByText('127.0.0.1/32 is removed').waitFor()

  // Meant: the session ends, and there is no way back in from here.
  await page.getByRole('button', { name: 'Add a rule' }).click()
  await page.getByLabel('Network', { exact: true }).fill('2001:db8::/32')
  await page.getByRole('button', { name: 'Add rule' }).click()
  await question(page).getByRole('button', { name: 'Add it all the same' }).click()
  await page.getByText('does not allow sign-ins from the network you are in').first().waitFor()
  // Told once, however often one tries.
  await page.goto('/desk')
  await page.waitForURL('**/desk/login**')
  await page.getByText('does not allow sign-ins from the network you are in').waitFor()
  await fillSignIn(page, 'admin@acme.example', 'atum-demo-2026')
  await expect.poll(() => page.locator('[data-pending]').count()).toBe(0)
  expect(await page.getByText('does not allow sign-ins from the network you are in').count()).toBe(1)
  await liftIpRules()
})

test('people of a company that shares see the tickets of their colleagues, until it stops', async () => {
  const admin = await administration('Companies')
  await admin.getByRole('button', { name: 'Add a company' }).first().click()
  await admin.getByLabel('Name', { exact: true }).fill('Northwind Works')
  await admin.keyboard.press('Escape')
  await question(admin).getByText('Discard what you typed?').waitFor()
  await question(admin).getByRole('button', { name: 'Cancel' }).click()
  await admin.getByRole('dialog').getByRole('button', { name: 'Add a company' }).click()
  const company = admin.getByRole('listitem').filter({ hasText: 'Northwind Works' })
  await company.getByText('Nobody yet').waitFor()
  expect(await admin.evaluate<string>('document.activeElement.tagName')).not.toBe('BODY')
  for (const name of ['Jonas Weber', 'Sabine Krüger']) {
    await openPerson(admin, name)
    await admin.getByRole('combobox', { name: 'Company' }).fill('north')
    await admin.getByRole('option', { name: 'Northwind Works' }).click()
    await admin.getByRole('button', { name: 'Save changes' }).nth(1).click()
    await admin.getByText('Role and reach saved').first().waitFor()
  }

  const sabine = await stage.open()
  await logIn(sabine, 'portal', 'sabine.krueger@acme.example', '/portal/new')
  await sabine.getByLabel('What is it about?').fill('The forklift terminal asks for a licence')
  await sabine.getByLabel('Description').fill('Since this morning, on every start.')
  await sabine.getByRole('button', { name: 'Send request' }).click()
  await sabine.waitForURL('**/portal/tickets/*')

  const jonas = await stage.open()
  await logIn(jonas, 'portal', 'customer@acme.example')
  await jonas.getByRole('listitem').first().waitFor()
  expect(await jonas.getByText('The forklift terminal').count()).toBe(0)
  await jonas.goto(new URL(sabine.url()).pathname)
  await jonas.getByText('There is no such ticket').waitFor()

  const share = async () => {
    await admin.getByRole('link', { name: 'Companies' }).click()
    await admin.getByRole('button', { name: 'Change Northwind Works' }).click()
    await admin.getByText('People share their tickets').click()
    await admin.getByRole('button', { name: 'Save changes' }).click()
    await admin.getByRole('dialog').waitFor({ state: 'detached' })
  }
  await share()
  await company.getByText('Shares tickets').waitFor()
  await jonas.goto('/portal')
  const shared = jonas.getByRole('listitem').filter({ hasText: 'The forklift terminal' })
  await shared.getByText('Sabine Krüger').waitFor()
  await jonas.getByRole('radio', { name: 'Mine' }).click()
  await expect.poll(() => shared.count()).toBe(0)
  await jonas.getByRole('radio', { name: 'All of Northwind Works' }).click()
  await shared.getByRole('link').click()
  await jonas.getByText('Since this morning, on every start.').waitFor()

  await jonas.goto('/portal/new')
  await jonas.getByText('Your colleagues at Northwind Works can read this.').waitFor()

  await share()
  await jonas.goto('/portal')
  await jonas.getByRole('listitem').first().waitFor()
  expect(await jonas.getByText('The forklift terminal').count()).toBe(0)
})

test('passwords stay on until somebody can get in without the identity provider', async () => {
  const page = await administration('Sign-in and security')
  const passwords = page.getByRole('switch', { name: 'Sign in with a password kept here' })
  await page.getByText('Sign in with a password kept here').click()
  await page.getByText('No identity provider is set up').waitFor()
  await question(page).getByRole('button', { name: 'Turn passwords off' }).click()
  await page.getByText('Somebody must be able to get in').waitFor()
  const box = await page.getByText('Somebody must be able to get in').boundingBox()
  expect(box!.y + box!.height).toBeLessThanOrEqual(800)
  expect(await passwords.isChecked()).toBe(true)

  await page.getByRole('link', { name: 'Show the administrators' }).click()
  await page.getByRole('link', { name: 'Katharina Brandt' }).click()
  await page.getByText('Break-glass account').click()
  await expect.poll(() => page.getByRole('switch', { name: 'Break-glass account' }).isChecked()).toBe(true)
  await page.getByRole('link', { name: 'Sign-in and security' }).click()
  await page.getByText('Sign in with a password kept here').click()
  await question(page).getByRole('button', { name: 'Turn passwords off' }).click()
  await page.getByText('Passwords are off, but for break-glass accounts').waitFor()

  const agent = await stage.open()
  await agent.goto('/desk/login')
  await fillSignIn(agent, 'agent@acme.example', 'atum-demo-2026')
  await agent.getByText('Your organization signs in through its own identity provider').waitFor()

  await page.getByText('Sign in with a password kept here').click()
  await page.getByText('Passwords let people in again').waitFor()
})

test('a provider is set up, and its secret is never shown again', async () => {
  const page = await administration('Single sign-on')
  const answers: string[] = []
  page.on('response', (response) => {
    if (response.url().includes('/graphql')) void response.text().then((text) => answers.push(text))
  })
  await page.getByRole('button', { name: 'Add a provider' }).click()
  await page.getByRole('menuitem', { name: 'OpenID Connect' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Acme ID')
  await page.getByRole('button', { name: 'Add provider' }).click()
  await page.getByText('Enter something here.').first().waitFor()
  await page.getByText('Each provider has an address of its own.').waitFor()
  await page.getByLabel('Issuer').fill('https://id.acme.example')
  await page.getByLabel('Client ID').fill('atum-desk')
  await page.getByLabel('Client secret').fill('a secret of the two')
  await page.getByRole('button', { name: 'Add provider' }).click()
  await page.getByRole('heading', { level: 1, name: 'Acme ID' }).waitFor()
  expect(await page.getByLabel('Client secret').inputValue()).toBe('')
  const providerId = new URL(page.url()).pathname.split('/').at(-1)!
  await page.getByText(`${stage.address}/api/v1/auth/sso/callback/${providerId}`, { exact: true }).waitFor()
  await page.reload()
  await page.getByText('One is stored, and never shown.').waitFor()
  expect(answers.join()).toContain('https://id.acme.example')
  expect(answers.join()).not.toContain('a secret of the two')

  const stranger = await stage.open()
  await stranger.goto('/o/acme/desk')
  await stranger.getByText('Acme ID').waitFor()

  await page.getByRole('button', { name: 'Remove provider' }).click()
  await question(page).getByRole('button', { name: 'Remove provider' }).click()
  await page.getByText('Everybody signs in with a password').waitFor()
})
