import { expect, test } from 'vitest'
import { asTyped, readSettings, readType } from './settings-draft.ts'

const typed = { megabytes: '25', files: '10', retentionDays: '' }

test('settings out of their bounds are faults', () => {
  for (const megabytes of ['', '0', '-1', '1025', '1.234', '1e3', 'ten']) {
    expect(readSettings({ ...typed, megabytes }).maxFileBytes).toBe('fault')
  }
  for (const files of ['', '0', '51', '2.5']) {
    expect(readSettings({ ...typed, files }).maxFilesPerComment).toBe('fault')
  }
  for (const retentionDays of ['0', '36501', 'never']) {
    expect(readSettings({ ...typed, retentionDays }).retentionDays).toBe('fault')
  }
})

test('settings are read as the server keeps them, and typed as they were read', () => {
  expect(readSettings(typed)).toEqual({
    maxFileBytes: 26_214_400,
    maxFilesPerComment: 10,
    retentionDays: null,
  })
  expect(readSettings({ megabytes: ' 1,5 ', files: '50', retentionDays: '365' })).toEqual({
    maxFileBytes: 1_572_864,
    maxFilesPerComment: 50,
    retentionDays: 365,
  })
  const kept = { maxFileBytes: 1_572_864, maxFilesPerComment: 50, retentionDays: 365 }
  expect(readSettings(asTyped(kept))).toEqual(kept)
})

test('a type is read from a type, a family of types or an ending', () => {
  for (const text of ['', 'image', '*/*', '*', 'image/', 'image/png;q=1', 'image/p*', '.unheard']) {
    expect(readType(text)).toBe(null)
  }
  expect(['Image/PNG', 'image/*', '.pdf', '*.jpg', 'image/svg+xml'].map(readType)).toEqual([
    'image/png',
    'image/*',
    'application/pdf',
    'image/jpeg',
    'image/svg+xml',
  ])
})
