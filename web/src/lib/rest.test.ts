import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { postJson, type RestError } from './rest.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const answer = (body: string | null, init: ResponseInit) =>
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, init)))

const refusal = () =>
  postJson('/auth/login', {}).then(
    () => {
      throw new Error('It was not refused')
    },
    (error: RestError) => ({ code: error.code, status: error.status, retryAt: error.retryAt }),
  )

it('tells the code and until when to wait', async () => {
  const error = { code: 'TOO_MANY_ATTEMPTS', message: '', details: { retryAfterSeconds: 90 } }
  answer(JSON.stringify({ error }), { status: 429 })
  expect(await refusal()).toEqual({ code: 'TOO_MANY_ATTEMPTS', status: 429, retryAt: 1_090_000 })
})

it('understands a proxy that answers for the server', async () => {
  answer('<html>', { status: 429, headers: { 'retry-after': '5' } })
  expect(await refusal()).toEqual({ code: 'RATE_LIMITED', status: 429, retryAt: 1_005_000 })
  answer('<html>', { status: 502, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } })
  expect(await refusal()).toEqual({ code: 'SERVICE_UNAVAILABLE', status: 502, retryAt: null })
})

it('says when there is nobody', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
  expect(await refusal()).toEqual({ code: 'NETWORK', status: 0, retryAt: null })
})

it('has nothing to tell of an answer without a body', async () => {
  answer(null, { status: 204 })
  expect(await postJson('/auth/logout', {})).toBeNull()
})
