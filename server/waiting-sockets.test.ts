import { expect, test } from 'vitest'
import { WaitingSockets } from './waiting-sockets.ts'

const times = <T>(count: number, work: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => work(index))

test('no more than twenty of one network wait, and no more than two hundred in all', () => {
  const waiting = new WaitingSockets()
  const first = times(20, () => waiting.enter('192.0.2.1'))
  expect(waiting.enter('192.0.2.1')).toBeUndefined()
  expect(times(190, (index) => waiting.enter(`198.51.100.${index}`)).filter(Boolean)).toHaveLength(180)
  expect(waiting.size).toBe(200)
  first[0]!()
  expect(waiting.enter('198.51.100.250')).toBeDefined()
})

test('who waits no more makes room once', () => {
  const waiting = new WaitingSockets()
  const leave = times(20, () => waiting.enter('192.0.2.1')!)
  for (let again = 0; again < 3; again += 1) leave[0]!()
  expect(waiting.size).toBe(19)
  expect(waiting.enter('192.0.2.1')).toBeDefined()
  expect(waiting.enter('192.0.2.1')).toBeUndefined()
  for (const each of leave) each()
  expect(waiting.size).toBe(1)
})
