import { beforeEach, describe, expect, test } from 'vitest'
import { noticesOf } from '../support/notices.ts'
import type { Actor } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { announce, record } = noticesOf(stage)

/** Of the customer, assigned to the agent. */
let ticketId: string

/** Mails written since the test began: who gets which kind. */
const mails = async () => {
  const { rows } = await stage.superuser.query<{ mail: string }>(
    `select split_part(to_address, '@', 1) || ' ' || kind as mail from app_public.mail_messages
    where organization_id = $1 order by 1`,
    [stage.acme.organizationId],
  )
  return rows.map(({ mail }) => mail)
}

const say = (actor: Actor, body: string, more = '') =>
  stage.does(actor, `select id from app_public.add_comment($1, $2 ${more})`, [ticketId, body])

const choose = (actor: Actor, kind: string, inApp: boolean, mail: string) =>
  stage.does(actor, 'select kind from app_public.choose_notification($1, $2, $3, false)', [kind, inApp, mail])

beforeEach(async () => {
  const { acme, superuser } = stage
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
  await superuser.query('delete from app_public.mail_messages')
})

describe('at once', () => {
  test('the requester is answered, and told the end of it, with the words that were said', async () => {
    const { agent } = stage.acme
    await say(agent, 'Have you tried')
    await announce(ticketId)
    expect(await mails()).toEqual(['customer reply'])
    await say(agent, 'It works', `, status => 'resolved'`)
    await announce(ticketId)
    expect(await mails()).toEqual(['customer reply', 'customer resolution'])
    const { rows } = await stage.superuser.query<{ text_body: string }>(
      `select text_body from app_public.mail_messages where kind = 'resolution'`,
    )
    expect(rows[0]!.text_body).toContain('It works')
  })

  test('the receipt of a ticket goes to a customer, and to staff for their own none', async () => {
    const { customer, manager, serviceId } = stage.acme
    const id = await stage.does<string>(
      customer,
      `select id from app_public.create_ticket('Another', 'x', service_id => $1)`,
      [serviceId],
    )
    const own = await stage.does<string>(
      manager,
      `select id from app_public.create_ticket('Mine', 'x', service_id => $1)`,
      [serviceId],
    )
    await announce(id)
    await announce(own)
    expect(await mails()).toEqual(['customer acknowledgement'])
  })

  test('one fact is one mail, and none is written to who wants none', async () => {
    const { agent, customer } = stage.acme
    await say(customer, 'Hello?')
    await announce(ticketId)
    expect(await mails()).toEqual(['agent notice'])
    await stage.superuser.query('delete from app_public.notifications')
    await stage.superuser.query(
      `insert into app_private.announcement_queue (organization_id, ticket_id, event_id)
      select organization_id, ticket_id, id from app_public.ticket_events where ticket_id = $1 and type = 'comment_added'`,
      [ticketId],
    )
    await announce(ticketId)
    expect(await mails()).toEqual(['agent notice'])
    await choose(agent, 'reply', true, 'off')
    await say(customer, 'Anybody?')
    await announce(ticketId)
    expect(await mails()).toEqual(['agent notice'])
  })

  test('admins are alerted once for each key', async () => {
    const alert = () =>
      stage.does(
        { role: 'atum_owner', organizationId: stage.acme.organizationId },
        `select 1 from (select app_private.alert_admins('webhook_disabled', '{"name": "ERP"}', 'webhook:1')) as alerted`,
      )
    await alert()
    await alert()
    expect(await mails()).toEqual(['admin alert'])
  })
})

