import { describe, expect, test } from 'vitest'
import { createEncryption } from './encryption.ts'

const oldKey = 'the-old-key-for-tests-that-has-32-bytes-and-more'
const newKey = 'the-new-key-for-tests-that-has-32-bytes-and-more'
const encryption = createEncryption([oldKey])
const place = 'totp:0190a000-0000-7000-8000-000000000001:0190a000-0000-7000-8000-000000000002'
const secret = 'JBSWY3DPEHPK3PXP äöü'
const sealed = encryption.encrypt(secret, place)

describe('refuses', () => {
  test('every changed bit of what is secret, and a shortened tag', () => {
    const [version, id, iv = '', rest = ''] = sealed.split('.')
    const flipped = (text: string, index: number) => {
      const bytes = Buffer.from(text, 'base64url')
      bytes[index]! ^= 1
      return bytes.toString('base64url')
    }
    for (let index = 0; index < Buffer.from(rest, 'base64url').length; index += 1) {
      const changed = [version, id, iv, flipped(rest, index)].join('.')
      expect(() => encryption.decrypt(changed, place), String(index)).toThrow('was changed')
    }
    for (let index = 0; index < 12; index += 1) {
      const changed = [version, id, flipped(iv, index), rest].join('.')
      expect(() => encryption.decrypt(changed, place), String(index)).toThrow('was changed')
    }
    expect(() => encryption.decrypt(sealed.slice(0, -4), place)).toThrow('was changed')
  })

  test('a secret in another place', () => {
    for (const context of ['', `${place}x`, place.replace('totp', 'provider')]) {
      expect(() => encryption.decrypt(sealed, context), context).toThrow('for another place')
    }
  })

  test('a key that is not there, and one that was named falsely', () => {
    expect(() => createEncryption([newKey]).decrypt(sealed, place)).toThrow('is not among ours')
    const other = createEncryption([newKey]).encrypt(secret, place).split('.')
    const [, id = ''] = sealed.split('.')
    expect(() => encryption.decrypt(['v1', id, ...other.slice(2)].join('.'), place)).toThrow('was changed')
  })

  test.each(['', 'plain text', 'v1...', sealed.replace('v1', 'v2'), `${sealed}.x`])('%j', (text) => {
    expect(() => encryption.decrypt(text, place)).toThrow('not a sealed secret')
  })

  test('without a word about the secret', () => {
    try {
      encryption.decrypt(sealed, 'elsewhere')
      expect.unreachable()
    } catch (error) {
      expect(String(error)).not.toContain(secret)
    }
  })
})

test('gives back what was sealed, and never seals the same way twice', () => {
  expect(encryption.decrypt(sealed, place)).toBe(secret)
  expect(encryption.decrypt(encryption.encrypt('', place), place)).toBe('')
  expect(encryption.encrypt(secret, place)).not.toBe(sealed)
  expect(sealed).toMatch(/^v1\.[\w-]{11}\.[\w-]{16}\.[\w-]+$/)
})

test('with two keys the old one opens and the new one seals', () => {
  const both = createEncryption([newKey, oldKey])
  expect(both.decrypt(sealed, place)).toBe(secret)
  expect(both.isCurrent(sealed)).toBe(false)
  const renewed = both.encrypt(secret, place)
  expect(both.isCurrent(renewed)).toBe(true)
  expect(createEncryption([newKey]).decrypt(renewed, place)).toBe(secret)
})
