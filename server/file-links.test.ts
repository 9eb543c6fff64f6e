import { randomUUID } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { afterEach, expect, test, vi } from 'vitest'
import { createAccessTokens } from './access-token.ts'
import { createFileLinks, fileLinkSeconds } from './file-links.ts'

const secret = 'a-secret-for-tests-that-has-32-bytes-and-more'
const other = 'another-secret-for-tests-that-is-as-long-or-more'
const links = createFileLinks([secret])
const claims = {
  userId: randomUUID(),
  organizationId: randomUUID(),
  role: 'customer' as const,
  sessionId: randomUUID(),
}
const attachmentId = randomUUID()
const sign = () => links.sign({ attachmentId, use: 'preview', claims })

afterEach(() => vi.useRealTimers())

test('a link says which file, what for, and on whose behalf', () => {
  const { token, expiresAt } = sign()
  expect(links.verify(token)).toEqual({
    attachmentId,
    use: 'preview',
    claims: { ...claims, expiresAt: expiresAt.getTime() / 1_000 },
  })
})

test('is good for five minutes and no longer', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 })
  const { token, expiresAt } = sign()
  expect(expiresAt.getTime()).toBe(1_800_000_000_000 + fileLinkSeconds * 1_000)
  vi.setSystemTime(expiresAt.getTime() - 1)
  expect(links.verify(token)).toBeDefined()
  vi.setSystemTime(expiresAt)
  expect(links.verify(token)).toBeUndefined()
})

test('is ours, and of a key that is still used', () => {
  const { token } = sign()
  expect(createFileLinks([other]).verify(token)).toBeUndefined()
  expect(createFileLinks([other, secret]).verify(token)).toBeDefined()
  for (const broken of ['', 'x', 'x.y.z', `${token}x`, token.slice(0, -3)]) {
    expect(links.verify(broken), broken).toBeUndefined()
  }
  const [, payload] = token.split('.')
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
  expect(links.verify(unsigned)).toBeUndefined()
})

test('is no access token, and an access token is no link', () => {
  const accessTokens = createAccessTokens([secret])
  expect(accessTokens.verify(sign().token)).toBeUndefined()
  expect(links.verify(accessTokens.sign(claims))).toBeUndefined()
})

test('lacks nothing', () => {
  const { header } = jwt.decode(sign().token, { complete: true })!
  const whole = jwt.decode(sign().token) as Record<string, unknown>
  const signed = (payload: Record<string, unknown>) =>
    links.verify(jwt.sign(payload, secret, { algorithm: 'HS256', header }))
  expect(signed(whole)).toBeDefined()
  for (const name of ['sub', 'org', 'role', 'sid', 'file', 'use', 'exp', 'aud', 'iss']) {
    const { [name]: _left, ...rest } = whole
    expect(signed(rest), name).toBeUndefined()
    expect(signed({ ...whole, [name]: name === 'exp' ? 1 : 'nobody' }), name).toBeUndefined()
  }
})
