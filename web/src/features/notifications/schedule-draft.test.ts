import { describe, expect, it } from 'vitest'
import { clockTime, minutesOf, scheduleDraft, scheduleFaults } from './schedule-draft.ts'

const schedule = { quietFrom: 1320, quietTo: 360, quietWeekdays: [5, 1], digestHour: 8, timeZone: 'Etc/UTC' }

it('reads and writes times of a clock', () => {
  expect([0, 61, 1439, 1440].map(clockTime)).toEqual(['00:00', '01:01', '23:59', '00:00'])
  expect(['00:00', '23:59', '08:30:00', '24:00', '12:60', '8:00', ''].map(minutesOf)).toEqual([
    0,
    1439,
    510,
    null,
    null,
    null,
    null,
  ])
})

describe('a draft', () => {
  it('is what is kept, and offers a night to who has none', () => {
    expect(scheduleDraft(schedule)).toEqual({
      isQuiet: true,
      from: '22:00',
      to: '06:00',
      weekdays: ['1', '5'],
      digestHour: 8,
    })
    expect(scheduleDraft({ ...schedule, quietFrom: null, quietTo: null })).toMatchObject({
      isQuiet: false,
      from: '20:00',
      to: '07:00',
    })
  })

  it('is refused without times and days, but not where nothing is to be quiet', () => {
    const draft = scheduleDraft(schedule)
    expect(scheduleFaults(draft)).toEqual({})
    expect(scheduleFaults({ ...draft, from: '', to: '25:00', weekdays: [] })).toEqual({
      from: 'timeMissing',
      to: 'timeMissing',
      weekdays: 'weekdaysMissing',
    })
    expect(scheduleFaults({ ...draft, to: draft.from })).toEqual({ to: 'same' })
    expect(scheduleFaults({ ...draft, from: '00:00', to: '00:00' })).toEqual({})
    expect(scheduleFaults({ ...draft, isQuiet: false, from: '' })).toEqual({})
  })
})
