import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { does, refuses, sees } = stage

const calendarOf = ({ organizationId }: { organizationId: string }) =>
  does<string>(
    { role: 'atum_owner' },
    'select id from app_public.sla_calendars where organization_id = $1 order by id limit 1',
    [organizationId],
  )
const policyOf = ({ organizationId }: { organizationId: string }) =>
  does<string>(
    { role: 'atum_owner' },
    'select id from app_public.sla_policies where organization_id = $1 order by id limit 1',
    [organizationId],
  )

const weekly = JSON.stringify({ mon: [['09:00', '17:00']] })

describe('who may', () => {
  const calls: [string, string][] = [
    ['make a calendar', `app_public.create_sla_calendar('Nights', 'Etc/UTC', '"always_open"')`],
    ['remove a calendar', `app_public.delete_sla_calendar($1)`],
    ['add a holiday', `app_public.add_sla_holiday($1, 'Founding day', '2030-05-05')`],
    ['remove a holiday', `app_public.remove_sla_holiday($1)`],
    ['make a policy', `app_public.create_sla_policy('Gold', $1)`],
    ['remove a policy', `app_public.delete_sla_policy($1)`],
    ['order policies', `app_public.order_sla_policies(array[$1::uuid])`],
    ['set a target', `app_public.set_sla_target($1, 'low', 'resolution', 60)`],
    ['set an escalation', `app_public.set_sla_escalation($1, 'resolution', 0, '[]')`],
    ['remove an escalation', `app_public.delete_sla_escalation($1)`],
  ]
  test.each(calls)('%s: nobody but admins', async (_name, call) => {
    const id = await policyOf(stage.acme)
    const text = call.includes('$1') ? `select ${call}` : `select ${call}, $1::uuid`
    for (const actor of [
      stage.acme.customer,
      stage.acme.agent,
      stage.acme.manager,
      { role: 'atum_anonymous' as const },
    ]) {
      expect(await refuses(actor, text, [id])).toBe('42501')
    }
  })

  test('change a calendar or a policy: nobody but admins, and not those of another organization', async () => {
    for (const table of ['sla_calendars', 'sla_policies']) {
      for (const actor of [stage.acme.customer, stage.acme.agent, stage.acme.manager]) {
        expect(await refuses(actor, `update app_public.${table} set name = 'Mine'`)).toBe('42501')
      }
      expect(await stage.touches(stage.acme.admin, `update app_public.${table} set name = 'Mine'`)).toBe(1)
    }
  })

  test('what is of another organization is not there', async () => {
    const [calendar, policy] = [await calendarOf(stage.globex), await policyOf(stage.globex)]
    const { admin } = stage.acme
    const holiday = await does<string>(
      { role: 'atum_owner' },
      'select id from app_public.sla_holidays where organization_id = $1',
      [stage.globex.organizationId],
    )
    const escalation = await does<string>(
      { role: 'atum_owner' },
      'select id from app_public.sla_escalations where organization_id = $1',
      [stage.globex.organizationId],
    )
    expect(await refuses(admin, 'select app_public.delete_sla_calendar($1)', [calendar])).toBe('AD101')
    expect(await refuses(admin, `select app_public.add_sla_holiday($1, 'x', '2030-05-05')`, [calendar])).toBe(
      '23503',
    )
    expect(await refuses(admin, 'select app_public.remove_sla_holiday($1)', [holiday])).toBe('AD101')
    expect(await refuses(admin, `select app_public.create_sla_policy('Gold', $1)`, [calendar])).toBe('23503')
    expect(await refuses(admin, 'select app_public.delete_sla_policy($1)', [policy])).toBe('AD101')
    expect(await refuses(admin, 'select app_public.order_sla_policies(array[$1::uuid])', [policy])).toBe(
      'AD205',
    )
    expect(
      await refuses(admin, `select app_public.set_sla_target($1, 'low', 'resolution', 60)`, [policy]),
    ).toBe('AD101')
    expect(
      await refuses(admin, `select app_public.set_sla_escalation($1, 'resolution', 0, '[]')`, [policy]),
    ).toBe('23503')
    expect(await refuses(admin, 'select app_public.delete_sla_escalation($1)', [escalation])).toBe('AD101')
    expect(await sees(admin, 'select app_public.preview_sla_due($1, 60)', [calendar])).toEqual([null])
  })

  test('read the progress of a recomputation: managers and admins', async () => {
    const read = 'select count(*)::integer from app_public.sla_recomputations'
    for (const actor of [stage.acme.customer, stage.acme.agent])
      expect(await refuses(actor, read)).toBe('42501')
    for (const actor of [stage.acme.manager, stage.acme.admin]) {
      expect(await sees(actor, 'select distinct organization_id from app_public.sla_recomputations')).toEqual(
        [stage.acme.organizationId],
      )
    }
  })
})

