import { describe, expect, test } from 'vitest'
import { become } from '../support/session.ts'
import {
  agentId,
  client,
  clockOf,
  comment,
  hour,
  makeUser,
  move,
  one,
  open,
  openDescribed,
  organizationId,
  prioritize,
  requesterId,
  running,
  setSlaDesk,
  slaEvents,
  sweep,
  ticketShows,
} from '../support/sla-desk.ts'

setSlaDesk()

const minute = 60

/** A policy before the standard one; its targets are by kind, for every priority. */
async function policyFirst(
  name: string,
  targets: Record<string, number>,
  conditions: Record<string, unknown> = {},
): Promise<string> {
  const policyId = await one<string>(
    `insert into app_public.sla_policies (organization_id, name, position, calendar_id)
    select $1, $2, -1 - (select count(*) from app_public.sla_policies where organization_id = $1), id
    from app_public.sla_calendars where organization_id = $1
    returning id as value`,
    [organizationId, name],
  )
  for (const [column, value] of Object.entries(conditions)) {
    await client.query(`update app_public.sla_policies set ${column} = $2 where id = $1`, [policyId, value])
  }
  await client.query(
    `insert into app_public.sla_targets (organization_id, policy_id, priority, kind, working_seconds)
    select $1, $2, priority, target.key::app_public.sla_target_kind, target.value::bigint
    from unnest(enum_range(null::app_public.ticket_priority)) as priority, jsonb_each_text($3) as target`,
    [organizationId, policyId, JSON.stringify(targets)],
  )
  return policyId
}

const policyOf = (ticketId: string) =>
  one<string | undefined>(
    `select string_agg(distinct policy.name, ', ') as value
    from app_public.sla_calculations as clock join app_public.sla_policies as policy on policy.id = clock.policy_id
    where clock.ticket_id = $1`,
    [ticketId],
  )

const make = (table: string, name: string) =>
  one<string>(
    `insert into app_public.${table} (organization_id, name) values ($1, $2) returning id as value`,
    [organizationId, name],
  )

const change = (ticketId: string, column: string, value: unknown, at: string) =>
  client.query(`update app_public.tickets set ${column} = $2, updated_at = $3 where id = $1`, [
    ticketId,
    value,
    at,
  ])

describe('a policy', () => {
  test('is for the tickets that meet each of its conditions, by any of its entries', async () => {
    const [network, print] = [await make('teams', 'Network'), await make('teams', 'Print')]
    await policyFirst('Network', { resolution: hour }, { team_ids: [network], tags: ['vip', 'outage'] })
    const ticketId = await open('2024-01-15 10:00Z')
    expect(await policyOf(ticketId)).toBe('Standard')
    await change(ticketId, 'team_id', network, '2024-01-15 10:10Z')
    expect(await policyOf(ticketId)).toBe('Standard')
    await change(ticketId, 'tags', ['outage', 'roof'], '2024-01-15 10:20Z')
    expect(await policyOf(ticketId)).toBe('Network')
    expect(await clockOf(ticketId, 'resolution')).toEqual({ ...running, due: '2024-01-15 11:00:00' })
    await change(ticketId, 'team_id', print, '2024-01-15 10:30Z')
    expect(await policyOf(ticketId)).toBe('Standard')
  })

  test.each([
    ['priorities', 'priority', async () => 'urgent'],
    ['service_ids', 'service_id', () => make('services', 'VPN')],
    ['team_ids', 'team_id', () => make('teams', 'Network')],
  ])('looks at %s, and again when they change', async (condition, column, makeValue) => {
    const value = await makeValue()
    await policyFirst('Special', { resolution: hour }, { [condition]: [value] })
    const ticketId = await open('2024-01-15 10:00Z')
    expect(await policyOf(ticketId)).toBe('Standard')
    await change(ticketId, column, value, '2024-01-15 10:30Z')
    expect(await policyOf(ticketId)).toBe('Special')
    expect(await clockOf(ticketId, 'resolution')).toEqual({ ...running, due: '2024-01-15 11:00:00' })
  })

  test('looks at the company of the requester, and at the channel', async () => {
    const companyId = await make('companies', 'Tidewater')
    const otherId = await makeUser(organizationId, 'other', 'customer')
    await client.query('update app_public.users set company_id = $2 where id = $1', [otherId, companyId])
    await policyFirst('Tidewater', { resolution: hour }, { company_ids: [companyId] })
    const ticketId = await open('2024-01-15 10:00Z')
    expect(await policyOf(ticketId)).toBe('Standard')
    await change(ticketId, 'requester_id', otherId, '2024-01-15 10:30Z')
    expect(await policyOf(ticketId)).toBe('Tidewater')

    await policyFirst('Desk', { resolution: 2 * hour }, { channels: ['desk'] })
    expect(await policyOf(await open('2024-01-15 10:00Z'))).toBe('Standard')
  })

  test('is the first by position that is not archived', async () => {
    const policyId = await policyFirst('Archived', { resolution: hour })
    await client.query('update app_public.sla_policies set archived_at = now() where id = $1', [policyId])
    expect(await policyOf(await open('2024-01-15 10:00Z'))).toBe('Standard')
  })

  test('that is no more the one takes its promises along, but not what was kept', async () => {
    await client.query(`update app_public.sla_policies set priorities = '{normal}' where name = 'Standard'`)
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, agentId, '2024-01-15 11:00Z')
    await prioritize(ticketId, 'high', '2024-01-15 12:00Z')
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({ met: '2024-01-15 11:00:00' })
    expect(await clockOf(ticketId, 'resolution')).toBeUndefined()
    expect(await ticketShows(ticketId)).toEqual({ due: null, breached: false })
  })

  test('that comes to promise something counts it from the start, without what the ticket waited', async () => {
    await policyFirst('Answers', { first_response: hour }, { priorities: ['low'] })
    const ticketId = await openDescribed('2024-01-15 10:00Z', { priority: 'low' })
    await move(ticketId, 'pending', '2024-01-15 11:00Z')
    await move(ticketId, 'open', '2024-01-15 12:00Z')
    await move(ticketId, 'on_hold', '2024-01-15 13:00Z')
    await prioritize(ticketId, 'urgent', '2024-01-15 14:00Z')
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({
      paused: hour,
      pausedAt: '2024-01-15 13:00:00',
    })
    await move(ticketId, 'open', '2024-01-15 15:00Z')
    // Eight hours from 10:00, of which three were waited: until 17:00, and four hours more.
    expect(await clockOf(ticketId, 'resolution')).toEqual({
      ...running,
      paused: 3 * hour,
      due: '2024-01-16 13:00:00',
    })
  })
})

