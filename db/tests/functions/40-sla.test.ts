import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { sqlState } from '../support/refusals.ts'

interface Calendar {
  tz: string
  hours: unknown
  holidays?: string[]
}

interface Case {
  id: number
  kind: 'deadline' | 'elapsed' | 'backward' | 'next_open' | 'local_to_utc' | 'error'
  calendar: Calendar
  start: string
  minutes: number | null
  due: string
  pauses?: { from: string; to: string }[]
  source: string
}

// Facts that the test suites of other desks agree on; each names where it comes from.
const cases = JSON.parse(readFileSync(join(import.meta.dirname, 'sla-cases.json'), 'utf8')) as Case[]

let database: TestDatabase
let client: Client

beforeAll(async () => {
  database = await createTestDatabase()
  client = new Client({ connectionString: database.ownerUrl })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

async function scalar<T>(sql: string, values: unknown[]): Promise<T> {
  const { rows } = await client.query<{ value: T }>(`select ${sql} as value`, values)
  return rows[0]!.value
}

const pausesOf = (pauses: Case['pauses'] = []) =>
  `{${pauses.map(({ from, to }) => `[${from},${to})`).join(',')}}`

const dueAt = (calendar: Calendar, startAt: string, seconds: number, pauses?: Case['pauses']) =>
  scalar<Date>('app_hidden.business_due_at($1::jsonb, $2::timestamptz, $3::bigint, $4::tstzmultirange)', [
    JSON.stringify(calendar),
    startAt,
    seconds,
    pausesOf(pauses),
  ])

const secondsBetween = (calendar: Calendar, fromAt: string, toAt: string, pauses?: Case['pauses']) =>
  scalar<string>(
    'app_hidden.business_seconds($1::jsonb, $2::timestamptz, $3::timestamptz, $4::tstzmultirange)',
    [JSON.stringify(calendar), fromAt, toAt, pausesOf(pauses)],
  ).then(Number)

const instant = (text: string) => new Date(text).toISOString()

const run: Record<Case['kind'], (given: Case) => Promise<void>> = {
  deadline: async ({ calendar, start, minutes, due, pauses }) => {
    expect((await dueAt(calendar, start, minutes! * 60, pauses)).toISOString()).toBe(instant(due))
  },
  backward: async ({ calendar, start, minutes, due, pauses }) => {
    expect((await dueAt(calendar, start, -Math.abs(minutes!) * 60, pauses)).toISOString()).toBe(instant(due))
  },
  next_open: async ({ calendar, start, due }) => {
    expect((await dueAt(calendar, start, 0)).toISOString()).toBe(instant(due))
  },
  elapsed: async ({ calendar, start, minutes, due, pauses }) => {
    expect(await secondsBetween(calendar, start, due, pauses)).toBe(minutes! * 60)
  },
  local_to_utc: async ({ calendar, start, due }) => {
    const found = await scalar<Date>('app_hidden.local_instant($1::timestamp, $2)', [start, calendar.tz])
    expect(found.toISOString()).toBe(instant(due))
  },
  error: async ({ calendar, start, minutes }) => {
    expect(await sqlState(dueAt(calendar, start, (minutes ?? 0) * 60))).toMatch(/^(AD2|22)/)
  },
}

describe('the cases other desks agree on', () => {
  test.each(cases)('$id $kind: $source', (given) => run[given.kind](given))
})

const weekdays = (shifts: [string, string][]) =>
  Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, shifts]))

const office = (tz: string, shifts: [string, string][] = [['09:00', '17:00']], holidays: string[] = []) => ({
  tz,
  hours: weekdays(shifts),
  holidays,
})

const hour = 3600

