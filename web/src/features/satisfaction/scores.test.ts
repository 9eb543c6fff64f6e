import { describe, expect, it } from 'vitest'
import { moodOf, readScore, SCORES } from './scores.ts'

describe('readScore', () => {
  it.each([null, undefined, '', '0', '6', '4.5', '04', ' 4', 'four', '1e0', 0, 6])(
    'takes %j for none',
    (value) => {
      expect(readScore(value)).toBeNull()
    },
  )

  it('reads what a link or the API says', () => {
    expect(SCORES.map((score) => readScore(String(score)))).toEqual([...SCORES])
    expect(readScore(3)).toBe(3)
  })
})

it('two of five are bad, two are good', () => {
  expect(SCORES.map(moodOf)).toEqual(['bad', 'bad', 'even', 'good', 'good'])
})