describe('the next response', () => {
  const answered = async () => {
    await policyFirst('Talkative', { first_response: hour, next_response: hour, resolution: 40 * hour })
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, agentId, '2024-01-15 10:30Z')
    return ticketId
  }

  test('is not waited for before staff answered once', async () => {
    await policyFirst('Talkative', { first_response: hour, next_response: hour })
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, requesterId, '2024-01-15 10:10Z')
    expect(await clockOf(ticketId, 'next_response')).toBeUndefined()
    await comment(ticketId, agentId, '2024-01-15 10:30Z')
    expect(await clockOf(ticketId, 'next_response')).toBeUndefined()
  })

  test('is waited for from the first word of the customer; another one does not move it', async () => {
    const ticketId = await answered()
    await comment(ticketId, requesterId, '2024-01-15 11:00Z')
    await comment(ticketId, requesterId, '2024-01-15 11:40Z')
    expect(await clockOf(ticketId, 'next_response')).toEqual({ ...running, due: '2024-01-15 12:00:00' })
    expect(await ticketShows(ticketId)).toEqual({ due: '2024-01-15 12:00:00', breached: false })
  })

  test('is met by a public word of staff, and begins anew with the next one of the customer', async () => {
    const ticketId = await answered()
    await comment(ticketId, requesterId, '2024-01-15 11:00Z')
    await comment(ticketId, agentId, '2024-01-15 11:10Z', 'internal')
    expect(await clockOf(ticketId, 'next_response')).toMatchObject({ met: null })
    await comment(ticketId, agentId, '2024-01-15 11:20Z')
    expect(await clockOf(ticketId, 'next_response')).toMatchObject({
      met: '2024-01-15 11:20:00',
      elapsed: 20 * minute,
    })
    await comment(ticketId, requesterId, '2024-01-15 13:00Z')
    expect(await clockOf(ticketId, 'next_response')).toEqual({ ...running, due: '2024-01-15 14:00:00' })
    await sweep()
    await comment(ticketId, agentId, '2024-01-15 15:00Z')
    expect(await slaEvents(ticketId)).toEqual([
      '2024-01-15 10:30:00 sla_met first_response internal',
      '2024-01-15 11:20:00 sla_met next_response internal',
      '2024-01-15 14:00:00 sla_breached next_response internal',
      '2024-01-22 10:00:00 sla_breached resolution internal',
    ])
  })

  test('runs on while the ticket waits for somebody else', async () => {
    const ticketId = await answered()
    await comment(ticketId, requesterId, '2024-01-15 11:00Z')
    await move(ticketId, 'on_hold', '2024-01-15 11:10Z')
    expect(await clockOf(ticketId, 'next_response')).toEqual({ ...running, due: '2024-01-15 12:00:00' })
  })

  test('is waited for on a resolved ticket that the customer takes up again', async () => {
    const ticketId = await answered()
    await move(ticketId, 'resolved', '2024-01-15 11:00Z')
    await comment(ticketId, requesterId, '2024-01-15 12:00Z')
    expect(await clockOf(ticketId, 'next_response')).toEqual({ ...running, due: '2024-01-15 13:00:00' })
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({ met: null, paused: hour })
  })

  test('that a change of policy brings is counted from the first word that waits', async () => {
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, agentId, '2024-01-15 10:30Z')
    await comment(ticketId, requesterId, '2024-01-15 11:00Z')
    await comment(ticketId, requesterId, '2024-01-15 11:30Z')
    await policyFirst('Talkative', { next_response: hour }, { priorities: ['urgent'] })
    await prioritize(ticketId, 'urgent', '2024-01-15 11:45Z')
    expect(await clockOf(ticketId, 'next_response')).toEqual({ ...running, due: '2024-01-15 12:00:00' })
  })
})

