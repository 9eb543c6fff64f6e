import { expect, test, vi } from 'vitest'
import { RememberedAnswers } from './remembered-answers.ts'

const make = (
  changes: Partial<ConstructorParameters<typeof RememberedAnswers<string | undefined>>[0]> = {},
) => new RememberedAnswers<string | undefined>({ isHearing: () => true, maximum: 3, ...changes })

test('nothing is remembered, or believed, while nothing would be heard', async () => {
  let isHearing = false
  const answers = make({ isHearing: () => isHearing })
  const ask = vi.fn(async () => 'asked')
  await answers.get('a', ask)
  await answers.get('a', ask)
  expect(ask).toHaveBeenCalledTimes(2)
  expect(answers.size).toBe(0)
  isHearing = true
  await answers.get('a', ask)
  isHearing = false
  expect(answers.has('a')).toBe(false)
  await answers.get('a', ask)
  expect(ask).toHaveBeenCalledTimes(4)
})

test('a failure is not remembered', async () => {
  const answers = make()
  await expect(answers.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await answers.get('a', async () => 'there')).toBe('there')
})

test('an answer that is not worth keeping is asked for again', async () => {
  const answers = make({ isKept: (answer) => answer !== undefined })
  expect(await answers.get('a', async () => undefined)).toBeUndefined()
  expect(answers.size).toBe(0)
  expect(await answers.get('a', async () => 'made meanwhile')).toBe('made meanwhile')
})

test('an answer from before a change is not kept, and does not displace the one from after it', async () => {
  const answers = make()
  const before = Promise.withResolvers<string>()
  const waiting = answers.get('a', () => before.promise)
  answers.forget(() => false)
  expect(await answers.get('a', async () => 'after')).toBe('after')
  before.resolve('before')
  expect(await waiting).toBe('before')
  expect(await answers.get('a', async () => 'not asked')).toBe('after')
})

test('what matches is forgotten, and only that', async () => {
  const answers = make()
  for (const key of ['a1', 'a2', 'b1']) await answers.get(key, async () => key)
  answers.forget((key, answer) => key.startsWith('a') && answer !== 'a2')
  expect(['a1', 'a2', 'b1'].map((key) => answers.has(key))).toEqual([false, true, true])
  answers.forgetAll()
  expect(answers.size).toBe(0)
})

test('those who come while it is asked for wait for the same answer', async () => {
  const answers = make()
  const ask = vi.fn(async () => 'once')
  expect(await Promise.all([1, 2, 3].map(() => answers.get('a', ask)))).toEqual(['once', 'once', 'once'])
  expect(ask).toHaveBeenCalledTimes(1)
})

test('an answer is good for its time, and the oldest makes room', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const answers = make({ milliseconds: 1_000 })
    for (const key of ['a', 'b', 'c', 'd']) await answers.get(key, async () => key)
    expect(answers.size).toBe(3)
    expect([answers.has('a'), answers.has('d')]).toEqual([false, true])
    vi.advanceTimersByTime(1_001)
    expect(answers.has('d')).toBe(false)
  } finally {
    vi.useRealTimers()
  }
})
