import { expect, it } from 'vitest'
import { countOf } from './capped-count.ts'

it('says where counting ended', () => {
  expect([0, 7, 1000, 1001].map((count) => countOf(count, 'en'))).toEqual(['0', '7', '1,000', '1,000+'])
  expect(countOf(1001, 'de')).toBe('1.000+')
})
