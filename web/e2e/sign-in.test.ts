import { Client } from 'pg'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demo } from '../../infra/dev/demo.ts'
import { codeOf } from './one-time-codes.ts'
import { fillSignIn, linkFor, logInByForm, setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
}, 180_000)

afterAll(() => stage.close())

const password = 'five boats under a bridge'

/** Does what the operator or an admin does elsewhere. */
async function sql(text: string): Promise<void> {
  const client = new Client({ connectionString: stage.database.superuserUrl })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

const policy = (change: string) =>
  sql(
    `update app_public.security_policies as policy set ${change} from app_public.organizations as organization
     where organization.id = policy.organization_id and organization.slug = 'acme'`,
  )

const alertOf = (page: Page) => page.getByRole('alert').filter({ visible: true }).first()

test('a forgotten password is answered alike, whether the address is known or not', async () => {
  const page = await stage.open()
  const words: string[] = []
  for (const email of ['manager@globex.example', 'nobody@globex.example']) {
    await page.goto('/desk/forgot')
    await page.getByLabel('E-mail address').fill(email)
    await page.getByRole('button', { name: 'Send the link' }).click()
    await page.getByRole('heading', { name: 'Look into your mailbox' }).waitFor()
    words.push((await page.getByRole('main').innerText()).replace(email, ''))
  }
  expect(words[0]).toBe(words[1])
})

test('where no mail is sent, none is promised', async () => {
  const page = await stage.open()
  await page.route('**/api/v1/auth/methods**', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { ...((await response.json()) as object), mail: false } })
  })
  await page.goto('/portal/login')
  await expect
    .poll(() => page.evaluate<string | null>(`document.activeElement.getAttribute('name')`))
    .toBe('email')
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await page.getByText('This installation sends no mail: ask your administrator for a link.').waitFor()
  expect(await page.getByRole('button', { name: 'Send the link' }).count()).toBe(0)
  expect(await violationsOf(page)).toEqual([])

  await logInByForm(page, 'desk', 'admin@acme.example')
  await page.goto('/desk/admin/people')
  await page.getByRole('button', { name: 'Invite a person' }).click()
  await page.getByLabel('E-mail address', { exact: true }).fill('otto@acme.example')
  await page.getByLabel('Name', { exact: true }).fill('Otto Falk')
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  await page.getByText('There is no mail server here: make a link and hand it over.').waitFor()
  expect(await page.getByText('is on its way').count()).toBe(0)
  await page.getByRole('button', { name: 'Make a link' }).click()
  await page.locator('code', { hasText: '/invitation#token=' }).waitFor()
})

test('a link that is made up, and an organization that is not there, say so', async () => {
  const page = await stage.open()
  await page.goto('/reset#token=0123456789abcdef')
  await page.getByRole('heading', { name: 'This link is of no use any more' }).waitFor()
  expect(new URL(page.url()).hash).toBe('')
  await page.goto('/o/nowhere')
  await page.getByText('There is no organization called “nowhere” here.').waitFor()
  await page.goto('/o/acme/register')
  await page.getByRole('heading', { name: 'No registrations here' }).waitFor()
})

test('the second step cannot be reached without the first', async () => {
  const page = await stage.open()
  await page.goto('/two-factor')
  await page.waitForURL('**/portal/login')
  await page.goto('/signed-in?next=/desk')
  await page.waitForURL('**/desk/login?problem=*')
  await alertOf(page).waitFor()
})

test('a forgotten password is replaced by a link from a mail, once', async () => {
  const page = await stage.open()
  await page.goto('/desk/forgot')
  await page.getByLabel('E-mail address').fill('manager@acme.example')
  await page.getByRole('button', { name: 'Send the link' }).click()
  const link = await linkFor(stage, 'manager@acme.example', 'reset')

  await page.goto(link)
  await page.getByText('For manager@acme.example.').waitFor()
  expect(new URL(page.url()).hash).toBe('')
  expect(await violationsOf(page)).toEqual([])
  const field = page.getByLabel('New password', { exact: true })
  await field.fill('short')
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByText('This password is too short.').waitFor()
  await field.fill('password123')
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByText('Many people use this password').waitFor()
  await field.fill(password)
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.waitForURL('**/desk')

  const other = await stage.open()
  await other.goto(link)
  await other.getByRole('heading', { name: 'This link is of no use any more' }).waitFor()
  await other.goto('/desk/login')
  await fillSignIn(other, 'manager@acme.example', demo.password)
  await other.getByText('The address or the password is not right.').waitFor()
  await fillSignIn(other, 'manager@acme.example', password)
  await other.waitForURL('**/desk')
})

