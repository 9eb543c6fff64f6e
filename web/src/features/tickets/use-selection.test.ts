import { expect, it } from 'vitest'
import { SELECTION_LIMIT, selectionAfter } from './use-selection.ts'

const rows = ['a', 'b', 'c', 'd', 'e']
const after = (selected: string[], row: string, from: string | null) => [
  ...selectionAfter(new Set(selected), rows, row, from),
]

it('chooses and lets go of one', () => {
  expect(after([], 'b', null)).toEqual(['b'])
  expect(after(['a', 'b'], 'b', null)).toEqual(['a'])
})

it('makes all rows of a range as the last becomes, in either direction', () => {
  expect(after(['b'], 'd', 'b')).toEqual(['b', 'c', 'd'])
  expect(after(['d'], 'b', 'd')).toEqual(['d', 'b', 'c'])
  expect(after(['a', 'b', 'c', 'd'], 'b', 'd')).toEqual(['a'])
})

it('takes one only when the row before has left the list', () => {
  expect(after(['z'], 'c', 'z')).toEqual(['z', 'c'])
})

it('chooses no more than can be changed at once', () => {
  const many = Array.from({ length: SELECTION_LIMIT }, (_, index) => `row ${index}`)
  expect(selectionAfter(new Set(many), [...many, 'one more'], 'one more', null).size).toBe(SELECTION_LIMIT)
})
