import { describe, expect, test } from 'vitest'
import { refusal } from '../support/refusals.ts'
import { become } from '../support/session.ts'
import {
  agentId,
  client,
  comment,
  hour,
  makeOrganization,
  makeUser,
  move,
  one,
  open,
  openDescribed,
  organizationId,
  prioritize,
  setSlaDesk,
  slaEvents,
} from '../support/sla-desk.ts'

setSlaDesk()

const escalate = (offsetSeconds: number, actions: unknown[], kind = 'resolution', policy = 'Standard') =>
  one<string>(
    `insert into app_public.sla_escalations (organization_id, policy_id, kind, offset_seconds, actions)
    select organization_id, id, $3, $4, $5 from app_public.sla_policies where organization_id = $1 and name = $2
    returning id as value`,
    [organizationId, policy, kind, offsetSeconds, JSON.stringify(actions)],
  )

/** What the worker does each minute, for one organization. */
const fire = async (organization = organizationId, clockId: string | null = null) => {
  await become(client, { role: 'atum_worker', organizationId: organization })
  const fired = await one<number>('select app_private.fire_sla_escalations($1) as value', [clockId])
  await become(client, { role: 'atum_owner' })
  return fired
}

const ticket = async (ticketId: string) =>
  (await client.query(`select priority, assignee_id, tags from app_public.tickets where id = $1`, [ticketId]))
    .rows[0]

const escalatesAt = (ticketId: string) =>
  one<string | null>(
    `select to_char(escalates_at, 'YYYY-MM-DD HH24:MI') as value from app_public.sla_calculations
    where ticket_id = $1 and kind = 'resolution'`,
    [ticketId],
  )

describe('the firing', () => {
  test('refuses to run for nobody, and is for nobody but the worker', async () => {
    await become(client, { role: 'atum_worker' })
    expect(await refusal(client, 'select app_private.fire_sla_escalations()')).toBe('AD301')
    for (const role of ['atum_server', 'atum_customer', 'atum_agent', 'atum_admin'] as const) {
      await become(client, { role, organizationId })
      expect(await refusal(client, 'select app_private.fire_sla_escalations()')).toBe('42501')
    }
  })

  test('stays in its organization', async () => {
    await escalate(0, [])
    const ticketId = await open('2024-01-15 10:00Z')
    const clockId = await one<string>(
      `select id as value from app_public.sla_calculations where ticket_id = $1 and kind = 'resolution'`,
      [ticketId],
    )
    const otherId = await makeOrganization('other')
    expect(await fire(otherId)).toBe(0)
    expect(await fire(otherId, clockId)).toBe(0)
    expect(await fire(organizationId, clockId)).toBe(1)
  })
})

