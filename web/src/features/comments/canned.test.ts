import { describe, expect, test } from 'vitest'
import { cannedBeingTyped, withCanned, withCannedMark } from './canned.ts'

describe('what is looked for', () => {
  test('is nothing without two colons of its own', () => {
    for (const text of [
      '',
      'Hello',
      'Note: it is',
      'std::vector',
      ':',
      'a::b',
      '::two\nlines',
      '::given up  ',
    ]) {
      expect(cannedBeingTyped(text, text.length)).toBe(null)
    }
  })

  test('is what follows them up to the caret', () => {
    expect(cannedBeingTyped('::', 2)).toEqual({ start: 0, words: '' })
    expect(cannedBeingTyped('Hello ::ref und', 11)).toEqual({ start: 6, words: 'ref' })
    expect(cannedBeingTyped('Hello\n::late refund', 19)).toEqual({ start: 6, words: 'late refund' })
  })
})

test('a prepared text takes the place of what was typed to find it', () => {
  expect(withCanned('Hello ::ref, bye', 6, 11, 'the money comes')).toEqual({
    text: 'Hello the money comes, bye',
    caret: 21,
  })
})

test('the mark stands apart from the word before it', () => {
  expect(withCannedMark('', 0)).toEqual({ text: '::', caret: 2 })
  expect(withCannedMark('Hello you', 5)).toEqual({ text: 'Hello :: you', caret: 8 })
  expect(withCannedMark('Hello ', 6)).toEqual({ text: 'Hello ::', caret: 8 })
})