describe('quiet hours', () => {
  const sendAt = async () => {
    const { rows } = await stage.superuser.query<{ minutes: number }>(
      'select round(extract(epoch from send_at - now()) / 60)::int as minutes from app_public.mail_messages',
    )
    return rows.map(({ minutes }) => minutes)
  }

  test('hold a mail back until they end', async () => {
    const { agent, customer } = stage.acme
    const { rows } = await stage.superuser.query<{ minute: number }>(
      `select (extract(hour from now() at time zone 'Etc/UTC') * 60 + extract(minute from now()))::int as minute`,
    )
    const { minute } = rows[0]!
    const wrapped = (at: number) => (at + 1440) % 1440
    await stage.does(agent, 'select digest_hour from app_public.change_notification_schedule(8, $1, $2)', [
      wrapped(minute - 60),
      wrapped(minute + 120) || 1440,
    ])
    await say(customer, 'At night')
    await announce(ticketId)
    const [minutes = 0] = await sendAt()
    expect(minutes).toBeGreaterThanOrEqual(118)
    expect(minutes).toBeLessThanOrEqual(120)
  })

  test('what was read in the app by then is not mailed, but an answer to a customer is', async () => {
    const { agent, customer } = stage.acme
    await say(customer, 'Hello?')
    await say(agent, 'Yes?')
    await announce(ticketId)
    const wanted = async () => {
      const { rows } = await stage.superuser.query(
        `select kind::text, app_private.mail_still_wanted(mail) as wanted from app_public.mail_messages as mail order by 1`,
      )
      return rows as object[]
    }
    expect(await wanted()).toEqual([
      { kind: 'notice', wanted: true },
      { kind: 'reply', wanted: true },
    ])
    for (const actor of [agent, customer]) {
      await stage.does(actor, 'select app_public.mark_all_notifications_read()')
    }
    expect(await wanted()).toEqual([
      { kind: 'notice', wanted: false },
      { kind: 'reply', wanted: true },
    ])
  })

  test('a notice is not mailed to who may not see the ticket any more', async () => {
    const { agent, customer, organizationId, teamId } = stage.acme
    await say(customer, 'Hello?')
    await announce(ticketId)
    const wanted = () =>
      stage.superuser
        .query<{ wanted: boolean }>(
          'select app_private.mail_still_wanted(mail) as wanted from app_public.mail_messages as mail',
        )
        .then(({ rows }) => rows.map((row) => row.wanted))
    expect(await wanted()).toEqual([true])
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [
      agent.userId,
    ])
    expect(await wanted()).toEqual([false])
    await stage.superuser.query(
      `update app_public.users set disabled_at = null, restricted_to_teams = true where id = $1`,
      [agent.userId],
    )
    await stage.superuser.query(
      'update app_public.tickets set assignee_id = null, team_id = null where id = $1',
      [ticketId],
    )
    expect(await wanted()).toEqual([false])
    await stage.superuser.query(
      'update app_public.tickets set team_id = $3 where organization_id = $1 and id = $2',
      [organizationId, ticketId, teamId],
    )
    expect(await wanted()).toEqual([true])
    await stage.superuser.query('update app_public.users set restricted_to_teams = false where id = $1', [
      agent.userId,
    ])
  })
})

describe('who becomes a customer', () => {
  test('is not mailed what waits for them as staff', async () => {
    const { admin, agent, manager } = stage.acme
    await choose(agent, 'note', true, 'immediate')
    await choose(agent, 'sla_warning', true, 'digest')
    await stage.does(manager, `select id from app_public.add_comment($1, 'He lies', 'internal')`, [ticketId])
    await record(ticketId, 'sla_warned', { kind: 'resolution' })
    await announce(ticketId)
    await stage.superuser.query(
      `update app_public.notifications set created_at = created_at - interval '24 hours'`,
    )
    await stage.does(stage.acme.worker, 'select app_private.write_digests()')
    await stage.does(
      { role: 'atum_owner', organizationId: stage.acme.organizationId },
      `select 1 from (select app_private.alert_admins('scanner_away', '{}', 'gone')) as alerted`,
    )
    const wanted = () =>
      stage.superuser
        .query<{ wanted: string }>(
          `select mail.kind || ' ' || app_private.mail_still_wanted(mail) as wanted from app_public.mail_messages as mail
          where user_id = any ($1) order by 1`,
          [[agent.userId, admin.userId]],
        )
        .then(({ rows }) => rows.map((row) => row.wanted))
    const become = (role: string, { userId }: { userId: string }) =>
      stage.superuser.query('update app_public.users set role = $1 where id = $2', [role, userId])
    expect(await wanted()).toEqual(['alert true', 'digest true', 'notice true'])
    await become('admin', manager)
    await become('manager', admin)
    await become('customer', agent)
    expect(await wanted()).toEqual(['alert false', 'digest false', 'notice false'])
    await become('agent', agent)
    await become('admin', admin)
    await become('manager', manager)
  })
})