describe('a ticket that is merged', () => {
  const merged = async (status = 'open') => {
    const ago = (hours: number) => new Date(Date.now() - hours * hour * 1000).toISOString()
    // Around the clock, because a merge happens now.
    await client.query(
      `update app_public.sla_calendars set hours = '"always_open"' where organization_id = $1`,
      [organizationId],
    )
    const source = await openDescribed(ago(2))
    const target = await openDescribed(ago(1))
    await move(source, 'open', ago(1.5))
    if (status !== 'open') await move(source, status, ago(1))
    await become(client, { role: 'atum_agent', organizationId, userId: agentId })
    const mergeId = await one<string>('select (app_public.merge_ticket($1, $2)).id as value', [
      source,
      target,
    ])
    await become(client, { role: 'atum_owner' })
    const undo = async () => {
      await become(client, { role: 'atum_agent', organizationId, userId: agentId })
      await client.query('select app_public.undo_merge($1)', [mergeId])
      await become(client, { role: 'atum_owner' })
    }
    return { source, target, undo }
  }

  test('leaves the service level: nothing is kept, and nothing can be broken', async () => {
    const { source } = await merged()
    for (const kind of ['first_response', 'resolution'] as const) {
      expect(await clockOf(source, kind)).toMatchObject({
        met: null,
        breached: null,
        pausedAt: expect.any(String),
      })
    }
    expect(await slaEvents(source)).toEqual([])
    expect(await ticketShows(source)).toEqual({ due: null, breached: false })
    await client.query(
      `update app_public.sla_calculations set due_at = now() - interval '1 hour' where ticket_id = $1`,
      [source],
    )
    expect(await sweep()).toBe(0)
  })

  test('comes back when the merge is undone, and the span was a pause', async () => {
    const { source, undo } = await merged()
    const before = await one<string>(
      `update app_public.sla_calculations set paused_at = paused_at - interval '1 hour', left_at = left_at - interval '1 hour', due_at = due_at
      where ticket_id = $1 and kind = 'resolution' returning due_at::text as value`,
      [source],
    )
    await undo()
    const clock = await clockOf(source, 'resolution')
    expect(clock).toMatchObject({ met: null, pausedAt: null })
    expect(clock.paused).toBeCloseTo(hour, -1)
    expect(
      await one<number>(
        `select extract(epoch from due_at - $2::timestamptz)::float8 as value from app_public.sla_calculations where ticket_id = $1 and kind = 'resolution'`,
        [source, before],
      ),
    ).toBeCloseTo(hour, -1)
  })

  test('comes back waiting when it waited before', async () => {
    const { source, undo } = await merged('pending')
    const before = await clockOf(source, 'resolution')
    await undo()
    expect(await clockOf(source, 'resolution')).toEqual(before)
    expect(await clockOf(source, 'first_response')).toMatchObject({ pausedAt: null, met: null })
  })
})

test('a calendar that is hardly ever open refuses no ticket', async () => {
  await client.query(
    `update app_public.sla_calendars set hours = '{"mon": [["09:00", "09:01"]]}' where organization_id = $1`,
    [organizationId],
  )
  await client.query(
    `insert into app_public.sla_escalations (organization_id, policy_id, kind, offset_seconds, actions)
    select organization_id, id, 'resolution', 31536000, '[]' from app_public.sla_policies where organization_id = $1`,
    [organizationId],
  )
  expect(await clockOf(await open('2024-01-15 10:00Z'), 'resolution')).toMatchObject({
    due: '2060-11-01 09:01:00',
  })
})
