import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { clientAddress, isLoopback, settingsOf } from './caller.ts'
import { isOwnOrigin } from './origins.ts'

const request = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage

test('believes no header about the address where no proxy is ours', () => {
  expect(clientAddress(request('203.0.113.9', { 'x-forwarded-for': '127.0.0.1' }), 0)).toBe('203.0.113.9')
})

test('believes only what our own proxies added', () => {
  const forged = request('127.0.0.1', { 'x-forwarded-for': '10.0.0.1, 198.51.100.7' })
  expect(clientAddress(forged, 1)).toBe('198.51.100.7')
  expect(
    clientAddress(request('127.0.0.1', { 'x-forwarded-for': '10.0.0.1, 198.51.100.7, 10.0.0.2' }), 2),
  ).toBe('198.51.100.7')
  expect(clientAddress(request('127.0.0.1'), 1)).toBe('127.0.0.1')
  expect(clientAddress(request('127.0.0.1', { 'x-forwarded-for': 'not an address' }), 1)).toBe('127.0.0.1')
})

test('reads an IPv4 address in its IPv6 form', () => {
  expect(clientAddress(request('::ffff:192.0.2.1'), 0)).toBe('192.0.2.1')
  expect(isLoopback('127.0.0.53')).toBe(true)
  expect(isLoopback('::1')).toBe(true)
  expect(isLoopback('127.0.0.1.evil.test')).toBe(false)
})

test('a stranger has a role and no claims', () => {
  expect(settingsOf({ claims: null, ipAddress: '::1', requestId: 'r' })).toEqual({
    role: 'atum_anonymous',
    'atum.ip_address': '::1',
    'atum.request_id': 'r',
  })
})

test('a page is ours by its whole origin', () => {
  const ours = (origin: string | undefined, host = 'desk.example') =>
    isOwnOrigin(request('127.0.0.1', { host, ...(origin === undefined ? {} : { origin }) }), [
      'https://help.example',
    ])
  for (const origin of [
    'https://evil.test',
    'https://desk.example.evil.test',
    'https://help.example:444',
    'http://help.example',
    'null',
    '',
    'file://desk.example',
  ]) {
    expect(ours(origin), origin).toBe(false)
  }
  expect(ours('https://help.example')).toBe(true)
  expect(ours('https://desk.example')).toBe(true)
  expect(ours(undefined)).toBe(true)
})