describe('the mail of the day', () => {
  const digests = (organization = stage.acme) =>
    stage.does<number>(organization.worker, 'select app_private.write_digests()')
  /** As if it had been told a day ago, before the last hour of the mail. */
  const yesterday = () =>
    stage.superuser.query(`update app_public.notifications set created_at = created_at - interval '24 hours'`)

  beforeEach(async () => {
    await choose(stage.acme.agent, 'sla_warning', true, 'digest')
  })

  const warn = async () => {
    await record(ticketId, 'sla_warned', { kind: 'resolution' })
    await announce(ticketId)
  }

  test('is written for one organization, by the worker alone', async () => {
    expect(await stage.refuses({ role: 'atum_worker' }, 'select app_private.write_digests()')).toBe('AD301')
    for (const actor of [stage.acme.admin, stage.acme.agent]) {
      expect(await stage.refuses(actor, 'select app_private.write_digests()')).toBe('42501')
    }
    await warn()
    await yesterday()
    expect(await digests(stage.globex)).toBe(0)
    expect(await mails()).toEqual([])
  })

  test('waits for its hour, comes once, and holds what came before', async () => {
    // An hour ago, and in an hour; neither is tomorrow's.
    const { rows } = await stage.superuser.query<{ hour: number }>(
      `select extract(hour from now() at time zone 'Etc/UTC')::int as hour`,
    )
    const { hour } = rows[0]!
    await stage.does(
      stage.acme.agent,
      'select digest_hour from app_public.change_notification_schedule($1)',
      [hour],
    )
    await warn()
    await warn()
    // Told after the hour of today: for tomorrow.
    expect(await digests()).toBe(0)
    await yesterday()
    await warn()
    expect(await digests()).toBe(1)
    expect(await digests()).toBe(0)
    expect(await mails()).toEqual(['agent digest'])
    const { rows: kept } = await stage.superuser.query<{ digested: boolean }>(
      'select digested_at is not null as digested from app_public.notifications order by id',
    )
    expect(kept.map(({ digested }) => digested)).toEqual([true, true, false])
  })

  test('is written once by two workers at the same moment', async () => {
    await warn()
    await yesterday()
    const written = await Promise.all(
      [1, 2].map(async () => {
        const client = await stage.open(stage.database.superuserUrl)
        await client.query('begin')
        await client.query(
          `select set_config('role', 'atum_worker', true), set_config('atum.organization_id', $1, true)`,
          [stage.acme.organizationId],
        )
        const { rows } = await client.query<{ written: number }>(
          'select app_private.write_digests() as written',
        )
        await client.query('commit')
        return rows[0]!.written
      }),
    )
    expect(written.sort()).toEqual([0, 1])
    expect(await mails()).toEqual(['agent digest'])
  })

  test('leaves out what was read, and what its reader may not see any more; where nothing is left there is none', async () => {
    const { agent } = stage.acme
    await warn()
    await stage.does(agent, 'select app_public.mark_all_notifications_read()')
    await yesterday()
    expect(await digests()).toBe(0)
    await stage.superuser.query(`update app_public.notifications set digested_at = null, read_at = null`)
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [
      agent.userId,
    ])
    expect(await digests()).toBe(0)
    await stage.superuser.query('update app_public.users set disabled_at = null where id = $1', [
      agent.userId,
    ])
    expect(await mails()).toEqual([])
  })
})
