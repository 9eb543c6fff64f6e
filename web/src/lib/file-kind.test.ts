import { expect, test } from 'vitest'
import { fileKind, previewOf, sizeText } from './file-kind.ts'

test('only pictures without programs and PDFs are looked at here', () => {
  for (const type of ['image/svg+xml', 'text/html', 'application/octet-stream', 'image/bmp']) {
    expect(previewOf(type)).toBe(null)
  }
  expect(['image/png', 'application/pdf'].map(previewOf)).toEqual(['image', 'pdf'])
})

test('a file is of a kind by its type', () => {
  const kinds = {
    'image/svg+xml': 'image',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'sheet',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'text',
    'application/vnd.oasis.opendocument.presentation': 'slides',
    'application/zip': 'archive',
    'text/csv': 'sheet',
    'application/octet-stream': 'other',
  }
  expect(Object.fromEntries(Object.keys(kinds).map((type) => [type, fileKind(type)]))).toEqual(kinds)
})

test('a size is said in the unit that fits', () => {
  expect([0, 1, 1023, 1024, 1536, 26214400, 1073741824].map((bytes) => sizeText(bytes, 'en'))).toEqual([
    '0 bytes',
    '1 byte',
    '1,023 bytes',
    '1 kB',
    '1.5 kB',
    '25 MB',
    '1 GB',
  ])
  expect(sizeText(1536, 'de')).toBe('1,5 kB')
})
