import { createHmac } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { expect, test } from 'vitest'
import { accessTokenSeconds, bearerToken, createAccessTokens } from './access-token.ts'

const secret = 'a-secret-for-tests-that-has-32-bytes-and-more'
const tokens = createAccessTokens([secret])
const person = {
  userId: '0190a000-0000-7000-8000-000000000001',
  organizationId: '0190a000-0000-7000-8000-000000000002',
  role: 'agent',
  sessionId: '0190a000-0000-7000-8000-000000000003',
} as const

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const good = tokens.sign(person)
const [header = '', payload = '', signature = ''] = good.split('.')
const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
const head = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, unknown>

/** A token with our own signature over whatever it says. */
function signed(changedHead: object, changedClaims: object, key = secret): string {
  const text = `${part({ ...head, ...changedHead })}.${part({ ...claims, ...changedClaims })}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

test.each([
  ['no token', ''],
  ['text', 'garbage'],
  ['a token without a signature', `${header}.${payload}.`],
  ['alg none', `${part({ ...head, alg: 'none' })}.${payload}.`],
  ['alg none that keeps the signature', `${part({ ...head, alg: 'none' })}.${payload}.${signature}`],
  ['another role under the old signature', `${header}.${part({ ...claims, role: 'admin' })}.${signature}`],
  [
    'another algorithm with our secret',
    jwt.sign(claims, secret, { algorithm: 'HS512', keyid: String(head.kid) }),
  ],
  ['another secret', createAccessTokens([`${secret}!`]).sign(person)],
  ['another key id', signed({ kid: 'another' }, {})],
  ['no key id', signed({ kid: undefined }, {})],
  ['a key id that is no text', signed({ kid: { toString: 1 } }, {})],
  ['another audience', signed({}, { aud: 'another' })],
  ['no audience', signed({}, { aud: undefined })],
  ['another issuer', signed({}, { iss: 'another' })],
  ['an end in the past', signed({}, { exp: Math.floor(Date.now() / 1000) - 1 })],
  ['no end', signed({}, { exp: undefined })],
  ['a role that is a database role', signed({}, { role: 'owner' })],
  ['no user', signed({}, { sub: undefined })],
  ['an organization that is not an id', signed({}, { org: `' or true --` })],
])('refuses %s', (_what, token) => {
  expect(tokens.verify(token)).toBeUndefined()
})

test('the way the refused ones are made would be accepted unchanged', () => {
  expect(tokens.verify(signed({}, {}))).toMatchObject(person)
})

test('gives back what was signed, for ten minutes', () => {
  const verified = tokens.verify(good)
  expect(verified).toMatchObject(person)
  expect(verified!.expiresAt - Date.now() / 1000).toBeGreaterThan(accessTokenSeconds - 5)
  expect(verified!.expiresAt - Date.now() / 1000).toBeLessThanOrEqual(accessTokenSeconds)
})

test('tokens of the old key live on beside the new one, and end with it', () => {
  const renewed = 'another-secret-for-tests-that-has-32-bytes-and-more'
  const both = createAccessTokens([renewed, secret])
  expect(both.verify(good)).toMatchObject(person)
  const fresh = both.sign(person)
  expect(both.verify(fresh)).toMatchObject(person)
  expect(createAccessTokens([renewed]).verify(fresh)).toMatchObject(person)
  expect(createAccessTokens([renewed]).verify(good)).toBeUndefined()
  expect(tokens.verify(fresh)).toBeUndefined()
  // Of two keys each signs under its own name alone.
  const misnamed = signed({}, {}, renewed)
  expect(both.verify(misnamed)).toBeUndefined()
})

test('reads a bearer token and nothing else', () => {
  expect(bearerToken(undefined)).toBeUndefined()
  expect(bearerToken('Basic YTpi')).toBe('')
  expect(bearerToken('Bearer ')).toBe('')
  expect(bearerToken(['Bearer a'])).toBe('')
  expect(bearerToken('Bearer a.b.c')).toBe('a.b.c')
})