describe('calendars that are refused', () => {
  test.each([
    ['no hours at all', { tz: 'Etc/UTC', hours: {} }, 'AD201'],
    ['days without hours', { tz: 'Etc/UTC', hours: { mon: [], tue: [] } }, 'AD201'],
    ['hours left out', { tz: 'Etc/UTC', hours: null }, 'AD201'],
    ['another word than always_open', { tz: 'Etc/UTC', hours: 'sometimes' }, 'AD201'],
    ['a day that is none', { tz: 'Etc/UTC', hours: { monday: [['09:00', '17:00']] } }, 'AD202'],
    ['an hour that is none', { tz: 'Etc/UTC', hours: { mon: [['09:00', '25:00']] } }, 'AD202'],
    ['past the end of the day', { tz: 'Etc/UTC', hours: { mon: [['09:00', '24:01']] } }, 'AD202'],
    ['a minute that is none', { tz: 'Etc/UTC', hours: { mon: [['09:60', '17:00']] } }, 'AD202'],
    ['no time', { tz: 'Etc/UTC', hours: { mon: [['', '17:00']] } }, 'AD202'],
    ['a number', { tz: 'Etc/UTC', hours: { mon: [[9, 17]] } }, 'AD202'],
    ['three times', { tz: 'Etc/UTC', hours: { mon: [['09:00', '12:00', '17:00']] } }, 'AD202'],
    ['a shift that is no pair', { tz: 'Etc/UTC', hours: { mon: ['09:00', '17:00'] } }, 'AD201'],
    ['a shift without length', { tz: 'Etc/UTC', hours: { mon: [['09:00', '09:00']] } }, 'AD202'],
    ['a time zone that is none', { tz: 'Mars/Olympus', hours: { mon: [['09:00', '17:00']] } }, '22023'],
  ])('%s', async (_name, calendar, code) => {
    expect(await sqlState(dueAt(calendar as Calendar, '2024-01-15T09:00:00Z', hour))).toBe(code)
    expect(
      await sqlState(secondsBetween(calendar as Calendar, '2024-01-15T09:00:00Z', '2024-01-16T09:00:00Z')),
    ).toBe(code)
  })

  test('open too little for a hundred years of work', async () => {
    const never = { tz: 'Etc/UTC', hours: { mon: [['09:00', '09:01']] } }
    expect(await sqlState(dueAt(never, '2024-01-15T09:00:00Z', 100_000 * hour))).toBe('AD201')
  })

  test('the table refuses them too', async () => {
    const organizationId = await scalar<string>(`app_private.create_organization('refused', 'Refused')`, [])
    const insert = (hours: unknown, timeZone: string) =>
      sqlState(
        client.query(
          `insert into app_public.sla_calendars (organization_id, name, hours, time_zone) values ($1, 'x', $2, $3)`,
          [organizationId, JSON.stringify(hours), timeZone],
        ),
      )
    expect(await insert({}, 'Etc/UTC')).toBe('AD201')
    expect(await insert({ mon: [['09:00', '25:00']] }, 'Etc/UTC')).toBe('AD202')
    expect(await insert({ mon: [['09:00', '09:00:00']] }, 'Etc/UTC')).toBe('AD202')
    expect(await insert([], 'Etc/UTC')).toMatch(/^(AD201|23514)$/)
    expect(await insert('always_open', 'Mars/Olympus')).toBe('22023')
    expect(await insert('always_open', 'Europe/Berlin')).toBe('accepted')
  })
})