describe('warnings and levels', () => {
  test('fire in working time, once, in order, each at its very instant', async () => {
    await escalate(-3 * hour, [{ type: 'add_tags', tags: ['near'] }])
    await escalate(0, [{ type: 'raise_priority' }])
    await escalate(2 * hour, [{ type: 'set_assignee', assignee_id: agentId }], 'resolution')
    await escalate(-hour, [], 'first_response')
    // Until Friday 10:00; three hours of work before that is Thursday 15:00.
    const ticketId = await open('2024-01-15 10:00Z', { priority: 'high' })
    expect(await escalatesAt(ticketId)).toBe('2024-01-16 15:00')
    expect(await fire()).toBe(4)
    expect(await slaEvents(ticketId)).toEqual(
      [
        '2024-01-15 11:00:00 sla_warned first_response internal',
        '2024-01-16 15:00:00 sla_warned resolution internal',
        '2024-01-17 10:00:00 sla_escalated resolution internal',
        // The ticket was urgent by then, and its promise another one.
        '2024-01-16 12:00:00 sla_escalated resolution internal',
      ].sort(),
    )
    expect(await ticket(ticketId)).toEqual({ priority: 'urgent', assignee_id: agentId, tags: ['near'] })
    expect(await fire()).toBe(0)
  })

  test('act and speak in the name of the policy', async () => {
    await escalate(0, [
      { type: 'raise_priority' },
      { type: 'comment', visibility: 'internal', body: 'Late: {{ticket.reference}}' },
      { type: 'notify', to: 'managers', text: 'Help' },
    ])
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await fire()
    const { rows } = await client.query(
      `select distinct type::text, actor_id, actor_name from app_public.ticket_events
      where ticket_id = $1 and type in ('priority_changed', 'comment_added', 'notice_sent', 'sla_escalated') order by type`,
      [ticketId],
    )
    expect(rows).toEqual(
      ['comment_added', 'notice_sent', 'priority_changed', 'sla_escalated'].map((type) => ({
        type,
        actor_id: null,
        actor_name: 'Standard',
      })),
    )
  })

  test('stand still with the clock, and end with it', async () => {
    await escalate(-hour, [])
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'pending', '2024-01-15 12:00Z')
    expect(await escalatesAt(ticketId)).toBeNull()
    expect(await fire()).toBe(0)
    await move(ticketId, 'open', '2024-01-15 14:00Z')
    expect(await escalatesAt(ticketId)).toBe('2024-01-19 11:00')
    await move(ticketId, 'resolved', '2024-01-15 15:00Z')
    expect(await escalatesAt(ticketId)).toBeNull()
    expect(await fire()).toBe(0)
  })

  test('fire again for the next question of the customer', async () => {
    await client.query(
      `insert into app_public.sla_targets (organization_id, policy_id, priority, kind, working_seconds)
      select organization_id, id, 'normal', 'next_response', 3600 from app_public.sla_policies where organization_id = $1`,
      [organizationId],
    )
    await escalate(0, [], 'next_response')
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    const requester = await one<string>(
      'select requester_id as value from app_public.tickets where id = $1',
      [ticketId],
    )
    for (const day of ['15', '16']) {
      await comment(ticketId, agentId, `2024-01-${day} 10:30Z`)
      await comment(ticketId, requester, `2024-01-${day} 11:00Z`)
      expect(await fire()).toBe(1)
    }
    expect((await slaEvents(ticketId)).filter((event) => event.includes('escalated'))).toEqual([
      '2024-01-15 12:00:00 sla_escalated next_response internal',
      '2024-01-16 12:00:00 sla_escalated next_response internal',
    ])
  })

  test('that hand a ticket to and fro end, because each fires once', async () => {
    const teams = []
    for (const name of ['One', 'Other']) {
      teams.push(
        await one<string>(
          'insert into app_public.teams (organization_id, name) values ($1, $2) returning id as value',
          [organizationId, name],
        ),
      )
    }
    for (const [index, name] of ['One', 'Other'].entries()) {
      await client.query(
        `with policy as (
          insert into app_public.sla_policies (organization_id, name, position, calendar_id, team_ids)
          select $1, $2, -1, id, array[$3::uuid] from app_public.sla_calendars where organization_id = $1
          returning organization_id, id
        )
        insert into app_public.sla_targets (organization_id, policy_id, priority, kind, working_seconds)
        select organization_id, id, 'normal', 'resolution', 3600 from policy`,
        [organizationId, name, teams[index]],
      )
      await escalate(0, [{ type: 'set_team', team_id: teams[1 - index] }], 'resolution', name)
    }
    const ticketId = await open('2024-01-15 10:00Z')
    await client.query('update app_public.tickets set team_id = $2 where id = $1', [ticketId, teams[0]])
    expect(await fire()).toBe(2)
  })

  test('tell what could not be done, and go on', async () => {
    const gone = await makeUser(organizationId, 'gone', 'agent')
    await escalate(0, [{ type: 'set_assignee', assignee_id: gone }])
    await escalate(hour, [{ type: 'raise_priority' }])
    await client.query('update app_public.users set disabled_at = now() where id = $1', [gone])
    const ticketId = await open('2024-01-15 10:00Z')
    expect(await fire()).toBe(2)
    expect(await ticket(ticketId)).toMatchObject({ priority: 'high', assignee_id: null })
    expect(
      await one(
        `select after ->> 'refused' as value from app_public.ticket_events where ticket_id = $1 and type = 'sla_escalated' order by created_at limit 1`,
        [ticketId],
      ),
    ).toBe('AD103')
  })

  test('are planned again with the priority', async () => {
    await escalate(-hour, [])
    const ticketId = await open('2024-01-15 10:00Z')
    await prioritize(ticketId, 'urgent', '2024-01-15 10:30Z')
    expect(await escalatesAt(ticketId)).toBe('2024-01-15 17:00')
  })

  test.each([
    ['no list', {}],
    ['an action that is none', [{ type: 'explode' }]],
    ['an action for whoever acts', [{ type: 'assign_to_me' }]],
  ])('are not %s', async (_name, actions) => {
    expect(
      await refusal(
        client,
        `insert into app_public.sla_escalations (organization_id, policy_id, kind, offset_seconds, actions)
        select organization_id, id, 'resolution', 0, $2 from app_public.sla_policies where organization_id = $1`,
        [organizationId, JSON.stringify(actions)],
      ),
    ).toMatch(/^(AD117|23514)$/)
  })
})
