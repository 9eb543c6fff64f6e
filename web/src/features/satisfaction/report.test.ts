import { expect, it } from 'vitest'
import { averageOf, shareOf, sumOf } from './report.ts'

const march = { sent: 4, answered: 3, satisfied: 2, distribution: [1, 0, 0, 1, 1] }
const april = { sent: 16, answered: 1, satisfied: 0, distribution: [0, 1, 0, 0, 0] }

it('sums answers up, and the mean is of all answers and not of months', () => {
  const sum = sumOf([march, april])
  expect(sum).toEqual({ sent: 20, answered: 4, satisfied: 2, distribution: [1, 1, 0, 1, 1] })
  expect(averageOf(sum)).toBe(3)
  expect(averageOf(march)).toBeCloseTo(10 / 3)
})

it('has no share and no mean of nothing', () => {
  expect(averageOf(sumOf([]))).toBeNull()
  expect(shareOf(0, 0)).toBeNull()
  expect(shareOf(1, 4)).toBe(0.25)
})