describe('deadlines', () => {
  test.each<[string, Calendar, string, number, string]>([
    ['ends at the closing instant', office('Etc/UTC'), '2024-01-15T16:00:00Z', hour, '2024-01-15T17:00:00Z'],
    [
      'a second more is tomorrow',
      office('Etc/UTC'),
      '2024-01-15T16:00:00Z',
      hour + 1,
      '2024-01-16T09:00:01Z',
    ],
    ['from the closing instant', office('Etc/UTC'), '2024-01-15T17:00:00Z', 1, '2024-01-16T09:00:01Z'],
    ['a second before closing', office('Etc/UTC'), '2024-01-15T16:59:59Z', 2, '2024-01-16T09:00:01Z'],
    ['nothing, while open', office('Etc/UTC'), '2024-01-15T10:00:00Z', 0, '2024-01-15T10:00:00Z'],
    ['nothing, at closing', office('Etc/UTC'), '2024-01-15T17:00:00Z', 0, '2024-01-16T09:00:00Z'],
    ['nothing, at the weekend', office('Etc/UTC'), '2024-01-20T12:00:00Z', 0, '2024-01-22T09:00:00Z'],
    [
      'fractions of a second are kept',
      office('Etc/UTC'),
      '2024-01-15T10:00:00.250Z',
      1,
      '2024-01-15T10:00:01.250Z',
    ],
    [
      'over the lunch break',
      office('Etc/UTC', [
        ['09:00', '12:00'],
        ['13:00', '17:00'],
      ]),
      '2024-01-15T11:30:00Z',
      hour,
      '2024-01-15T13:30:00Z',
    ],
    [
      'shifts that touch are one',
      office('Etc/UTC', [
        ['09:00', '12:00'],
        ['12:00', '17:00'],
      ]),
      '2024-01-15T09:00:00Z',
      3 * hour,
      '2024-01-15T12:00:00Z',
    ],
    [
      'shifts that overlap are not counted twice',
      office('Etc/UTC', [
        ['09:00', '13:00'],
        ['12:00', '17:00'],
      ]),
      '2024-01-15T09:00:00Z',
      8 * hour,
      '2024-01-15T17:00:00Z',
    ],
    [
      'until 24:00 runs into the next day',
      office('Etc/UTC', [['00:00', '24:00']]),
      '2024-01-15T23:00:00Z',
      2 * hour,
      '2024-01-16T01:00:00Z',
    ],
    [
      'over midnight',
      { tz: 'Etc/UTC', hours: { mon: [['22:00', '06:00']] } },
      '2024-01-15T23:00:00Z',
      3 * hour,
      '2024-01-16T02:00:00Z',
    ],
    [
      'over midnight, begun the evening before',
      { tz: 'Etc/UTC', hours: { mon: [['22:00', '06:00']] } },
      '2024-01-16T05:00:00Z',
      2 * hour,
      '2024-01-22T23:00:00Z',
    ],
    [
      'around the clock',
      { tz: 'Etc/UTC', hours: 'always_open' },
      '2024-01-15T23:00:00Z',
      30 * hour,
      '2024-01-17T05:00:00Z',
    ],
    [
      'around the clock, but not on a holiday',
      { tz: 'Etc/UTC', hours: 'always_open', holidays: ['2024-01-16'] },
      '2024-01-15T23:00:00Z',
      2 * hour,
      '2024-01-17T01:00:00Z',
    ],
    [
      'a holiday is a local day',
      office('America/New_York', [['00:00', '24:00']], ['2024-01-16']),
      '2024-01-16T04:00:00Z',
      2 * hour,
      '2024-01-17T06:00:00Z',
    ],
    // 2024-03-31 in Berlin has no 02:00 to 03:00, 2024-10-27 has it twice.
    [
      'a night an hour shorter',
      { tz: 'Europe/Berlin', hours: 'always_open' },
      '2024-03-30T23:00:00Z',
      24 * hour,
      '2024-03-31T23:00:00Z',
    ],
    [
      'opening in the gap moves forward',
      { tz: 'Europe/Berlin', hours: { sun: [['02:30', '06:00']] } },
      '2024-03-31T00:00:00Z',
      0,
      '2024-03-31T01:30:00Z',
    ],
    [
      'a shift over the gap is as long as it was',
      { tz: 'Europe/Berlin', hours: { sun: [['00:00', '06:00']] } },
      '2024-03-30T23:00:00Z',
      5 * hour,
      '2024-03-31T04:00:00Z',
    ],
    [
      'opening in the overlap takes the first',
      { tz: 'Europe/Berlin', hours: { sun: [['02:30', '06:00']] } },
      '2024-10-27T00:00:00Z',
      0,
      '2024-10-27T00:30:00Z',
    ],
    [
      'a shift over the overlap has an hour more',
      { tz: 'Europe/Berlin', hours: { sun: [['00:00', '06:00']] } },
      '2024-10-26T22:00:00Z',
      7 * hour,
      '2024-10-27T05:00:00Z',
    ],
    // São Paulo skipped the midnight of 2018-11-04.
    [
      'a day without a midnight',
      { tz: 'America/Sao_Paulo', hours: 'always_open', holidays: ['2018-11-04'] },
      '2018-11-04T02:00:00Z',
      2 * hour,
      '2018-11-05T03:00:00Z',
    ],
    [
      'a quarter of an hour off',
      office('Asia/Kathmandu'),
      '2024-01-15T00:00:00Z',
      hour,
      '2024-01-15T04:15:00Z',
    ],
    ['a year of it', office('Etc/UTC'), '2024-01-01T09:00:00Z', 52 * 40 * hour, '2024-12-27T17:00:00Z'],
    [
      'backwards to the opening instant',
      office('Etc/UTC'),
      '2024-01-15T10:00:00Z',
      -hour,
      '2024-01-15T09:00:00Z',
    ],
    [
      'backwards over the weekend',
      office('Etc/UTC'),
      '2024-01-15T10:00:00Z',
      -2 * hour,
      '2024-01-12T16:00:00Z',
    ],
    ['backwards from the weekend', office('Etc/UTC'), '2024-01-14T10:00:00Z', -hour, '2024-01-12T16:00:00Z'],
  ])('%s', async (_name, calendar, startAt, seconds, due) => {
    expect((await dueAt(calendar, startAt, seconds)).toISOString()).toBe(instant(due))
  })

  test.each<[string, { from: string; to: string }[], string]>([
    [
      'a pause at work',
      [{ from: '2024-01-15T10:00:00Z', to: '2024-01-15T11:30:00Z' }],
      '2024-01-15T14:30:00Z',
    ],
    [
      'a pause at night',
      [{ from: '2024-01-15T18:00:00Z', to: '2024-01-16T08:00:00Z' }],
      '2024-01-15T13:00:00Z',
    ],
    [
      'a pause before the start',
      [{ from: '2024-01-15T08:00:00Z', to: '2024-01-15T09:30:00Z' }],
      '2024-01-15T13:30:00Z',
    ],
    [
      'pauses that overlap',
      [
        { from: '2024-01-15T10:00:00Z', to: '2024-01-15T11:00:00Z' },
        { from: '2024-01-15T10:30:00Z', to: '2024-01-15T11:30:00Z' },
      ],
      '2024-01-15T14:30:00Z',
    ],
    [
      'a pause from the due instant',
      [{ from: '2024-01-15T13:00:00Z', to: '2024-01-15T14:00:00Z' }],
      '2024-01-15T13:00:00Z',
    ],
    [
      'a pause over several days',
      [{ from: '2024-01-15T10:00:00Z', to: '2024-01-17T10:00:00Z' }],
      '2024-01-17T13:00:00Z',
    ],
  ])('%s', async (_name, pauses, due) => {
    const found = await dueAt(office('Etc/UTC'), '2024-01-15T09:00:00Z', 4 * hour, pauses)
    expect(found.toISOString()).toBe(instant(due))
  })
})

