import { expect, test } from 'vitest'
import { createKeyRing, keyId, parseKeys } from './key-ring.ts'

test('refuses to be made of nothing', () => {
  expect(() => createKeyRing([], String)).toThrow('There is no key')
})

test('reads one key or several', () => {
  expect(parseKeys('')).toEqual([])
  expect(parseKeys(' one\n')).toEqual(['one'])
  expect(parseKeys('one two\nthree\r\n')).toEqual(['one', 'two', 'three'])
})

test('the first is current, all are found, each under its own name', () => {
  const ring = createKeyRing(['one', 'two'], (key) => `made of ${key}`)
  expect(ring.current).toEqual({ id: keyId('one'), key: 'made of one' })
  expect(ring.find(keyId('two'))).toBe('made of two')
  expect(ring.find(keyId('three'))).toBeUndefined()
  expect(ring.find('__proto__')).toBeUndefined()
})
