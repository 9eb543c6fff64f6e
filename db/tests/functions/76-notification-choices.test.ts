import { beforeEach, describe, expect, test } from 'vitest'
import { noticesOf } from '../support/notices.ts'
import type { Actor } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { announce, record } = noticesOf(stage)

describe('quiet hours', () => {
  const quietUntil = async (
    at: string,
    from: number,
    to: number,
    weekdays = '{1,2,3,4,5,6,7}',
    zone = 'Europe/Berlin',
  ) => {
    const { rows } = await stage.superuser.query<{ until: string | null }>(
      `select to_char(app_hidden.quiet_until($1, $2, $3, $4, $5) at time zone $4, 'YYYY-MM-DD HH24:MI') as until`,
      [from, to, weekdays, zone, at],
    )
    return rows[0]!.until
  }
  const night = [22 * 60, 6 * 60] as const

  test.for([
    // 2026-01-07 is a Wednesday.
    ['2026-01-07 21:59:59+01', null],
    ['2026-01-07 22:00+01', '2026-01-08 06:00'],
    ['2026-01-08 00:00+01', '2026-01-08 06:00'],
    ['2026-01-08 05:59:59+01', '2026-01-08 06:00'],
    ['2026-01-08 06:00+01', null],
  ] as const)('go over midnight: at %s until %s', async ([at, until]) => {
    expect(await quietUntil(at, ...night)).toBe(until)
  })

  test('begin on their weekdays, and end on the day after also where that is none', async () => {
    // From Friday evening until Saturday morning.
    expect(await quietUntil('2026-01-09 23:00+01', ...night, '{5}')).toBe('2026-01-10 06:00')
    expect(await quietUntil('2026-01-10 05:00+01', ...night, '{5}')).toBe('2026-01-10 06:00')
    expect(await quietUntil('2026-01-10 23:00+01', ...night, '{5}')).toBeNull()
    expect(await quietUntil('2026-01-09 05:00+01', ...night, '{5}')).toBeNull()
  })

  test('of whole days go on until one is not quiet, and of all days for a week', async () => {
    expect(await quietUntil('2026-01-10 12:00+01', 0, 1440, '{6,7}')).toBe('2026-01-12 00:00')
    expect(await quietUntil('2026-01-09 12:00+01', 0, 1440, '{6,7}')).toBeNull()
    expect(await quietUntil('2026-01-10 12:00+01', 0, 1440)).toBe('2026-01-18 00:00')
  })

  test('are those of a clock that is changed', async () => {
    // On 2026-03-29 there is no 02:30 in Berlin, on 2026-10-25 there are two.
    expect(await quietUntil('2026-03-29 01:30+01', 60, 150)).toBe('2026-03-29 03:30')
    expect(await quietUntil('2026-03-29 03:29:59+02', 60, 150)).toBe('2026-03-29 03:30')
    expect(await quietUntil('2026-03-29 03:30+02', 60, 150)).toBeNull()
    expect(await quietUntil('2026-10-25 02:15+02', 60, 150)).toBe('2026-10-25 02:30')
    expect(await quietUntil('2026-10-25 02:15+01', 60, 150)).toBeNull()
    // The night is as long as it is.
    expect(await quietUntil('2026-10-24 23:00+02', ...night)).toBe('2026-10-25 06:00')
    expect(await quietUntil('2026-10-25 05:59+01', ...night)).toBe('2026-10-25 06:00')
  })

  test('are those of the place where the person is', async () => {
    expect(await quietUntil('2026-01-07 20:00+01', ...night, '{1,2,3,4,5,6,7}', 'Asia/Kolkata')).toBe(
      '2026-01-08 06:00',
    )
    expect(
      await quietUntil('2026-01-07 20:00+01', ...night, '{1,2,3,4,5,6,7}', 'America/Los_Angeles'),
    ).toBeNull()
  })
})

