import { expect, test } from 'vitest'
import { EnvironmentError, parseEnvironment } from './env.ts'

const good = {
  DATABASE_URL: 'postgres://atum_server@localhost/atum',
  ATUM_JWT_SECRET: 'x'.repeat(32),
  ATUM_ENCRYPTION_KEY: 'y'.repeat(32),
}

test('names everything that is wrong at once', () => {
  const attempt = () =>
    parseEnvironment({
      ATUM_JWT_SECRET: 'x'.repeat(31),
      ATUM_ENCRYPTION_KEY: `${'y'.repeat(32)} short`,
      ATUM_RATE_LIMITS: 'no',
      PORT: 'http',
      ATUM_PUBLIC_URL: 'desk.example',
      ATUM_TRUSTED_PROXIES: '-1',
      LOG_LEVEL: 'loud',
    })
  expect(attempt).toThrow(EnvironmentError)
  for (const name of [
    'DATABASE_URL',
    'ATUM_JWT_SECRET',
    'ATUM_ENCRYPTION_KEY',
    'ATUM_RATE_LIMITS',
    'PORT',
    'ATUM_PUBLIC_URL',
    'ATUM_TRUSTED_PROXIES',
    'LOG_LEVEL',
  ]) {
    expect(attempt).toThrow(name)
  }
})

test('never repeats a secret', () => {
  try {
    parseEnvironment({
      DATABASE_URL: 'mysql://root:hunter2@db',
      ATUM_JWT_SECRET: 'hunter2',
      ATUM_ENCRYPTION_KEY: 'hunter2',
    })
    expect.unreachable()
  } catch (error) {
    expect((error as Error).message).not.toContain('hunter2')
  }
})

test('has a default for the rest, and listens to this machine alone', () => {
  expect(parseEnvironment(good)).toMatchObject({
    host: '127.0.0.1',
    port: 8000,
    production: false,
    publicOrigins: ['http://127.0.0.1:8000'],
    trustedProxies: 0,
    rateLimits: true,
    trustedDocumentsOnly: false,
  })
})

test('takes several addresses', () => {
  const { publicOrigins } = parseEnvironment({
    ...good,
    ATUM_PUBLIC_URL: 'https://desk.example/, https://help.example:8443/desk',
  })
  expect(publicOrigins).toEqual(['https://desk.example', 'https://help.example:8443'])
})

test('takes several keys, the newest first', () => {
  const [one, two] = ['1'.repeat(32), '2'.repeat(32)]
  const environment = parseEnvironment({
    ...good,
    ATUM_JWT_SECRET: `${one}\n${two}\n`,
    ATUM_ENCRYPTION_KEY: `${two} ${one}`,
    ATUM_RATE_LIMITS: 'off',
  })
  expect(environment).toMatchObject({
    jwtSecrets: [one, two],
    encryptionKeys: [two, one],
    rateLimits: false,
  })
})
