import { expect, it } from 'vitest'
import { endOf } from './expiry.ts'

it('says when a token ends', () => {
  const now = Date.parse('2026-02-01T10:00:00Z')
  expect(endOf('days30', now)).toBe('2026-03-03T10:00:00.000Z')
  expect(endOf('year', now)).toBe('2027-02-01T10:00:00.000Z')
  expect(endOf('never', now)).toBeNull()
})
