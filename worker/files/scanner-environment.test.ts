import { describe, expect, test } from 'vitest'
import { readScannerEnvironment } from './scanner-environment.ts'

const refused = (variables: NodeJS.ProcessEnv) => expect(() => readScannerEnvironment(variables))

describe('is refused', () => {
  test('with the name of the variable to set', () => {
    refused({ ATTACHMENT_SCANNER: 'none' }).toThrow('ATTACHMENT_SCANNER')
    refused({ CLAMD_SOCKET: '/a', CLAMD_HOST: 'b' }).toThrow('CLAMD_SOCKET and CLAMD_HOST')
    refused({ CLAMD_HOST: 'scanner', CLAMD_PORT: '70000' }).toThrow('CLAMD_PORT')
    refused({ CLAMD_MAX_BYTES: '25M' }).toThrow('CLAMD_MAX_BYTES')
    refused({ CLAMD_TIMEOUT_SECONDS: '0' }).toThrow('CLAMD_TIMEOUT_SECONDS')
  })
})

test('files are scanned by the clamd of the distribution unless something else is said', () => {
  const debian = {
    address: { socket: '/var/run/clamav/clamd.ctl' },
    maxBytes: 26_214_400,
    maxUnpackedBytes: 26_214_400,
    timeoutMilliseconds: 150_000,
  }
  expect(readScannerEnvironment({})).toEqual(debian)
  expect(readScannerEnvironment({ ATTACHMENT_SCANNER: ' clamd ', CLAMD_SOCKET: '' })).toEqual(debian)
})

test('by one on another machine, or by none', () => {
  expect(readScannerEnvironment({ CLAMD_HOST: 'scanner', CLAMD_MAX_BYTES: '1000' })).toMatchObject({
    address: { host: 'scanner', port: 3310 },
    maxBytes: 1_000,
  })
  expect(readScannerEnvironment({ ATTACHMENT_SCANNER: 'off', CLAMD_HOST: 'scanner' })).toBeUndefined()
})
