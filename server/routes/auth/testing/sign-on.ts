import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { startTestServer, type TestServer } from '../../../testing.ts'
import { Browser } from './browser.ts'
import { startLyingProvider, type LyingProvider } from './lying-provider.ts'
import { startProvider, type Account, type TestProvider } from './openid-provider.ts'
import { bearer, post, program } from './requests.ts'

/** The desk as browsers and providers know it. */
export const here = 'http://desk.test'
export const callback = (providerId: string) => `${here}/api/v1/auth/sso/callback/${providerId}`

/** The desk as providers know it, but for where they send people back to. */
export const client = {
  client_id: 'desk',
  client_secret: 'a secret that both know and say to nobody',
  post_logout_redirect_uris: [`${here}/portal/login`],
}

/** What a test of single sign-on works with. It is there when the first test begins. */
export interface SignOnStage {
  desk: TestServer
  real: TestProvider
  other: TestProvider
  liar: LyingProvider
  browser: Browser
  /** The identity providers of the organization acme. */
  ids: { real: string; other: string; liar: string }
  /** Somebody comes to a browser of their own; undefined is who says no to the provider. */
  sitDown(account: Account | undefined): void
  /** Gives every provider these settings, and what is not named its default. */
  settle(settings: Record<string, unknown>): Promise<void>
  startAt(id: string, next?: string): string
  /** Where the desk sends a browser that comes to this address: path, query and hash. */
  landAt(address: string): Promise<string>
  /** Goes to the provider and comes back; where the desk then sends the browser. */
  signOn(id?: string, next?: string): Promise<string>
  /** The same with the liar, who says yes to everything. */
  signOnWithLiar(): Promise<string>
  refreshToken(): string | undefined
  refresh(): Promise<Record<string, unknown>>
}

/** A desk, two real providers and one that lies, for the tests of a file. */
export function stageSignOn(): SignOnStage {
  const startAt = (id: string, next?: string) =>
    `${here}/api/v1/auth/sso/${id}/start${next === undefined ? '' : `?next=${encodeURIComponent(next)}`}`

  async function landAt(address: string): Promise<string> {
    const response = await stage.browser.visit(address)
    expect(response.status).toBe(302)
    expect(response.headers.get('cache-control')).toBe('no-store')
    return response.headers.get('location')!
  }

  const stage = {
    ids: { real: '', other: '', liar: '' },
    sitDown(account) {
      stage.browser = new Browser({ [here]: stage.desk.origin })
      stage.real.account = stage.other.account = account
    },
    async settle(settings) {
      const {
        role_claim = null,
        role_mapping = {},
        default_role = 'customer',
        makes_people = true,
        asks_second_factor = false,
        is_enabled = true,
      } = settings
      await stage.desk.superuser.query(
        `update app_public.identity_providers
         set role_claim = $2, role_mapping = $3, default_role = $4, makes_people = $5, asks_second_factor = $6,
           is_enabled = $7
         where organization_id = $1`,
        [
          stage.desk.acme.id,
          role_claim,
          role_mapping,
          default_role,
          makes_people,
          asks_second_factor,
          is_enabled,
        ],
      )
    },
    startAt,
    landAt,
    signOn: async (id = stage.ids.real, next) =>
      landAt(await stage.browser.walk(startAt(id, next), `${callback(id)}?`)),
    async signOnWithLiar() {
      const departure = new URL(await landAt(startAt(stage.ids.liar)))
      const { state, nonce } = Object.fromEntries(departure.searchParams)
      const answer = new URLSearchParams({ state: state!, code: nonce!, iss: stage.liar.issuer })
      return landAt(`${callback(stage.ids.liar)}?${answer.toString()}`)
    },
    refreshToken: () => stage.browser.cookies.get('desk.test')?.get('atum_refresh'),
    async refresh() {
      const address = `${here}/api/v1/auth/refresh`
      const response = await stage.browser.visit(address, { method: 'POST', headers: program })
      expect(response.status).toBe(200)
      return (await response.json()) as Record<string, unknown>
    },
  } as SignOnStage

  beforeAll(async () => {
    stage.desk = await startTestServer()
    stage.ids = { real: randomUUID(), other: randomUUID(), liar: randomUUID() }
    stage.real = await startProvider([{ ...client, redirect_uris: [callback(stage.ids.real)] }])
    stage.other = await startProvider([{ ...client, redirect_uris: [callback(stage.ids.other)] }])
    stage.liar = await startLyingProvider(client.client_id)
    for (const name of ['real', 'other', 'liar'] as const) {
      await stage.desk.superuser.query(
        `insert into app_public.identity_providers (organization_id, id, kind, name, issuer, client_id, scopes)
         values ($1, $2, 'oidc', $3, $4, $5, '{openid,email,profile,groups}')`,
        [stage.desk.acme.id, stage.ids[name], name, stage[name].issuer, client.client_id],
      )
      const secret = { providerId: stage.ids[name], secret: client.client_secret }
      const saved = await post(stage.desk, 'identity-provider-secret', secret, bearer(stage.desk.acme.admin))
      expect(saved.status).toBe(204)
    }
  })

  afterAll(() =>
    Promise.all([stage.desk.close(), stage.real.close(), stage.other.close(), stage.liar.close()]),
  )

  beforeEach(async () => {
    stage.sitDown({ sub: 'ada', email: 'ada@acme.test', email_verified: true, name: 'Ada' })
    await stage.settle({})
  })

  afterEach(() => stage.liar.reset())

  return stage
}
