import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { clientAddress, isFromThisMachine, isLoopback, settingsOf } from './caller.ts'
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
  expect(clientAddress(request('127.0.0.1', { 'x-forwarded-for': 'not an address' }), 1)).toBe('0.0.0.0')
  expect(clientAddress(request('127.0.0.1', { 'x-forwarded-for': '192.0.2.4:55' }), 1)).toBe('192.0.2.4')
  expect(clientAddress(request('127.0.0.1', { 'x-forwarded-for': '[2001:db8::1]:55' }), 1)).toBe(
    '2001:db8::1',
  )
  expect(clientAddress(request('127.0.0.1', { 'x-forwarded-for': 'fe80::1%eth0' }), 1)).toBe('fe80::1')
})

test('reads an IPv4 address in its IPv6 form', () => {
  expect(clientAddress(request('::ffff:192.0.2.1'), 0)).toBe('192.0.2.1')
  expect(isLoopback('127.0.0.53')).toBe(true)
  expect(isLoopback('::1')).toBe(true)
  expect(isLoopback('127.0.0.1.evil.test')).toBe(false)
})

test('somebody at this machine is one who asks it by its own name, through nothing', () => {
  const local = (remoteAddress: string, headers: Record<string, string>) =>
    isFromThisMachine(request(remoteAddress, headers))
  expect(local('127.0.0.1', { host: 'localhost:8000' })).toBe(true)
  expect(local('::1', { host: '[::1]:8000' })).toBe(true)
  expect(local('192.0.2.7', { host: 'localhost:8000' })).toBe(false)
  expect(local('127.0.0.1', { host: 'evil.example:8000' })).toBe(false)
  expect(local('127.0.0.1', { host: 'localhost.evil.example' })).toBe(false)
  for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via']) {
    expect(local('127.0.0.1', { host: 'localhost:8000', [name]: '203.0.113.9' }), name).toBe(false)
  }
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
  // A name that anybody could make point here is not ours because it is the one that was asked for.
  expect(ours('https://desk.example')).toBe(false)
  expect(ours('http://192.0.2.7:8000', '192.0.2.7:8000')).toBe(true)
  expect(ours('http://[::1]:8000', '[::1]:8000')).toBe(true)
  expect(ours('http://localhost:8000', 'localhost:8000')).toBe(true)
  expect(ours('http://localhost:8001', 'localhost:8000')).toBe(false)
  expect(ours(undefined)).toBe(true)
})
