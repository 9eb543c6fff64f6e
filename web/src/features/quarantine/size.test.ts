import { expect, it } from 'vitest'
import { sizeInWords } from './size.ts'

it.each([
  ['0', '0 bytes'],
  ['1', '1 byte'],
  ['999', '999 bytes'],
  ['1500', '1.5 kB'],
  ['26214400', '26 MB'],
  ['500000000000', '500 GB'],
])('says %s bytes as %s', (bytes, words) => {
  expect(sizeInWords(bytes, 'en')).toBe(words)
})

it('says it in the language of the reader', () => {
  expect(sizeInWords('1500', 'de')).toBe('1,5 kB')
})
