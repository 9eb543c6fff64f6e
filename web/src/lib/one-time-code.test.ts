import { expect, it } from 'vitest'
import { digitsOf } from './one-time-code.ts'

it.each([
  ['123456', '123456'],
  [' 123 456 ', '123456'],
  ['123-456', '123456'],
  ['１２３４５６', '123456'],
  ['Your code: 042042.', '042042'],
  ['12345678', '123456'],
  ['abc', ''],
])('%j is %j', (text, digits) => {
  expect(digitsOf(text)).toBe(digits)
})
