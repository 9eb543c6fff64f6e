import { describe, expect, it } from 'vitest'
import { clockOf, parseDuration, tickingClock } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['90', 5400],
    [' 45m ', 2700],
    ['45 min', 2700],
    ['1:30', 5400],
    ['0:05', 300],
    ['1h 30m', 5400],
    ['1h30', null],
    ['1.5h', 5400],
    ['1,5 Std.', 5400],
    ['24h', 86_400],
    ['0', 0],
    ['', null],
    ['soon', null],
    ['-5', null],
    ['1:75', null],
    ['5h x', null],
    ['1e3', null],
  ])('reads %j as %j seconds', (typed, seconds) => {
    expect(parseDuration(typed)).toBe(seconds)
  })
})

it('writes what it reads', () => {
  for (const seconds of [60, 3600, 5400, 86_400]) expect(parseDuration(clockOf(seconds))).toBe(seconds)
})

it('takes a moment for a minute, and nothing for nothing', () => {
  expect([clockOf(4), clockOf(0)]).toEqual(['0:01', '0:00'])
})

it('shows a timer with seconds, and never less than none', () => {
  expect([tickingClock(309.9), tickingClock(3661), tickingClock(-2)]).toEqual([
    '0:05:09',
    '1:01:01',
    '0:00:00',
  ])
})
