import { expect, it } from 'vitest'
import { daysOf } from './periods.ts'

it.each([
  ['this_week', '2026-02-23', '2026-03-01'],
  ['last_week', '2026-02-16', '2026-02-22'],
  ['this_month', '2026-03-01', '2026-03-31'],
  ['last_month', '2026-02-01', '2026-02-28'],
  ['this_year', '2026-01-01', '2026-12-31'],
] as const)('%s is from %s to %s, on a Sunday', (period, from, to) => {
  expect(daysOf(period, new Date(2026, 2, 1, 12))).toEqual({ from, to })
})

it('knows the last month of a year', () => {
  expect(daysOf('last_month', new Date(2026, 0, 31))).toEqual({ from: '2025-12-01', to: '2025-12-31' })
})