test('who must have a second factor sets one up before anything else, and signs in with it', async () => {
  await policy(`two_factor_roles = '{agent}'`)
  const page = await stage.open()
  await page.goto('/desk/login?next=%2Fdesk%3Fview%3Dmine')
  await fillSignIn(page, 'agent@acme.example', demo.password)
  await page.getByRole('heading', { name: 'Set up two-factor sign-in' }).waitFor()
  // Nothing else is open meanwhile.
  const stranger = await page.context().newPage()
  await stranger.goto('/desk')
  await stranger.waitForURL('**/desk/login')
  await stranger.close()

  await page.getByRole('button', { name: 'Set it up' }).click()
  await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor()
  expect(await violationsOf(page)).toEqual([])
  const secret = (await page.locator('code').innerText()).replaceAll(' ', '')
  const field = page.getByLabel('Code from your authenticator app')
  await field.fill('000000')
  await alertOf(page).getByText('This code is not right').waitFor()
  // With the gap that apps show; six digits send themselves.
  await field.fill(codeOf(secret).replace(/^(...)/, '$1 '))
  await page.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor()
  const codes = await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allInnerTexts()
  expect(new Set(codes).size).toBe(10)
  expect(await page.getByRole('button', { name: 'Go on' }).isDisabled()).toBe(true)
  expect(await violationsOf(page)).toEqual([])
  // Who loads the page anew is in already, and is not taken for a customer.
  const reloaded = await page.context().newPage()
  await reloaded.goto('/two-factor')
  await reloaded.waitForURL('**/desk')
  await reloaded.close()
  await page.getByText('I have kept them in a safe place').click()
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.waitForURL('**/desk?view=mine')

  const again = await stage.open()
  const secondStep = async () => {
    await again.goto('/desk/login')
    await fillSignIn(again, 'agent@acme.example', demo.password)
    await again.getByRole('heading', { name: 'One more step' }).waitFor()
  }
  const leave = async () => {
    await again.waitForURL('**/desk')
    await again.getByRole('button', { name: /^Account of/ }).click()
    await again.getByRole('menuitem', { name: 'Sign out' }).click()
    await again.waitForURL('**/desk/login')
  }
  await secondStep()
  expect(await violationsOf(again)).toEqual([])
  const next = codeOf(secret, 1)
  await again.getByLabel('Code from your authenticator app').fill(next)
  await leave()

  // The same code a second time is a replay.
  await secondStep()
  await again.getByLabel('Code from your authenticator app').fill(next)
  await alertOf(again).getByText('This code is not right').waitFor()
  expect(await again.getByLabel('Code from your authenticator app').inputValue()).toBe('')
  await again.getByRole('button', { name: 'Use a recovery code instead' }).click()
  await again.getByText('Without the app, one of the recovery codes').waitFor()
  await again.getByLabel('Recovery code').fill(codes[0]!.toUpperCase())
  await again.getByRole('button', { name: 'Go on' }).click()
  await again.getByText('You came in by a recovery code. 9 are left.').waitFor()
  await leave()

  await secondStep()
  await again.getByRole('button', { name: 'Use a recovery code instead' }).click()
  await again.getByLabel('Recovery code').fill(codes[0]!)
  await again.getByRole('button', { name: 'Go on' }).click()
  await alertOf(again).getByText('This code is not right').waitFor()
  await again.getByRole('link', { name: 'Back to sign in' }).click()
  await again.waitForURL('**/desk/login')
})

