import { describe, expect, it } from 'vitest'
import { lengthOf, QUESTION_LIMIT, readNumber, readQuestion } from './settings-draft.ts'

describe('readNumber', () => {
  it.each(['', '0', '101', '-1', '1.5', '1e1', 'all'])('refuses %j of a hundred', (typed) => {
    expect(readNumber('samplePercent', typed)).toBe('fault')
  })

  it('takes whole numbers in their bounds', () => {
    expect([readNumber('samplePercent', ' 100 '), readNumber('expiresDays', '90')]).toEqual([100, 90])
    expect(readNumber('expiresDays', '91')).toBe('fault')
  })
})

it('a question is one line, and none is the usual one', () => {
  expect(readQuestion('  ')).toBeNull()
  expect(readQuestion(' Were\n we  quick? ')).toBe('Were we quick?')
  expect(readQuestion('𝕏'.repeat(QUESTION_LIMIT))).toHaveLength(2 * QUESTION_LIMIT)
  expect(readQuestion('x'.repeat(QUESTION_LIMIT + 1))).toBe('long')
})

it('a length is told in the largest unit that has no fraction', () => {
  expect([15, 60, 90, 240, 1440, 2160].map(lengthOf)).toEqual([
    { unit: 'minutes', count: 15 },
    { unit: 'hours', count: 1 },
    { unit: 'minutes', count: 90 },
    { unit: 'hours', count: 4 },
    { unit: 'days', count: 1 },
    { unit: 'hours', count: 36 },
  ])
})