describe('a choice', () => {
  const choose = (actor: Actor, kind: string, inApp: boolean, mail: string, inBrowser: boolean) =>
    stage.does(actor, 'select kind from app_public.choose_notification($1, $2, $3, $4)', [
      kind,
      inApp,
      mail,
      inBrowser,
    ])

  const toldOf = async (kind: string) => {
    const { rows } = await stage.superuser.query(
      `select is_shown, in_browser, notification.mail from app_public.notifications as notification
      where user_id = $1 and kind = $2`,
      [stage.acme.agent.userId, kind],
    )
    return rows as object[]
  }

  let ticketId: string

  beforeEach(async () => {
    const { acme, superuser } = stage
    await superuser.query('delete from app_public.notifications')
    await superuser.query('delete from app_private.notification_choices')
    await superuser.query('delete from app_private.notification_settings')
    ticketId = await stage.does(
      acme.customer,
      `select id from app_public.create_ticket('No network', 'Please', service_id => $1)`,
      [acme.serviceId],
    )
    await superuser.query('update app_public.tickets set assignee_id = $2 where id = $1', [
      ticketId,
      acme.agent.userId,
    ])
    await announce(ticketId)
    await superuser.query('delete from app_public.notifications')
  })

  const warn = async () => {
    await record(ticketId, 'sla_warned')
    await announce(ticketId)
  }

  test('that nobody made is that of the role', async () => {
    await warn()
    expect(await toldOf('sla_warning')).toEqual([{ is_shown: true, in_browser: true, mail: 'off' }])
  })

  test('of nothing at all leaves nothing', async () => {
    await choose(stage.acme.agent, 'sla_warning', false, 'off', true)
    await warn()
    expect(await toldOf('sla_warning')).toEqual([])
  })

  test('of mail alone is a mail alone, which nobody sees in the app', async () => {
    const { agent } = stage.acme
    await choose(agent, 'sla_warning', false, 'digest', true)
    await warn()
    expect(await toldOf('sla_warning')).toEqual([{ is_shown: false, in_browser: false, mail: 'digest' }])
    expect(await stage.sees(agent, 'select kind from app_public.notifications')).toEqual([])
    expect(await stage.sees(agent, 'select app_public.unread_notification_count()')).toEqual([0])
  })

  test('is made for oneself, and taken back alone or with all others', async () => {
    const { agent, manager } = stage.acme
    await choose(agent, 'sla_warning', false, 'immediate', false)
    await choose(agent, 'note', false, 'off', false)
    const own = (actor: Actor) =>
      stage.sees(actor, 'select kind::text from app_public.own_notification_choices() where not is_usual')
    expect(await own(agent)).toEqual(['note', 'sla_warning'])
    expect(await own(manager)).toEqual([])
    await stage.does(manager, 'select count(*) from app_public.reset_notification_choices()')
    await stage.does(agent, `select count(*) from app_public.reset_notification_choices('note')`)
    expect(await own(agent)).toEqual(['sla_warning'])
    await stage.does(agent, 'select count(*) from app_public.reset_notification_choices()')
    expect(await own(agent)).toEqual([])
  })

  test('is offered for what the role is told, which is all there is', async () => {
    const kinds = (actor: Actor) =>
      stage.sees(actor, 'select kind::text from app_public.own_notification_choices()')
    const { rows } = await stage.superuser.query<{ kind: string }>(
      'select unnest(enum_range(null::app_public.notification_kind))::text as kind',
    )
    expect(await kinds(stage.acme.admin)).toEqual(rows.map(({ kind }) => kind))
    expect(await kinds(stage.acme.agent)).toEqual(
      rows.map(({ kind }) => kind).filter((kind) => kind !== 'alert'),
    )
    expect(await kinds(stage.acme.customer)).toEqual([
      'acknowledgement',
      'reply',
      'status_changed',
      'resolved',
      'approval',
      'notice',
    ])
  })

  test('of quiet hours keeps the browser still', async () => {
    await stage.does(
      stage.acme.agent,
      'select digest_hour from app_public.change_notification_schedule(8, 0, 1440)',
    )
    await warn()
    expect(await toldOf('sla_warning')).toEqual([{ is_shown: true, in_browser: false, mail: 'off' }])
  })
})
