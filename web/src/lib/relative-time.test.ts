import { expect, it } from 'vitest'
import { relativeTime } from './relative-time.ts'

const now = Date.parse('2026-03-02T10:00:00Z')

it.each([
  [0, 'now'],
  [-59, 'now'],
  [-60, '1 minute ago'],
  [-3_599, '59 minutes ago'],
  [-3_600, '1 hour ago'],
  [-86_400, 'yesterday'],
  [-86_400 * 8, 'last week'],
  [7_200, 'in 2 hours'],
])('says %d seconds from now as "%s"', (seconds, words) => {
  expect(relativeTime(now + seconds * 1000, now, 'en')).toBe(words)
})

it.each([
  ['en', '2m ago'],
  ['de', 'vor 2 Min.'],
])('is short in a dense table in %s', (language, words) => {
  expect(relativeTime(now - 120_000, now, language, 'short')).toBe(words)
})

it('speaks the language of the reader', () => {
  expect(relativeTime(now - 120_000, now, 'de')).toBe('vor 2 Minuten')
})
