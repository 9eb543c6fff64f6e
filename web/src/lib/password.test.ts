import { expect, it } from 'vitest'
import { charactersMissing, passwordProblem } from './password.ts'

it.each([
  ['', 'empty'],
  ['nine char', 'short'],
  ['ten chars.', null],
  // Five signs, ten UTF-16 units.
  ['🌅🌅🌅🌅🌅', 'short'],
  ['a'.repeat(72), null],
  ['ä'.repeat(36), null],
  ['ä'.repeat(37), 'long'],
] as const)('%j is %s', (password, problem) => {
  expect(passwordProblem(password)).toBe(problem)
})

it('counts what is missing in characters', () => {
  expect(charactersMissing('')).toBe(10)
  expect(charactersMissing('🌅🌅🌅')).toBe(7)
  expect(charactersMissing('a long enough one')).toBe(0)
})
