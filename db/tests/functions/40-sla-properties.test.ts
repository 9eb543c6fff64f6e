import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'

// What holds for every calendar, every start and every length. Each property asks the database about many examples at
// once; a failure names its seed.

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

const timeZones = (
  'Etc/UTC Europe/Berlin Europe/London Europe/Lisbon Europe/Dublin Europe/Athens Europe/Istanbul Europe/Moscow Europe/Chisinau ' +
  'Africa/Cairo Africa/Casablanca Africa/Johannesburg Asia/Beirut Asia/Jerusalem Asia/Amman Asia/Tehran Asia/Kabul Asia/Kolkata ' +
  'Asia/Kathmandu Asia/Shanghai Asia/Tokyo Asia/Gaza Australia/Sydney Australia/Adelaide Australia/Lord_Howe Australia/Eucla ' +
  'Pacific/Auckland Pacific/Chatham Pacific/Apia Pacific/Norfolk America/New_York America/Los_Angeles America/St_Johns ' +
  'America/Sao_Paulo America/Santiago America/Asuncion America/Havana America/Nuuk Atlantic/Azores Antarctica/Troll'
).split(' ')

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const time = fc.integer({ min: 0, max: 95 }).map((quarter) => {
  const minutes = String((quarter % 4) * 15).padStart(2, '0')
  return `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${minutes}`
})
const shift = fc
  .tuple(time, fc.oneof(time, fc.constant('24:00')))
  .filter(([opens, closes]) => opens !== closes)
const hours = fc
  .dictionary(fc.constantFrom(...weekdays), fc.array(shift, { minLength: 1, maxLength: 3 }), { minKeys: 1 })
  .map((days): unknown => days)
const date = fc
  .integer({ min: 0, max: 3650 })
  .map((days) => new Date(Date.UTC(2016, 0, 1) + days * 86_400_000).toISOString().slice(0, 10))
const holiday = fc.oneof(
  date,
  date.map((day) => day.slice(5)).filter((day) => day !== '02-29'),
  fc.tuple(date, date).map(([one, other]) => ({
    from: one < other ? one : other,
    to: one < other ? (other.slice(0, 4) === one.slice(0, 4) ? other : one) : one,
  })),
  fc.record({ date, from: fc.constant('00:00'), to: fc.constantFrom('09:30', '12:00') }),
  fc.record({
    date: fc.constantFrom('12-24', '12-31'),
    from: fc.constant('12:00'),
    to: fc.constant('24:00'),
  }),
)
const calendar = fc.record({
  tz: fc.constantFrom(...timeZones),
  hours: fc.oneof(
    { weight: 9, arbitrary: hours },
    { weight: 1, arbitrary: fc.constant<unknown>('always_open') },
  ),
  holidays: fc.array(holiday, { maxLength: 5 }),
})
const start = fc.integer({ min: Date.UTC(2016, 0, 1) / 1000, max: Date.UTC(2026, 0, 1) / 1000 })
const seconds = fc.oneof(fc.integer({ min: 1, max: 36_000 }), fc.integer({ min: 1, max: 2_000_000 }))
const pauses = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 900_000 }), fc.integer({ min: 1, max: 200_000 })), {
    maxLength: 3,
  })
  .map((spans) => spans.map(([after, length]) => ({ after, length })))
const example = fc.record({ calendar, start, seconds, pauses })
type Example = typeof example extends fc.Arbitrary<infer Value> ? Value : never

/** Those of many examples for which an expression over them does not hold. */
async function counterexamples(examples: Example[], holds: string): Promise<unknown[]> {
  const { rows } = await client.query<{ example: unknown }>(
    `select given.value as example
    from jsonb_array_elements($1) as given
    cross join lateral (
      select
        given.value -> 'calendar' as calendar,
        to_timestamp((given.value ->> 'start')::bigint) as start_at,
        (given.value ->> 'seconds')::bigint as seconds,
        (
          select coalesce(range_agg(tstzrange(pause.from_at, pause.from_at + make_interval(secs => (span ->> 'length')::integer))), '{}')
          from jsonb_array_elements(given.value -> 'pauses') as span
          cross join lateral (
            select to_timestamp((given.value ->> 'start')::bigint + (span ->> 'after')::integer) as from_at
          ) as pause
        ) as paused
    ) as example
    cross join lateral (select app_hidden.business_due_at(calendar, start_at, seconds, paused) as due_at) as due
    where (${holds}) is not true`,
    [JSON.stringify(examples)],
  )
  return rows
}

