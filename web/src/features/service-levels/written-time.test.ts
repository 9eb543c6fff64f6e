import { describe, expect, it } from 'vitest'
import { durationText, hoursOf, secondsOf, shiftsOf, shiftsText } from './written-time.ts'

describe('the hours of a day', () => {
  it.each([
    ['9:00-17:00', [['09:00', '17:00']]],
    [
      '09:00–12:00, 13:00 – 17:30',
      [
        ['09:00', '12:00'],
        ['13:00', '17:30'],
      ],
    ],
    ['22:00-06:00', [['22:00', '06:00']]],
    ['00:00-24:00', [['00:00', '24:00']]],
    ['', []],
  ])('%s', (text, shifts) => {
    expect(shiftsOf(text)).toEqual(shifts)
    expect(shiftsOf(shiftsText(shifts as [string, string][]))).toEqual(shifts)
  })

  it.each(['9', '9-17', '25:00-26:00', '09:00-09:00', '24:00-06:00', '09:00-12:00-13:00', '09:60-10:00'])(
    'are not %s',
    (text) => expect(shiftsOf(text)).toBeNull(),
  )

  it('are there for each day, unless it is around the clock', () => {
    expect(hoursOf('always_open')).toBeNull()
    expect(hoursOf({ mon: [['09:00', '17:00']] })).toMatchObject({ mon: [['09:00', '17:00']], tue: [] })
  })
})

describe('working time', () => {
  it.each([
    ['4h', 14_400],
    ['30m', 1_800],
    ['1h 30m', 5_400],
    ['1h30min', 5_400],
  ])('%s', (text, seconds) => {
    expect(secondsOf(text)).toBe(seconds)
    expect(secondsOf(durationText(seconds))).toBe(seconds)
  })

  it.each(['', '0h', '-1h', 'soon', '4'])('is not %s', (text) => expect(secondsOf(text)).toBeNull())

  it('is written without a sign', () => expect(durationText(-900)).toBe('15m'))
})
