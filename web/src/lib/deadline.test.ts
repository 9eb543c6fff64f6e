import { describe, expect, it } from 'vitest'
import { clockParts, deadlineTone } from './deadline.ts'

const now = Date.parse('2026-03-02T10:00:00Z')
const inSeconds = (seconds: number) => now + seconds * 1000

describe('deadlineTone', () => {
  it('is overdue from the due second on', () => {
    expect(deadlineTone(inSeconds(0), now)).toBe('overdue')
    expect(deadlineTone(inSeconds(-1), now)).toBe('overdue')
    expect(deadlineTone(inSeconds(1), now)).toBe('near')
  })

  it('is near in the last hour when the length of the target is unknown', () => {
    expect(deadlineTone(inSeconds(3600), now)).toBe('near')
    expect(deadlineTone(inSeconds(3601), now)).toBe('calm')
  })

  it('is near in the last fifth of a known target, within five minutes and a day', () => {
    expect(deadlineTone(inSeconds(1440), now, 7200)).toBe('near')
    expect(deadlineTone(inSeconds(1441), now, 7200)).toBe('calm')
    expect(deadlineTone(inSeconds(300), now, 600)).toBe('near')
    expect(deadlineTone(inSeconds(86_401), now, 864_000)).toBe('calm')
  })
})

describe('clockParts', () => {
  it.each([
    [59_999, { scale: 'minutes', days: 0, hours: 0, minutes: '0', seconds: '59' }],
    [3_599_000, { scale: 'minutes', days: 0, hours: 0, minutes: '59', seconds: '59' }],
    [3_900_000, { scale: 'hours', days: 0, hours: 1, minutes: '05', seconds: '00' }],
    [90_000_000, { scale: 'days', days: 1, hours: 1, minutes: '0', seconds: '00' }],
    [-61_000, { scale: 'minutes', days: 0, hours: 0, minutes: '1', seconds: '01' }],
  ])('splits %d ms', (milliseconds, parts) => {
    expect(clockParts(milliseconds)).toEqual(parts)
  })
})
