import { beforeEach, describe, expect, test } from 'vitest'
import { Browser } from './testing/browser.ts'
import { callback, client, here, stageSignOn } from './testing/sign-on.ts'

// The attack that RFC 9700 calls mix-up. Somebody owns a provider of another organization and has a victim log in by
// it. It sends the victim on to an honest provider, whose code we would then bring to the provider we began with.

const stage = stageSignOn()
const { landAt, refreshToken, signOn, startAt } = stage
const failed = '/portal/login?problem=SSO_FAILED'

let evil = ''

beforeEach(async () => {
  const { rows } = await stage.desk.superuser.query<{ id: string }>(
    `insert into app_public.identity_providers (organization_id, kind, name, issuer, client_id, scopes)
     values ($1, 'oidc', gen_random_uuid()::text, $2, $3, '{openid}') returning id`,
    [stage.desk.globex.id, stage.liar.issuer, client.client_id],
  )
  evil = rows[0]!.id
})

/** Sends whoever comes to the liar's login on to the honest provider, as if they came from us. */
function sendOn(changes: Record<string, string>): void {
  stage.liar.instead['/authorize'] = (request, response) => {
    const { search } = new URL(request.url!, stage.liar.issuer)
    const onward = new URL(`${stage.real.issuer}/auth${search}`)
    for (const [name, value] of Object.entries(changes)) onward.searchParams.set(name, value)
    response.writeHead(302, { location: onward.href }).end()
  }
}

describe('the code of an honest provider does not come to another', () => {
  test('that sends its victim on to the honest one', async () => {
    sendOn({ redirect_uri: callback(stage.ids.real) })
    const back = await stage.browser.walk(startAt(evil), callback(''))
    expect(back).toContain(`${callback(stage.ids.real)}?code=`)
    expect(await landAt(back)).toBe(failed)
    expect(stage.liar.asked).not.toContain('/token')
    expect(refreshToken()).toBeUndefined()
    // The journey is over: the code cannot be brought to where it began either.
    expect(await landAt(back.replace(stage.ids.real, evil))).toBe(failed)
    expect(stage.liar.asked).not.toContain('/token')
  })

  test('also where it leaves its own address in the request, which the honest one does not know', async () => {
    sendOn({})
    await expect(stage.browser.walk(startAt(evil), callback(''))).rejects.toThrow('leads nowhere')
    expect(stage.liar.asked).not.toContain('/token')
  })

  test('also where its discovery names the login of the honest one', async () => {
    stage.liar.metadata = { authorization_endpoint: `${stage.real.issuer}/auth` }
    await expect(stage.browser.walk(startAt(evil), callback(''))).rejects.toThrow('leads nowhere')
    expect(stage.liar.asked).not.toContain('/token')
  })

  test('at an address that all would share, or that is written in another way', async () => {
    const back = await stage.browser.walk(startAt(stage.ids.real), callback(stage.ids.real))
    const sealed = stage.browser.cookies.get('desk.test')!.get('atum_sso')!
    const { search } = new URL(back)
    for (const id of [stage.ids.real.toUpperCase(), `${stage.ids.real}%20`, stage.ids.other, evil, 'start']) {
      stage.browser.cookies.get('desk.test')!.set('atum_sso', sealed)
      expect(await landAt(`${callback(id)}${search}`)).toBe(failed)
    }
    const shared = await stage.browser.visit(`${here}/api/v1/auth/sso/callback${search}`)
    expect(shared.status).toBe(404)
    expect(refreshToken()).toBeUndefined()
  })
})

describe('a journey that another site began', () => {
  const begin = (site: string | undefined, next?: string) =>
    stage.browser.visit(startAt(stage.ids.real, next), {
      headers: site === undefined ? {} : { 'sec-fetch-site': site },
    })

  test.each(['cross-site', 'same-site', 'something new'])('(%s) is not begun', async (site) => {
    for (const [next, page] of [
      [undefined, '/o/acme?next=%2Fportal'],
      ['/desk/tickets/1?tab=history', '/o/acme/desk?next=%2Fdesk%2Ftickets%2F1%3Ftab%3Dhistory'],
      ['https://evil.test', '/o/acme?next=%2Fportal'],
    ] as const) {
      const response = await begin(site, next)
      expect([response.status, response.headers.get('location')]).toEqual([302, page])
      expect(response.headers.get('set-cookie')).toBeNull()
    }
  })

  test('is not begun either where the provider is none', async () => {
    const nowhere = startAt(crypto.randomUUID())
    const response = await stage.browser.visit(nowhere, { headers: { 'sec-fetch-site': 'cross-site' } })
    expect(response.headers.get('location')).toBe(failed)
  })

  test.each(['same-origin', 'none', undefined])('but one of ours is (%s)', async (site) => {
    const response = await begin(site)
    expect(response.headers.get('location')).toContain(stage.real.issuer)
    expect(response.headers.get('set-cookie')).toContain('atum_sso=v1.')
  })
})

test('the honest provider goes on letting its people in', async () => {
  stage.browser = new Browser({ [here]: stage.desk.origin })
  expect(await signOn()).toBe('/signed-in?next=%2Fportal')
})