test('a customer registers where the organization is open, and chooses a password behind the link', async () => {
  await policy(`registration_domains = '{customers.example}'`)
  const page = await stage.open()
  await page.goto('/o/acme')
  await page.getByText('Acme Industrial', { exact: true }).waitFor()
  expect(await violationsOf(page)).toEqual([])
  await page.getByRole('link', { name: 'Create an account' }).click()
  const send = async (email: string) => {
    await page.getByLabel('Your name').fill('Nora Lind')
    await page.getByLabel('E-mail address').fill(email)
    await page.getByRole('button', { name: 'Create the account' }).click()
  }
  await send('nora@elsewhere.example')
  await page.getByText('takes no registrations, or none from this e-mail domain').waitFor()
  await send('nora@customers.example')
  await page.getByRole('heading', { name: 'Look into your mailbox' }).waitFor()

  const link = await linkFor(stage, 'nora@customers.example', 'invitation')
  await page.goto(link)
  await page.getByText('Your address nora@customers.example is confirmed with this.').waitFor()
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Confirm and sign in' }).click()
  await page.waitForURL('**/portal')

  // The organization's own page is where this browser comes back to.
  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL('**/o/acme')
  await fillSignIn(page, 'nora@customers.example', password)
  await page.waitForURL('**/portal')

  const late = await stage.open()
  await late.goto(link)
  await late.getByRole('heading', { name: 'This link is of no use any more' }).waitFor()
  await late.getByRole('button', { name: 'Send a new link' }).waitFor()
})

test('an invited person chooses a password and is in', async () => {
  await sql(
    `with invited as (
       insert into app_public.users (organization_id, email, name, role, activated_at)
       select id, 'ines@acme.example', 'Ines', 'manager', null from app_public.organizations where slug = 'acme'
       returning *
     )
     select set_config('atum.organization_id', organization_id::text, false) from invited;
     select app_private.write_account_mail(person, 'invitation')
     from app_public.users as person where email = 'ines@acme.example'`,
  )
  const page = await stage.open()
  await logInByForm(page, 'portal', 'customer@globex.example')
  await page.goto(await linkFor(stage, 'ines@acme.example', 'invitation'))
  await page.getByText('Acme Industrial has invited you.').waitFor()
  await page.getByText(/You are signed in here as .*customer@globex.example/).waitFor()
  expect(await violationsOf(page)).toEqual([])
  await page.getByLabel('Your name').fill('Inês Duarte')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Accept and sign in' }).click()
  await page.waitForURL('**/desk')
  await page.getByRole('button', { name: /Inês Duarte/ }).waitFor()
})

test('a suspended organization is called closed, once, and not unknown', async () => {
  await sql(`update app_public.organizations set suspended_at = now() where slug = 'globex'`)
  const page = await stage.open()
  await page.goto('/o/globex/desk')
  await page.getByText('There is no organization called “globex” here.').waitFor()
  for (const attempt of ['first', 'second']) {
    await fillSignIn(page, 'agent@globex.example', demo.password)
    await expect
      .poll(() => alertOf(page).innerText(), { message: attempt })
      .not.toContain('There is no organization')
    await expect.poll(() => page.locator('[data-pending]').count()).toBe(0)
    expect(await page.getByRole('alert').filter({ visible: true }).count()).toBe(1)
  }
  await sql(`update app_public.organizations set suspended_at = null where slug = 'globex'`)
})

test('who fails too often is told how long to wait', async () => {
  const page = await stage.open()
  await page.goto('/portal/login')
  const send = page.getByRole('button', { name: 'Sign in', exact: true })
  for (let attempt = 0; attempt < 20 && !(await send.isDisabled()); attempt += 1) {
    await fillSignIn(page, 'customer@globex.example', `wrong ${attempt}`)
    await alertOf(page).waitFor()
    await expect.poll(() => page.locator('[data-pending]').count()).toBe(0)
  }
  await alertOf(page).getByText('That was wrong too often.').waitFor()
  await alertOf(page)
    .getByText(/Next try in/)
    .first()
    .waitFor()
  expect(await send.isDisabled()).toBe(true)
})