describe('elapsed working time', () => {
  test.each<[string, string, string, number]>([
    ['whole seconds', '2024-01-15T09:00:00Z', '2024-01-15T09:00:59Z', 59],
    ['a fraction is rounded, not cut', '2024-01-15T09:00:00Z', '2024-01-15T09:00:59.600Z', 60],
    ['outside the hours', '2024-01-15T17:00:00Z', '2024-01-16T09:00:00Z', 0],
    ['a week', '2024-01-15T00:00:00Z', '2024-01-22T00:00:00Z', 40 * hour],
    ['the wrong way round', '2024-01-22T00:00:00Z', '2024-01-15T00:00:00Z', 0],
  ])('%s', async (_name, fromAt, toAt, seconds) => {
    expect(await secondsBetween(office('Etc/UTC'), fromAt, toAt)).toBe(seconds)
  })

  test('is what a deadline is counted with', async () => {
    // Any start and any length: the working time until the due instant is the length.
    const calendar = office(
      'Europe/Berlin',
      [
        ['08:15', '12:00'],
        ['12:45', '24:00'],
      ],
      ['2024-03-29', '2024-04-01'],
    )
    for (let step = 0; step < 60; step += 1) {
      const startAt = new Date(Date.UTC(2024, 2, 20) + step * 7_654_321).toISOString()
      const seconds = 1 + step * 4_321
      const due = await dueAt(calendar, startAt, seconds)
      expect(await secondsBetween(calendar, startAt, due.toISOString())).toBe(seconds)
      const back = await dueAt(calendar, due.toISOString(), -seconds)
      expect(await secondsBetween(calendar, back.toISOString(), due.toISOString())).toBe(seconds)
    }
  })
})
