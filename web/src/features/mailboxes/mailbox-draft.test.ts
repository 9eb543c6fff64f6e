import { expect, test } from 'vitest'
import {
  BLANK,
  draftOf,
  faultsOf,
  isConnectedOtherwise,
  needsSecretAnew,
  portFor,
  secretOf,
  settingsOf,
} from './mailbox-draft.ts'

const whole = {
  ...BLANK,
  name: 'Support',
  address: 'support@acme.test',
  host: 'imap.acme.test',
  username: 'support',
}

test('says what is missing and what makes no sense', () => {
  expect(faultsOf(BLANK)).toEqual({
    name: 'missing',
    address: 'missing',
    host: 'missing',
    username: 'missing',
  })
  expect(faultsOf(whole)).toEqual({})
  expect(faultsOf({ ...whole, name: 'x'.repeat(81) })).toEqual({ name: 'long' })
  expect(faultsOf({ ...whole, address: 'support' })).toEqual({ address: 'odd' })
  expect(faultsOf({ ...whole, host: 'imaps://x' })).toEqual({ host: 'odd' })
  expect(faultsOf({ ...whole, port: '70000' })).toEqual({ port: 'odd' })
  expect(faultsOf({ ...whole, processedFolder: ' INBOX ' })).toEqual({ processedFolder: 'odd' })
  expect(faultsOf({ ...whole, maxMegabytes: '0', alarmMinutes: '1.5' })).toEqual({
    maxMegabytes: 'odd',
    alarmMinutes: 'odd',
  })
  expect(faultsOf({ ...whole, login: 'refresh', tokenEndpoint: 'x' })).toEqual({
    tokenEndpoint: 'odd',
    clientId: 'missing',
  })
})

test('what is saved comes back as it was typed', () => {
  const draft = {
    ...whole,
    login: 'refresh' as const,
    tokenEndpoint: 'https://id.test/token',
    clientId: 'desk',
    maxMegabytes: '1,5',
  }
  const { auth, maxMailBytes, ...settings } = settingsOf(draft)
  expect({ auth, maxMailBytes }).toEqual({ auth: 'oauth2', maxMailBytes: '1572864' })
  expect(draftOf({ ...settings, auth, maxMailBytes })).toEqual({ ...draft, maxMegabytes: '1.5' })
})

test('only what the way to log in needs is kept and sent', () => {
  expect(settingsOf({ ...whole, tokenEndpoint: 'https://id.test', clientId: 'x' })).toMatchObject({
    auth: 'password',
    tokenEndpoint: null,
    clientId: null,
  })
  expect(secretOf(whole)).toBeNull()
  expect(secretOf({ ...whole, secret: ' a b ' })).toEqual({ password: ' a b ' })
  expect(secretOf({ ...whole, login: 'access', secret: 'ya ' })).toEqual({ accessToken: 'ya' })
  expect(secretOf({ ...whole, login: 'refresh', secret: 'r', clientSecret: 's' })).toEqual({
    refreshToken: 'r',
    clientSecret: 's',
  })
})

test('another server or account needs the secret anew, another name does not', () => {
  expect(needsSecretAnew(whole, { ...whole, name: 'x', folder: 'y' })).toBe(false)
  for (const part of [
    { host: 'x' },
    { port: '1' },
    { username: 'x' },
    { login: 'access' as const },
    { security: 'none' as const },
  ])
    expect(needsSecretAnew(whole, { ...whole, ...part })).toBe(true)
})

test('the port follows the protection, unless somebody chose it', () => {
  expect(portFor('starttls', '993')).toBe('143')
  expect(portFor('tls', '143')).toBe('993')
  expect(portFor('none', '1143')).toBe('1143')
})

test('knows what a test of the former connection says nothing of', () => {
  expect(isConnectedOtherwise(whole, { ...whole, name: 'Renamed', alarmMinutes: '60' })).toBe(false)
  for (const change of [{ host: 'elsewhere.test' }, { folder: 'Requests' }, { secret: 'x' }]) {
    expect(isConnectedOtherwise(whole, { ...whole, ...change })).toBe(true)
  }
})
