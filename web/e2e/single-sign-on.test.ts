import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demo } from '../../infra/dev/demo.ts'
import { startProvider, type TestProvider } from '../../server/routes/auth/testing/openid-provider.ts'
import { setStage, violationsOf, type Stage } from './stage.ts'

let stage: Stage
let provider: TestProvider
let providerId: string

beforeAll(async () => {
  stage = await setStage()
  providerId = randomUUID()
  const client = { client_id: 'desk', client_secret: 'a secret that both know and say to nobody' }
  provider = await startProvider([
    {
      ...client,
      redirect_uris: [`${stage.address}/api/v1/auth/sso/callback/${providerId}`],
      post_logout_redirect_uris: [`${stage.address}/portal/login`],
    },
  ])
  await sql(
    `insert into app_public.identity_providers (organization_id, id, kind, name, issuer, client_id, makes_people)
     select id, '${providerId}', 'oidc', 'Acme accounts', '${provider.issuer}', 'desk', false
     from app_public.organizations where slug = 'acme'`,
  )
  const admin = await post('login', { email: 'admin@acme.example', password: demo.password })
  const { accessToken } = (await admin.json()) as { accessToken: string }
  const kept = await post(
    'identity-provider-secret',
    { providerId, secret: client.client_secret },
    { authorization: `Bearer ${accessToken}` },
  )
  expect(kept.status).toBe(204)
}, 180_000)

afterAll(async () => {
  await stage.close()
  await provider.close()
})

const post = (path: string, body: object, headers = {}) =>
  fetch(`${stage.address}/api/v1/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-atum-request': '1', ...headers },
    body: JSON.stringify(body),
  })

async function sql(text: string): Promise<void> {
  const client = new Client({ connectionString: stage.database.superuserUrl })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

test('whom the provider knows and the organization does not is told so at the door, and may try again', async () => {
  provider.account = { sub: 'eve', email: 'eve@elsewhere.example', email_verified: true, name: 'Eve' }
  const page = await stage.open()
  await page.goto('/o/acme/desk')
  expect(await violationsOf(page)).toEqual([])
  await page.getByRole('link', { name: 'Sign in with Acme accounts' }).click()
  await page.waitForURL('**/o/acme/desk?problem=SSO_REFUSED')
  await page.getByText('there is no account for you here').waitFor()

  // And who says no to the provider.
  provider.account = undefined
  await page.goto('/o/acme')
  await page.getByRole('link', { name: 'Sign in with Acme accounts' }).click()
  await page.waitForURL('**/o/acme?problem=SSO_REFUSED')
})

test('whom both know is in, where they wanted to be, and signs out at both', async () => {
  provider.account = { sub: 'miriam', email: 'agent@acme.example', email_verified: true, name: 'Miriam' }
  const page = await stage.open()
  await page.goto('/o/acme/desk?next=%2Fdesk%3Fview%3Dmine')
  await page.getByRole('link', { name: 'Sign in with Acme accounts' }).click()
  await page.waitForURL('**/desk?view=mine')
  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(`${provider.issuer}/session/end?**`)
  await page.goto('/desk')
  await page.waitForURL('**/o/acme/desk**')
})

test('a page of another site signs nobody in: it gets them to the door', async () => {
  provider.account = { sub: 'miriam', email: 'agent@acme.example', email_verified: true, name: 'Miriam' }
  const start = `${stage.address}/api/v1/auth/sso/${providerId}/start?next=%2Fdesk`
  const elsewhere = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<script>location = '${start}'</script>`)
  }).listen(0, 'localhost')
  await once(elsewhere, 'listening')
  const page = await stage.open()
  await page.goto(`http://localhost:${(elsewhere.address() as AddressInfo).port}/`)
  await page.waitForURL('**/o/acme/desk?next=%2Fdesk')
  await page.getByRole('link', { name: 'Sign in with Acme accounts' }).click()
  await page.waitForURL('**/desk')
  elsewhere.close()
})

test('where passwords are off, only an emergency account is offered one', async () => {
  await sql(
    `update app_public.security_policies as policy set local_login = false from app_public.organizations as organization
     where organization.id = policy.organization_id and organization.slug = 'acme'`,
  )
  const page = await stage.open()
  await page.goto('/o/acme')
  await page.getByRole('link', { name: 'Sign in with Acme accounts' }).waitFor()
  expect(await page.getByLabel('Password', { exact: true }).count()).toBe(0)
  await page.getByRole('button', { name: 'Emergency account? Use a password' }).click()
  await page.getByLabel('E-mail address').fill('manager@acme.example')
  await page.getByLabel('Password', { exact: true }).fill(demo.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByText('Your organization signs in through its own identity provider').waitFor()

  // Whoever does not have the organization's address finds it.
  await page.goto('/portal/login')
  await page.evaluate('localStorage.clear()')
  await page.reload()
  await page.getByRole('link', { name: 'Find it' }).click()
  await page.getByLabel('Short name of the organization').fill('nowhere')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText('There is no organization of this name here.').waitFor()
  await page.getByLabel('Short name of the organization').fill('ACME')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.waitForURL('**/o/acme')
})
