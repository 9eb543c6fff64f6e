import { expect, it } from 'vitest'
import { arrivalsAfter } from './use-arrivals.ts'

const row = (id: string, minute: number) => ({
  id,
  updatedAt: `2026-03-02T10:${String(minute).padStart(2, '0')}:00Z`,
})
const first = arrivalsAfter(null, [row('a', 5), row('b', 4)], 'open')

it('marks nothing when a list is first shown, or another one is', () => {
  expect(first.arrivals.size).toBe(0)
  expect(arrivalsAfter(first, [row('c', 9)], 'mine').arrivals.size).toBe(0)
})

it('does not mark older rows that "load more" brought', () => {
  expect(arrivalsAfter(first, [row('a', 5), row('b', 4), row('c', 3)], 'open').arrivals.size).toBe(0)
})

it('marks what is new and what changed, and counts', () => {
  const second = arrivalsAfter(first, [row('n', 8), row('b', 7), row('a', 5)], 'open')
  expect([...second.arrivals]).toEqual([
    ['n', 1],
    ['b', 1],
  ])
  const third = arrivalsAfter(second, [row('b', 9), row('n', 8), row('a', 5)], 'open')
  expect(third.arrivals.get('b')).toBe(2)
})

it('keeps the same state while nothing changes', () => {
  expect(arrivalsAfter(first, [row('a', 5), row('b', 4)], 'open')).toBe(first)
})
