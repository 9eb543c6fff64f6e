import { expect, it } from 'vitest'
import { timeZoneChoices } from './time-zones.ts'

const winter = new Date('2026-01-15T12:00:00Z')
const summer = new Date('2026-07-15T12:00:00Z')
const find = (value: string, now: Date, current: string | null = null) =>
  timeZoneChoices(current, 'en', now).find((choice) => choice.value === value)

it('says how far a zone is from UTC now', () => {
  expect(find('Europe/Berlin', winter)?.description).toBe('UTC+01:00')
  expect(find('Europe/Berlin', summer)?.description).toBe('UTC+02:00')
  expect(find('America/New_York', summer)).toEqual({
    value: 'America/New_York',
    label: 'America/New York',
    description: 'UTC-04:00',
  })
  expect(find('Etc/UTC', winter)?.description).toBe('UTC')
})

it('keeps the current zone, whatever the browser calls it', () => {
  expect(find('Asia/Calcutta', winter, 'Asia/Calcutta')?.description).toBe('UTC+05:30')
  expect(find('Europe/Kyiv', winter, 'Europe/Kyiv')?.description).toBe('UTC+02:00')
})

it('leaves out what is no zone', () => {
  expect(find('Mars/Olympus', winter, 'Mars/Olympus')).toBeUndefined()
})
