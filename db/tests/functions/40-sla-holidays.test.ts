import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { sqlState } from '../support/refusals.ts'

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

const scalar = async <T>(sql: string, values: unknown[]): Promise<T> =>
  (await client.query<{ value: T }>(`select ${sql} as value`, values)).rows[0]!.value

const hour = 3600
const everyDay = Object.fromEntries(
  ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => [day, [['09:00', '17:00']]]),
)
const calendarOf = (holidays: unknown, hours: unknown = everyDay, tz = 'Europe/Berlin') =>
  JSON.stringify({ tz, hours, holidays })

const worked = async (calendar: string, from: string, to: string) =>
  Number(await scalar<string>('app_hidden.business_seconds($1, $2, $3)', [calendar, from, to])) / hour

describe('a holiday', () => {
  test.each<[string, unknown[], string, string, number]>([
    ['is a date', ['2026-12-25'], '2026-12-24T00:00+01', '2026-12-27T00:00+01', 16],
    ['is a day of every year', ['12-25'], '2027-12-24T00:00+01', '2027-12-27T00:00+01', 16],
    [
      'is a span of dates, to the last',
      [{ from: '2026-08-03', to: '2026-08-14' }],
      '2026-08-02T00:00+02',
      '2026-08-16T00:00+02',
      16,
    ],
    [
      'is a span of every year, over its end',
      [{ from: '12-27', to: '01-02' }],
      '2029-12-26T00:00+01',
      '2030-01-04T00:00+01',
      16,
    ],
    [
      'that began the year before',
      [{ from: '12-27', to: '01-02' }],
      '2030-01-01T00:00+01',
      '2030-01-04T00:00+01',
      8,
    ],
    [
      'is a part of a day',
      [{ date: '2026-12-24', from: '12:00', to: '24:00' }],
      '2026-12-24T00:00+01',
      '2026-12-25T00:00+01',
      3,
    ],
    [
      'is a morning of every year',
      [{ date: '12-24', from: '00:00', to: '10:00' }],
      '2031-12-24T00:00+01',
      '2031-12-25T00:00+01',
      7,
    ],
    ['is held on the 29th of February', ['02-29'], '2028-02-28T00:00+01', '2028-03-02T00:00+01', 16],
    ['is not held in a year without one', ['02-29'], '2027-02-28T00:00+01', '2027-03-02T00:00+01', 16],
    [
      'is told twice and counts once',
      ['2026-12-25', '12-25', { from: '2026-12-25', to: '2026-12-25' }],
      '2026-12-24T00:00+01',
      '2026-12-27T00:00+01',
      16,
    ],
  ])('%s', async (_name, holidays, from, to, hours) => {
    expect(await worked(calendarOf(holidays), from, to)).toBe(hours)
  })

  test('ends the hours that go over its midnight, and lets none begin', async () => {
    const nights = { thu: [['22:00', '06:00']], fri: [['22:00', '06:00']] }
    // Friday, 25 December: of the night before, the two hours until midnight; the night after is not worked.
    expect(await worked(calendarOf(['12-25'], nights), '2026-12-24T12:00+01', '2026-12-26T12:00+01')).toBe(2)
    // From noon on 24 December: nobody begins the night.
    const noon = [{ date: '12-24', from: '12:00', to: '24:00' }]
    expect(await worked(calendarOf(noon, nights), '2026-12-24T12:00+01', '2026-12-25T12:00+01')).toBe(0)
    expect(
      await worked(
        calendarOf([{ date: '12-25', from: '00:00', to: '04:00' }], nights),
        '2026-12-24T12:00+01',
        '2026-12-25T12:00+01',
      ),
    ).toBe(4)
  })

  test('in part is as long as the clock says when the clocks change', async () => {
    // 2026-03-29 has no 02:00 to 03:00 in Berlin, 2026-10-25 has it twice.
    const until = [
      { date: '2026-03-29', from: '00:00', to: '04:00' },
      { date: '2026-10-25', from: '00:00', to: '04:00' },
    ]
    const calendar = calendarOf(until, 'always_open')
    expect(await worked(calendar, '2026-03-29T00:00+01', '2026-03-30T00:00+02')).toBe(20)
    expect(await worked(calendar, '2026-10-25T00:00+02', '2026-10-26T00:00+01')).toBe(20)
  })

  test('far away is found too, over the weeks that are skipped', async () => {
    const due = (holidays: unknown[]) =>
      scalar<Date>('app_hidden.business_due_at($1, $2, $3)', [
        calendarOf(holidays, everyDay, 'Etc/UTC'),
        '2026-01-01T09:00Z',
        800 * 8 * hour,
      ])
    expect((await due([])).toISOString()).toBe('2028-03-10T17:00:00.000Z')
    expect(
      (await due(['2027-06-16', '12-25', { date: '2028-03-01', from: '12:00', to: '24:00' }])).toISOString(),
    ).toBe('2028-03-14T14:00:00.000Z')
  })

  test.each([
    ['no list', 'never'],
    ['a number', [5]],
    ['a word', ['Christmas']],
    ['a day that is none', ['2026-02-30']],
    ['a day of every year that is none', ['04-31']],
    ['a span that ends before it begins', [{ from: '2026-08-14', to: '2026-08-03' }]],
    ['a span of a date and a day of every year', [{ from: '2026-08-14', to: '08-20' }]],
    ['half a span', [{ from: '2026-08-14' }]],
    ['a part without length', [{ date: '12-24', from: '12:00', to: '12:00' }]],
    ['a part over midnight', [{ date: '12-24', from: '22:00', to: '06:00' }]],
    ['a part without an end', [{ date: '12-24', from: '22:00' }]],
  ])('is not %s', async (_name, holidays) => {
    expect(await sqlState(client.query('select app_hidden.check_calendar($1)', [calendarOf(holidays)]))).toBe(
      'AD202',
    )
  })
})

describe('what it costs', () => {
  // Three times what is promised, because the machine that tests is shared; bench/README.md has the figures.
  test.each([
    ['a week ahead', 40, 150, 100],
    ['two years ahead', 2 * 52 * 40, 3_000, 10],
  ])('%s', async (_name, hours, microseconds, times) => {
    const hoursOfWeek = Object.fromEntries(
      ['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, [['09:00', '17:00']]]),
    )
    const calendar = calendarOf(['2026-06-04', '2026-12-25', '2026-12-26'], hoursOfWeek)
    await client.query(`
      create or replace function pg_temp.cost(calendar jsonb, seconds bigint, times integer) returns double precision
      language plpgsql as $$
      declare
        began timestamptz;
        due timestamptz;
        best double precision := 'infinity';
      begin
        for round in 1 .. 20 loop
          began := clock_timestamp();
          for index in 1 .. times loop
            due := app_hidden.business_due_at(calendar, timestamptz '2026-06-08 08:00Z' + make_interval(secs => index), seconds);
          end loop;
          best := least(best, extract(epoch from clock_timestamp() - began) / times * 1e6);
        end loop;
        return best;
      end $$`)
    expect(await scalar<number>('pg_temp.cost($1, $2, $3)', [calendar, hours * hour, times])).toBeLessThan(
      microseconds,
    )
  })
})