describe('an admin', () => {
  test('makes a calendar with holidays, asks what would be due, and removes it', async () => {
    const { admin, agent } = stage.acme
    const calendar = await does<string>(
      admin,
      `select (app_public.create_sla_calendar(' Mondays ', 'Europe/Berlin', $1)).id`,
      [weekly],
    )
    const holidays = [
      `$1, 'Whit Monday', '2026-05-25'`,
      `$1, 'New Year', '2020-01-01', repeats_yearly => true`,
      `$1, 'Summer', '2026-08-03', held_until => '2026-08-14'`,
      `$1, 'Christmas Eve', '2020-12-24', repeats_yearly => true, shut_from => '12:00', shut_until => '24:00'`,
    ]
    for (const holiday of holidays)
      await does(admin, `select app_public.add_sla_holiday(${holiday})`, [calendar])
    expect(
      await does(
        { role: 'atum_owner' },
        'select app_hidden.calendar_as_json(calendar) from app_public.sla_calendars as calendar where id = $1',
        [calendar],
      ),
    ).toEqual({
      tz: 'Europe/Berlin',
      hours: { mon: [['09:00', '17:00']] },
      holidays: [
        '01-01',
        { date: '12-24', from: '12:00', to: '24:00' },
        '2026-05-25',
        { from: '2026-08-03', to: '2026-08-14' },
      ],
    })
    const due = (at: string) =>
      sees(agent, `select app_public.preview_sla_due($1, 3600, $2)::timestamptz`, [calendar, at]).then(
        ([value]) => (value as Date).toISOString(),
      )
    expect(await due('2026-05-23T12:00Z')).toBe('2026-06-01T08:00:00.000Z')
    expect(await due('2026-08-01T12:00Z')).toBe('2026-08-17T08:00:00.000Z')
    expect(
      await refuses(stage.acme.customer, 'select app_public.preview_sla_due($1, 3600)', [calendar]),
    ).toBe('42501')
    expect(await does(admin, 'select app_public.delete_sla_calendar($1)', [calendar])).toBe(true)
  })

  test.each([
    ['without hours', '{}', 'Etc/UTC', 'AD201'],
    ['with a time that is none', '{"mon": [["09:00", "25:00"]]}', 'Etc/UTC', 'AD202'],
    ['in no time zone', '"always_open"', 'Mars/Olympus', '22023'],
  ])('makes no calendar %s', async (_name, hours, zone, code) => {
    expect(
      await refuses(stage.acme.admin, `select app_public.create_sla_calendar('x', $1, $2)`, [zone, hours]),
    ).toBe(code)
  })

  test.each([
    ['that ends before it begins', `'2026-08-14', held_until => '2026-08-03'`],
    [
      'of half an hour of several days',
      `'2026-08-03', held_until => '2026-08-14', shut_from => '12:00', shut_until => '12:30'`,
    ],
    ['until nowhere', `'2026-08-03', shut_from => '12:00'`],
    ['of no length', `'2026-08-03', shut_from => '12:00', shut_until => '12:00'`],
    ['of more than every year', `'2026-08-03', held_until => '2027-08-03', repeats_yearly => true`],
  ])('adds no holiday %s', async (_name, values) => {
    expect(
      await refuses(stage.acme.admin, `select app_public.add_sla_holiday($1, 'x', ${values})`, [
        await calendarOf(stage.acme),
      ]),
    ).toBe('23514')
  })

  test('does not remove a calendar that a policy counts on', async () => {
    expect(
      await refuses(stage.acme.admin, 'select app_public.delete_sla_calendar($1)', [
        await calendarOf(stage.acme),
      ]),
    ).toBe('AD204')
  })

  test('makes policies and puts them in order', async () => {
    const { admin, organizationId } = stage.acme
    const standard = await policyOf(stage.acme)
    const gold = await does<string>(
      admin,
      `select (app_public.create_sla_policy('Gold', $1, tags => '{VIP, vip}')).id`,
      [await calendarOf(stage.acme)],
    )
    const names = () =>
      does(
        { role: 'atum_owner' },
        `select array_agg(name order by position) from app_public.sla_policies where organization_id = $1`,
        [organizationId],
      )
    expect(await names()).toEqual(['Standard', 'Gold'])
    await does(admin, 'select count(*) from app_public.order_sla_policies($1)', [[gold, standard]])
    expect(await names()).toEqual(['Gold', 'Standard'])
    for (const order of [[gold], [gold, gold], [gold, standard, gold], []]) {
      expect(await refuses(admin, 'select app_public.order_sla_policies($1)', [order])).toBe('AD205')
    }
    await does(admin, `select app_public.set_sla_target($1, 'normal', 'next_response', 3600)`, [gold])
    await does(admin, `select app_public.set_sla_target($1, 'normal', 'next_response', 7200)`, [gold])
    await does(admin, `select app_public.set_sla_target($1, 'normal', 'resolution', 7200)`, [gold])
    await does(admin, `select app_public.set_sla_target($1, 'normal', 'resolution')`, [gold])
    expect(
      await sees(
        admin,
        `select kind || ' ' || working_seconds from app_public.sla_targets where policy_id = $1`,
        [gold],
      ),
    ).toEqual(['next_response 7200'])
    expect(await does(admin, 'select app_public.delete_sla_policy($1)', [gold])).toBe(true)
  })

  test.each([0, -1, 315_360_001])('promises nothing within %s seconds', async (seconds) => {
    expect(
      await refuses(stage.acme.admin, `select app_public.set_sla_target($1, 'low', 'resolution', $2)`, [
        await policyOf(stage.acme),
        seconds,
      ]),
    ).toBe('AD206')
  })

  test('sets and removes an escalation', async () => {
    const { admin } = stage.acme
    const policy = await policyOf(stage.acme)
    const set = (actions: string) =>
      does<string>(admin, `select (app_public.set_sla_escalation($1, 'first_response', -900, $2)).id`, [
        policy,
        actions,
      ])
    const id = await set('[{"type": "raise_priority"}]')
    expect(await set('[]')).toBe(id)
    expect(
      await refuses(
        admin,
        `select app_public.set_sla_escalation($1, 'resolution', 0, '[{"type": "assign_to_me"}]')`,
        [policy],
      ),
    ).toBe('AD117')
    expect(await does(admin, 'select app_public.delete_sla_escalation($1)', [id])).toBe(true)
  })
})

test('a policy is not for a service, team or company that is not there', async () => {
  const make = (condition: string, id: string) =>
    refuses(
      stage.acme.admin,
      `select app_public.create_sla_policy('Gold', $1, ${condition} => array[$2::uuid])`,
      [calendarId, id],
    )
  const calendarId = await calendarOf(stage.acme)
  const { acme, globex } = stage
  for (const [condition, own, foreign] of [
    ['service_ids', acme.serviceId, globex.serviceId],
    ['team_ids', acme.teamId, globex.teamId],
    ['company_ids', acme.companyId, globex.companyId],
  ] as const) {
    expect(await make(condition, own), condition).toBe('accepted')
    expect(await make(condition, foreign), condition).toBe('23503')
  }
})
