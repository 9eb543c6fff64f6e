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
  [-86_400 * 8, '1 week ago'],
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

// The moments are those of the reader's clock, wherever this runs.
const tuesday = (hour: number, minute = 0) => new Date(2026, 2, 3, hour, minute).getTime()
const thursday = (hour: number, minute = 0) => new Date(2026, 2, 5, hour, minute).getTime()

it.each([
  [tuesday(9), thursday(8), '2 days ago'],
  [tuesday(23, 50), thursday(0, 10), '2 days ago'],
  [tuesday(0, 5), new Date(2026, 2, 4, 23, 55).getTime(), 'yesterday'],
  [tuesday(9), new Date(2026, 2, 4, 8, 59).getTime(), '23 hours ago'],
  [thursday(8), tuesday(9), 'in 2 days'],
  [tuesday(9), new Date(2026, 2, 10, 8).getTime(), '7 days ago'],
  [new Date(2026, 0, 31, 9).getTime(), new Date(2026, 2, 31, 9).getTime(), '1 month ago'],
  [new Date(2024, 5, 1, 9).getTime(), new Date(2026, 2, 31, 9).getTime(), '1 year ago'],
])('counts days as the calendar has them', (then, at, words) => {
  expect(relativeTime(then, at, 'en')).toBe(words)
})
