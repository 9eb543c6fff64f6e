export const SETTINGS = [
  { name: 'reopenDays', least: 0, most: 3650, mayBeEmpty: true },
  { name: 'closeResolvedDays', least: 0, most: 3650, mayBeEmpty: true },
  { name: 'resolvePendingDays', least: 1, most: 3650, mayBeEmpty: true },
  { name: 'undoSendSeconds', least: 0, most: 120, mayBeEmpty: false },
] as const

export type SettingName = (typeof SETTINGS)[number]['name']

/** What was typed for a setting: a whole number in its bounds, or null for "never" where that may be. */
export function readSetting(name: SettingName, typed: string): number | null | 'fault' {
  const setting = SETTINGS.find((each) => each.name === name)
  const text = typed.trim()
  if (!setting || (text === '' && !setting.mayBeEmpty)) return 'fault'
  if (text === '') return null
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  return number >= setting.least && number <= setting.most ? number : 'fault'
}
