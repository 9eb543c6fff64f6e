import { generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { LyingProvider } from './testing/lying-provider.ts'
import { startProvider } from './testing/openid-provider.ts'
import { callback, client, stageSignOn } from './testing/sign-on.ts'

const stage = stageSignOn()
const { landAt, refreshToken, signOn, signOnWithLiar, startAt } = stage

describe('an id token is refused', () => {
  const failed = '/portal/login?problem=SSO_FAILED'
  const strangers = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

  test.each<[string, Record<string, unknown>]>([
    ['of another client', { aud: 'somebody else' }],
    ['of another client and for us besides', { aud: ['somebody else', 'desk'], azp: 'somebody else' }],
    ['of another issuer', { iss: 'https://evil.test' }],
    ['with another nonce', { nonce: 'another' }],
    ['that is over', { exp: Math.floor(Date.now() / 1_000) - 600 }],
    ['without a subject', { sub: undefined }],
  ])('%s', async (_what, idToken) => {
    stage.liar.idToken = idToken
    expect(await signOnWithLiar()).toBe(failed)
    expect(refreshToken()).toBeUndefined()
  })

  test.each<[string, () => LyingProvider['signing']]>([
    ['that a stranger signed', () => ({ key: strangers, algorithm: 'RS256', keyid: 'published' })],
    ['of a key that nobody published', () => ({ key: strangers, algorithm: 'RS256', keyid: 'unpublished' })],
    ['that nobody signed', () => ({ key: '', algorithm: 'none', keyid: 'published' })],
    [
      'signed with the secret that we share',
      () => ({ key: client.client_secret, algorithm: 'HS256', keyid: 'published' }),
    ],
  ])('%s', async (_what, signing) => {
    stage.liar.signing = signing()
    expect(await signOnWithLiar()).toBe(failed)
    expect(refreshToken()).toBeUndefined()
  })

  test('but taken as it should be', async () => {
    expect(await signOnWithLiar()).toBe('/signed-in?next=%2Fportal')
  })
})

describe('a provider fails', () => {
  const failed = '/portal/login?problem=SSO_FAILED'
  /** Its settings change, so that it is discovered anew. */
  const forget = () =>
    stage.desk.superuser.query(
      `update app_public.identity_providers set scopes = array['openid', gen_random_uuid()::text] where id = $1`,
      [stage.ids.liar],
    )

  beforeEach(async () => {
    await forget()
  })

  test.each<[string, Record<string, unknown>]>([
    ['that says it is another one', { issuer: 'https://evil.test' }],
    ['without a place to log in at', { authorization_endpoint: undefined }],
    ['that sends people to a program', { authorization_endpoint: 'javascript:alert(1)' }],
  ])('%s', async (_what, metadata) => {
    stage.liar.metadata = metadata
    expect(await landAt(startAt(stage.ids.liar))).toBe(failed)
  })

  test.each<[string, LyingProvider['instead'][string]]>([
    ['that answers with a page', (_request, response) => response.end('<html>')],
    [
      'that sends us elsewhere',
      (_request, response) => response.writeHead(302, { location: `${stage.real.issuer}/x` }).end(),
    ],
    ['that is broken', (_request, response) => response.writeHead(500).end()],
    ['that hangs up', (request) => request.socket.destroy()],
    [
      'that does not stop talking',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        const timer = setInterval(() => response.write(' '.repeat(256 * 1024)), 1)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ])('%s', async (_what, answer) => {
    stage.liar.instead['/.well-known/openid-configuration'] = answer
    expect(await landAt(startAt(stage.ids.liar))).toBe(failed)
    // At the next try it may be well again.
    stage.liar.reset()
    expect(await signOnWithLiar()).toBe('/signed-in?next=%2Fportal')
    stage.liar.instead['/token'] = answer
    expect(await signOnWithLiar()).toBe(failed)
  })

  test('that says nothing, after five seconds', async () => {
    stage.liar.instead['/.well-known/openid-configuration'] = () => {}
    const started = performance.now()
    expect(await landAt(startAt(stage.ids.liar))).toBe(failed)
    expect(performance.now() - started).toBeGreaterThan(4_500)
    expect(performance.now() - started).toBeLessThan(7_000)
  })

  test('that is not there', async () => {
    await stage.desk.superuser.query(
      `update app_public.identity_providers set issuer = 'http://127.0.0.1:1' where id = $1`,
      [stage.ids.liar],
    )
    expect(await landAt(startAt(stage.ids.liar))).toBe(failed)
    await stage.desk.superuser.query('update app_public.identity_providers set issuer = $2 where id = $1', [
      stage.ids.liar,
      stage.liar.issuer,
    ])
  })

  test('is discovered once, and again when an admin changed something', async () => {
    await signOnWithLiar()
    await signOnWithLiar()
    const discoveries = () => stage.liar.asked.filter((path) => path.includes('well-known')).length
    expect(discoveries()).toBe(1)
    await forget()
    await signOnWithLiar()
    expect(discoveries()).toBe(2)
  })
})

test.each([
  ['takes the secret only in the body', { token_endpoint_auth_method: 'client_secret_post' }, {}],
  ['says everything in the id token', {}, { claimsInIdToken: true }],
] as const)('a provider that %s', async (_what, metadata, options) => {
  const different = await startProvider(
    [{ ...client, redirect_uris: [callback(stage.ids.other)], ...metadata }],
    options,
  )
  different.account = stage.real.account
  const move = (issuer: string) =>
    stage.desk.superuser.query('update app_public.identity_providers set issuer = $2 where id = $1', [
      stage.ids.other,
      issuer,
    ])
  await move(different.issuer)
  expect(await signOn(stage.ids.other)).toBe('/signed-in?next=%2Fportal')
  await move(stage.other.issuer)
  await different.close()
})
