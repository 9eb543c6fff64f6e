import { beforeEach, expect, test, vi } from 'vitest'

const hint = 'atum.session'
const kept = new Map<string, string>()

const answer = vi.fn<() => Response>()

beforeEach(() => {
  vi.resetModules()
  kept.clear()
  kept.set(hint, '1')
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  })
  vi.stubGlobal('fetch', async () => answer())
})

const refusal = (status: number, code: string) =>
  Response.json({ error: { code, message: 'No' } }, { status })

const begin = async () => (await import('./session.ts')).sessionReady()

test('a session that is over is not asked for again', async () => {
  answer.mockImplementation(() => refusal(401, 'SESSION_EXPIRED'))
  expect(await begin()).toEqual({ status: 'signed-out', reason: 'never' })
  expect(kept.has(hint)).toBe(false)
})

test('a network that is refused is told, and asked about again by the next page', async () => {
  answer.mockImplementation(() => refusal(403, 'ADDRESS_NOT_ALLOWED'))
  expect(await begin()).toEqual({ status: 'signed-out', reason: 'never', problem: 'ADDRESS_NOT_ALLOWED' })
  expect(kept.has(hint)).toBe(true)
})

test.each([
  ['breaks off, as when the page is left', () => new Response('{"error":{"co', { status: 403 })],
  ['is of a proxy', () => new Response('<h1>Forbidden</h1>', { status: 403 })],
])('an answer that %s says nothing of the session', async (_what, response) => {
  answer.mockImplementation(response)
  expect(await begin()).toEqual({ status: 'unreachable' })
  expect(kept.has(hint)).toBe(true)
})
