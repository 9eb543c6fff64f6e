import { expect, it } from 'vitest'
import { initialsOf } from './initials.ts'

it.each([
  ['Ada King Lovelace', 'AL'],
  ['prince', 'P'],
  ['  Mei-Lin   Tan ', 'MT'],
  ['😀 Smile', '😀S'],
  ['', ''],
])('shortens %j to %j', (name, initials) => {
  expect(initialsOf(name)).toBe(initials)
})
