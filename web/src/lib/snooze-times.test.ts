import { describe, expect, it } from 'vitest'
import { localInputValue, snoozeTime, type Snooze } from './snooze-times.ts'

const at = (snooze: Snooze, now: string) => {
  const time = snoozeTime(snooze, new Date(now))
  return time && localInputValue(time)
}

describe('snoozeTime', () => {
  it('knows no later today in the evening', () => {
    expect(at('later', '2026-03-02T15:01')).toBeNull()
    expect(at('later', '2026-03-02T23:00')).toBeNull()
  })

  it('goes three hours on, to the half hour', () => {
    expect(at('later', '2026-03-02T09:00')).toBe('2026-03-02T12:00')
    expect(at('later', '2026-03-02T09:01')).toBe('2026-03-02T12:30')
    expect(at('later', '2026-03-02T09:31')).toBe('2026-03-02T13:00')
    expect(at('later', '2026-03-02T15:00')).toBe('2026-03-02T18:00')
  })

  it('comes back in the morning, over the end of a month', () => {
    expect(at('tomorrow', '2026-02-28T23:59')).toBe('2026-03-01T09:00')
  })

  it.each([
    ['2026-03-02T10:00', '2026-03-09T09:00'],
    ['2026-03-06T10:00', '2026-03-09T09:00'],
    ['2026-03-08T10:00', '2026-03-09T09:00'],
    ['2026-12-30T10:00', '2027-01-04T09:00'],
  ])('takes the Monday after %s for next week', (now, monday) => {
    expect(at('next_week', now)).toBe(monday)
  })
})
