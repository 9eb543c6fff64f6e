import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { localeFor } from './reader-locale.ts'

it.each([
  ['en', ['en-GB', 'en'], 'en-GB'],
  ['en', ['de-DE', 'en-GB', 'en-US'], 'en-GB'],
  ['en', [null, 'en', 'en-US'], 'en-US'],
  ['de', ['de', 'de-AT', 'en-GB'], 'de-AT'],
  ['de', ['en-GB'], 'de'],
  ['en', ['de-AT', 'en'], 'en'],
] as const)('a page in %s for who reads %j is written in %s', (language, wanted, locale) => {
  expect(localeFor(language, wanted)).toBe(locale)
})

it('writes the dates of the reader everywhere', () => {
  const root = new URL('..', import.meta.url).pathname
  const american = globSync('**/*.{ts,tsx}', { cwd: root }).filter((file) =>
    /DateTimeFormat\(\s*i18n\.language/.test(readFileSync(root + file, 'utf8')),
  )
  expect(american).toEqual([])
})
