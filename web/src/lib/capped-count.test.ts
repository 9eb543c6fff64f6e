import { expect, it } from 'vitest'
import { countOf } from './capped-count.ts'

it('says where counting ended', () => {
  expect([0, 7, 100, 101].map((count) => countOf(count, 'en'))).toEqual(['0', '7', '100', '100+'])
  expect(countOf(101, 'de')).toBe('100+')
})
