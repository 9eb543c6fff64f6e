import { expect, it } from 'vitest'
import { readSetting } from './settings.ts'

it.each([
  ['reopenDays', '-1'],
  ['reopenDays', '1.5'],
  ['reopenDays', 'two'],
  ['closeResolvedDays', '3651'],
  ['resolvePendingDays', '0'],
  ['undoSendSeconds', ''],
  ['undoSendSeconds', '121'],
] as const)('refuses %s of "%s"', (name, typed) => {
  expect(readSetting(name, typed)).toBe('fault')
})

it('reads a number, and never where nothing stands', () => {
  expect(readSetting('reopenDays', ' 14 ')).toBe(14)
  expect(readSetting('reopenDays', '')).toBeNull()
  expect(readSetting('undoSendSeconds', '0')).toBe(0)
})
