import { describe, expect, test } from 'vitest'
import { type AccountMail, accountLetter } from './account-letter.ts'
import { asHtml, asText } from './letter.ts'

const publicOrigin = 'https://desk.example.com'
const token = 'f'.repeat(64)

const mail: AccountMail = {
  purpose: 'password_reset',
  token,
  writtenAt: '2026-03-01T12:30:00+00:00',
  name: 'Ada',
  email: 'ada@acme.example',
  locale: 'en',
  timeZone: 'Europe/Berlin',
  organization: { slug: 'acme', name: 'Acme' },
}

const purposes = [
  'invitation',
  'email_verification',
  'password_reset',
  'address_taken',
  'address_changed',
  'refresh_token_reused',
  'password_changed',
  'two_factor_on',
  'two_factor_off',
  'api_token_made',
] as const

test.each([
  ['invitation', `/invitation#token=${token}`],
  ['email_verification', `/invitation#token=${token}`],
  ['password_reset', `/reset#token=${token}`],
  ['address_taken', '/o/acme'],
  ['address_changed', '/o/acme'],
  ['refresh_token_reused', '/o/acme'],
  ['password_changed', '/o/acme'],
  ['two_factor_on', '/o/acme'],
  ['two_factor_off', '/o/acme'],
  ['api_token_made', '/o/acme'],
] as const)('%s leads to %s', (purpose, path) => {
  const letter = accountLetter({ ...mail, purpose }, publicOrigin)
  expect(asText(letter)).toContain(`\n${publicOrigin}${path}\n`)
  expect(asHtml(letter)).toContain(`<a href="${publicOrigin}${path}"`)
})

describe.each(['en', 'de'])('in %s', (locale) => {
  test('every purpose has a subject of its own that names the organization', () => {
    const subjects = purposes.map(
      (purpose) => accountLetter({ ...mail, purpose, locale }, publicOrigin).subject,
    )
    expect(new Set(subjects).size).toBe(purposes.length)
    for (const subject of subjects) expect(subject).toContain('Acme')
  })

  test.each(purposes)('%s lets nobody write markup, and fetches nothing', (purpose) => {
    const name = `<img src="https://evil.example/x.png"> & 'Co'`
    const html = asHtml(
      accountLetter({ ...mail, purpose, locale, name, organization: { slug: 'acme', name } }, publicOrigin),
    )
    expect(html).not.toMatch(/<img|src="|url\(|@import|<link|<script/)
    expect(html).toContain('&lt;img src=&quot;https://evil.example/x.png&quot;&gt; &amp; &#39;Co&#39;')
    expect(
      html
        .match(/https?:\/\/[^"<\s]+/g)
        ?.every((url) => url.startsWith(publicOrigin) || url.startsWith('https://evil.example/x.png&quot;')),
    ).toBe(true)
    expect(html).toContain(`<html lang="${locale}">`)
  })

  test('the name that a stranger typed in is not carried to a mailbox that may be another one’s', () => {
    const letter = accountLetter(
      { ...mail, purpose: 'email_verification', locale, name: 'Win a prize at evil.example' },
      publicOrigin,
    )
    expect(asText(letter)).not.toContain('evil.example')
    expect(asHtml(letter)).not.toContain('evil.example')
  })
})

test.each([
  ['de', 'Ein neues Passwort für Acme'],
  ['de-CH', 'Ein neues Passwort für Acme'],
  ['en-GB', 'A new password for Acme'],
  ['fr', 'A new password for Acme'],
  // Low German and everybody whose tag only begins like it.
  ['del', 'A new password for Acme'],
])('for %s', (locale, subject) => {
  expect(accountLetter({ ...mail, locale }, publicOrigin).subject).toBe(subject)
})

test.each([
  ['en', 'Europe/Berlin', '1 March 2026 at 13:30 (Europe/Berlin)'],
  ['de', 'Europe/Berlin', '1. März 2026 um 13:30 (Europe/Berlin)'],
  ['en', 'Nowhere/Known', '1 March 2026 at 12:30 (UTC)'],
])('a warning in %s in %s says when it happened', (locale, timeZone, when) => {
  const letter = accountLetter({ ...mail, purpose: 'password_changed', locale, timeZone }, publicOrigin)
  expect(asText(letter)).toContain(when)
})