const always = async (holds: string, given: fc.Arbitrary<Example> = example) =>
  fc.assert(
    fc.asyncProperty(fc.array(given, { minLength: 20, maxLength: 20 }), async (examples) => {
      expect(await counterexamples(examples, holds)).toEqual([])
    }),
    { numRuns: 15, endOnFailure: true },
  )

describe('for every calendar, start and length', () => {
  test('the working time until the due instant is the length', () =>
    always('app_hidden.business_seconds(calendar, start_at, due_at, paused) = seconds'))

  test('a later start is not due earlier', () =>
    always(
      `app_hidden.business_due_at(calendar, start_at + interval '4321 seconds', seconds, paused) >= due_at`,
    ))

  test('a longer target is due later', () =>
    always('app_hidden.business_due_at(calendar, start_at, seconds + 1, paused) > due_at'))

  test('a pause makes nothing due earlier', () =>
    always('app_hidden.business_due_at(calendar, start_at, seconds) <= due_at'))

  test('the due instant is not in a pause, nor the first open one', () =>
    always(`not paused @> due_at - interval '1 microsecond'
      and not paused @> app_hidden.business_due_at(calendar, start_at, 0, paused)`))

  test('backwards from the due instant is the first open instant', () =>
    always(
      'app_hidden.business_due_at(calendar, due_at, -seconds, paused) = app_hidden.business_due_at(calendar, start_at, 0, paused)',
    ))

  test('two spans come to what the whole comes to', () =>
    always(`app_hidden.business_seconds(calendar, start_at, start_at + interval '100000 seconds', paused)
      + app_hidden.business_seconds(calendar, start_at + interval '100000 seconds', start_at + interval '900000 seconds', paused)
      = app_hidden.business_seconds(calendar, start_at, start_at + interval '900000 seconds', paused)`))

  test('around the clock is the clock, whatever the zone', () =>
    always(
      `due_at = start_at + make_interval(secs => seconds)`,
      example.map((given) => ({
        ...given,
        calendar: { ...given.calendar, hours: 'always_open', holidays: [] },
        pauses: [],
      })),
    ))

  test('the session has no say in it', async () => {
    const examples = fc.sample(example, 40)
    await client.query(
      `set time zone 'America/St_Johns'; set intervalstyle to sql_standard; set datestyle to 'SQL, DMY'`,
    )
    try {
      expect(
        await counterexamples(
          examples,
          'app_hidden.business_seconds(calendar, start_at, due_at, paused) = seconds',
        ),
      ).toEqual([])
    } finally {
      await client.query('reset time zone; reset intervalstyle; reset datestyle')
    }
  })
})

test(
  'every change of the clocks in forty time zones over ten years is gone through',
  { timeout: 60_000 },
  async () => {
    // Around each: from the hours before it, by hours that open and close within the night.
    const { rows } = await client.query<{ changes: string; zones: string; wrong: string }>(
      `with day as (
      select zone, midnight, shift, lag(shift) over (partition by zone order by midnight) as before
      from unnest($1::text[]) as zone
      cross join generate_series(timestamptz '2016-01-01Z', '2026-01-01Z', '24 hours') as midnight
      cross join lateral (select (midnight at time zone zone) - (midnight at time zone 'UTC') as shift) as here
    ),
    change as (
      select day.zone, min(hour.instant) as instant
      from day
      cross join generate_series(day.midnight - interval '24 hours', day.midnight, '30 minutes') as hour (instant)
      where day.shift <> day.before
        and (hour.instant at time zone day.zone) - (hour.instant at time zone 'UTC') = day.shift
      group by day.zone, day.midnight
    )
    select
      count(distinct (change.zone, change.instant)) as changes, count(distinct change.zone) as zones,
      count(*) filter (
        where app_hidden.business_seconds(
          calendar, change.instant - start.before, app_hidden.business_due_at(calendar, change.instant - start.before, length)
        ) <> length
      ) as wrong
    from change
    cross join unnest(array['30 minutes', '7 hours', '2 days']::interval[]) as start (before)
    cross join unnest(array[1, 5400, 40000]) as length
    cross join lateral (
      select jsonb_build_object('tz', change.zone, 'hours', (
        select jsonb_object_agg(day, '[["22:00", "00:30"], ["01:15", "02:30"], ["02:45", "03:10"], ["09:00", "24:00"]]'::jsonb)
        from unnest('{mon,tue,wed,thu,fri,sat,sun}'::text[]) as day
      )) as calendar
    ) as open`,
      [timeZones],
    )
    expect(new Set(timeZones).size).toBe(40)
    expect(Number(rows[0]!.changes)).toBeGreaterThan(400)
    expect(Number(rows[0]!.zones)).toBeGreaterThan(25)
    expect(Number(rows[0]!.wrong)).toBe(0)
  },
)
