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

describe('a clock starts', () => {
  test('not without a policy', async () => {
    await client.query('update app_public.sla_policies set archived_at = now()')
    const ticketId = await open('2024-01-15 10:00Z')
    expect(await clockOf(ticketId, 'resolution')).toBeUndefined()
    expect(await ticketShows(ticketId)).toEqual({ due: null, breached: false })
  })

  test('with the ticket, by the calendar', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    expect(await clockOf(ticketId, 'first_response')).toEqual({ ...running, due: '2024-01-15 14:00:00' })
    expect(await clockOf(ticketId, 'resolution')).toEqual({ ...running, due: '2024-01-19 10:00:00' })
    expect(await ticketShows(ticketId)).toEqual({ due: '2024-01-15 14:00:00', breached: false })
  })

  test('at the next opening when it comes at night', async () => {
    const ticketId = await open('2024-01-13 03:00Z', { priority: 'urgent' })
    expect(await clockOf(ticketId, 'first_response')).toEqual({ ...running, due: '2024-01-15 10:00:00' })
    expect(await clockOf(ticketId, 'resolution')).toEqual({ ...running, due: '2024-01-15 17:00:00' })
  })

  test('standing still when the ticket is born pending', async () => {
    const ticketId = await open('2024-01-15 10:00Z', { status: 'pending' })
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({ pausedAt: null })
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({ pausedAt: '2024-01-15 10:00:00' })
    await move(ticketId, 'open', '2024-01-15 12:00Z')
    expect(await clockOf(ticketId, 'resolution')).toEqual({
      ...running,
      paused: 2 * hour,
      due: '2024-01-19 12:00:00',
    })
  })

  test('by the first policy that applies', async () => {
    await client.query(
      `with hasty as (
        insert into app_public.sla_policies (organization_id, name, position, calendar_id)
        select organization_id, 'Hasty', -1, id from app_public.sla_calendars where organization_id = $1
        returning organization_id, id
      )
      insert into app_public.sla_targets (organization_id, policy_id, priority, kind, working_seconds)
      select organization_id, id, 'normal', 'first_response', 60 from hasty`,
      [organizationId],
    )
    const ticketId = await open('2024-01-15 10:00Z')
    expect(await clockOf(ticketId, 'first_response')).toEqual({ ...running, due: '2024-01-15 10:01:00' })
    expect(await clockOf(ticketId, 'resolution')).toBeUndefined()
  })
})

describe('a clock stands still', () => {
  test.each(['pending', 'on_hold'])('while the ticket is %s, the resolution only', async (status) => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, status, '2024-01-15 11:00Z')
    expect(await clockOf(ticketId, 'first_response')).toEqual({ ...running, due: '2024-01-15 14:00:00' })
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({ pausedAt: '2024-01-15 11:00:00' })
    // What stands still is not what is due next.
    await comment(ticketId, requesterId, '2024-01-15 11:00Z', 'internal')
    expect(await ticketShows(ticketId)).toMatchObject({ due: '2024-01-15 14:00:00' })
    await move(ticketId, 'open', '2024-01-15 12:30Z')
    expect(await clockOf(ticketId, 'resolution')).toEqual({
      ...running,
      paused: 1.5 * hour,
      due: '2024-01-19 11:30:00',
    })
  })

  test('from one kind of waiting to the other, without running between', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'pending', '2024-01-15 11:00Z')
    await move(ticketId, 'on_hold', '2024-01-15 12:00Z')
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({
      pausedAt: '2024-01-15 11:00:00',
      paused: 0,
    })
    await move(ticketId, 'open', '2024-01-15 13:00Z')
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({
      paused: 2 * hour,
      due: '2024-01-19 12:00:00',
    })
  })

  test('over night: only working time is made good', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'pending', '2024-01-15 16:00Z')
    await move(ticketId, 'open', '2024-01-16 10:00Z')
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({
      paused: 18 * hour,
      due: '2024-01-19 12:00:00',
    })
  })

  test('and is not late meanwhile', async () => {
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, agentId, '2024-01-15 11:00Z')
    await move(ticketId, 'pending', '2024-01-15 11:01Z')
    expect(await sweep()).toBe(0)
    expect(await ticketShows(ticketId)).toEqual({ due: null, breached: false })
  })

  test('until it ends: the wait is not counted', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'pending', '2024-01-15 12:00Z')
    await move(ticketId, 'resolved', '2024-01-16 12:00Z')
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({
      met: '2024-01-16 12:00:00',
      pausedAt: null,
      elapsed: 2 * hour,
      breached: null,
    })
  })

  test('too late, when it was due before', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'pending', '2024-01-22 10:00Z')
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({ breached: '2024-01-19 10:00:00' })
    expect(await slaEvents(ticketId)).toContain('2024-01-19 10:00:00 sla_breached resolution internal')
    expect(await ticketShows(ticketId)).toMatchObject({ breached: true })
  })
})

describe('a first response', () => {
  test.each<[string, () => Promise<string>]>([
    [
      'is not an internal comment',
      async () => {
        const ticketId = await openDescribed('2024-01-15 10:00Z')
        await comment(ticketId, agentId, '2024-01-15 11:00Z', 'internal')
        return ticketId
      },
    ],
    [
      'is not what the requester says, however often',
      async () => {
        const ticketId = await openDescribed('2024-01-15 10:00Z')
        await comment(ticketId, requesterId, '2024-01-15 11:00Z')
        await comment(ticketId, requesterId, '2024-01-15 12:00Z')
        return ticketId
      },
    ],
    [
      'is not what another customer says',
      async () => {
        const ticketId = await openDescribed('2024-01-15 10:00Z')
        await comment(ticketId, await makeUser(organizationId, 'other', 'customer'), '2024-01-15 11:00Z')
        return ticketId
      },
    ],
    [
      'is not an agent who asks for help',
      async () => {
        const ticketId = await openDescribed('2024-01-15 10:00Z', { requester: agentId })
        await comment(ticketId, agentId, '2024-01-15 11:00Z')
        return ticketId
      },
    ],
  ])('%s', async (_name, history) => {
    const ticketId = await history()
    expect(await clockOf(ticketId, 'first_response')).toEqual({ ...running, due: '2024-01-15 14:00:00' })
    expect(await slaEvents(ticketId)).toEqual([])
  })

  test('is the first public answer of staff', async () => {
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, agentId, '2024-01-15 11:30Z')
    await comment(ticketId, agentId, '2024-01-15 15:30Z')
    expect(await clockOf(ticketId, 'first_response')).toEqual({
      ...running,
      due: '2024-01-15 14:00:00',
      met: '2024-01-15 11:30:00',
      elapsed: 1.5 * hour,
    })
    expect(await slaEvents(ticketId)).toEqual(['2024-01-15 11:30:00 sla_met first_response internal'])
    expect(await ticketShows(ticketId)).toEqual({ due: '2024-01-19 10:00:00', breached: false })
  })

  test('at the due instant is in time', async () => {
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, agentId, '2024-01-15 14:00Z')
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({ elapsed: 4 * hour, breached: null })
    expect(await slaEvents(ticketId)).toEqual(['2024-01-15 14:00:00 sla_met first_response internal'])
  })

  test('a second later breaches, with the instant it was due', async () => {
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, agentId, '2024-01-15 14:00:01Z')
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({
      met: '2024-01-15 14:00:01',
      elapsed: 4 * hour + 1,
      breached: '2024-01-15 14:00:00',
    })
    expect(await slaEvents(ticketId)).toEqual(['2024-01-15 14:00:00 sla_breached first_response internal'])
    expect(await ticketShows(ticketId)).toMatchObject({ breached: true })
  })

  test('is satisfied by an answer that sets the ticket pending in the same save', async () => {
    const ticketId = await openDescribed(new Date().toISOString())
    await become(client, { role: 'atum_agent', organizationId, userId: agentId })
    await client.query(`select app_public.add_comment($1, 'Which cable?', 'public', 'pending')`, [ticketId])
    await become(client, { role: 'atum_owner' })
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({
      met: expect.any(String),
      breached: null,
    })
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({ met: null, pausedAt: expect.any(String) })
    expect(await one(`select status as value from app_public.tickets where id = $1`, [ticketId])).toBe(
      'pending',
    )
  })
})

describe('the end of a ticket', () => {
  test('answers every promise that was still open', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'resolved', '2024-01-15 12:00Z')
    for (const kind of ['first_response', 'resolution'] as const) {
      expect(await clockOf(ticketId, kind)).toMatchObject({ met: '2024-01-15 12:00:00', elapsed: 2 * hour })
    }
    expect(await slaEvents(ticketId)).toEqual([
      '2024-01-15 12:00:00 sla_met first_response internal',
      '2024-01-15 12:00:00 sla_met resolution internal',
    ])
    expect(await ticketShows(ticketId)).toEqual({ due: null, breached: false })
  })

  test('is not moved by closing it', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'resolved', '2024-01-15 12:00Z')
    const resolved = await clockOf(ticketId, 'resolution')
    await move(ticketId, 'closed', '2024-01-25 12:00Z')
    expect(await clockOf(ticketId, 'resolution')).toEqual(resolved)
    expect(await slaEvents(ticketId)).toHaveLength(2)
  })

  test('late breaches without the worker', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'resolved', '2024-01-22 10:00Z')
    expect(await slaEvents(ticketId)).toEqual([
      '2024-01-15 14:00:00 sla_breached first_response internal',
      '2024-01-19 10:00:00 sla_breached resolution internal',
    ])
  })

  test.each(['resolved', 'closed'])('taken back: the span in which it was %s was a pause', async (status) => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, status, '2024-01-15 12:00Z')
    await move(ticketId, 'open', '2024-01-16 11:00Z')
    expect(await clockOf(ticketId, 'resolution')).toEqual({
      ...running,
      paused: 23 * hour,
      due: '2024-01-19 17:00:00',
    })
    // What was answered stays answered.
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({ met: '2024-01-15 12:00:00' })
    expect(await ticketShows(ticketId)).toEqual({ due: '2024-01-19 17:00:00', breached: false })
  })

  test('taken back into waiting stands still at once', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'resolved', '2024-01-15 12:00Z')
    await move(ticketId, 'pending', '2024-01-16 12:00Z')
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({
      met: null,
      pausedAt: '2024-01-16 12:00:00',
      paused: 24 * hour,
    })
    await move(ticketId, 'open', '2024-01-16 14:00Z')
    expect(await clockOf(ticketId, 'resolution')).toEqual({
      ...running,
      paused: 26 * hour,
      due: '2024-01-22 12:00:00',
    })
  })

  test('taken back by the answer of the requester', async () => {
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await move(ticketId, 'resolved', '2024-01-15 12:00Z')
    await comment(ticketId, requesterId, '2024-01-15 16:00Z')
    expect(await clockOf(ticketId, 'resolution')).toEqual({
      ...running,
      paused: 4 * hour,
      due: '2024-01-19 14:00:00',
    })
  })
})

describe('another priority', () => {
  test('counts again from the start', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await prioritize(ticketId, 'urgent', '2024-01-15 10:30Z')
    expect(await clockOf(ticketId, 'first_response')).toEqual({ ...running, due: '2024-01-15 11:00:00' })
    expect(await clockOf(ticketId, 'resolution')).toEqual({ ...running, due: '2024-01-16 10:00:00' })
    expect(await ticketShows(ticketId)).toMatchObject({ due: '2024-01-15 11:00:00' })
  })

  test('keeps the pauses', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'pending', '2024-01-15 11:00Z')
    await move(ticketId, 'open', '2024-01-15 13:00Z')
    await prioritize(ticketId, 'urgent', '2024-01-15 13:30Z')
    expect(await clockOf(ticketId, 'resolution')).toEqual({
      ...running,
      paused: 2 * hour,
      due: '2024-01-16 12:00:00',
    })
  })

  test('while it stands still holds when it runs again', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'pending', '2024-01-15 11:00Z')
    await prioritize(ticketId, 'urgent', '2024-01-15 12:00Z')
    await move(ticketId, 'open', '2024-01-15 13:00Z')
    expect(await clockOf(ticketId, 'resolution')).toEqual({
      ...running,
      paused: 2 * hour,
      due: '2024-01-16 12:00:00',
    })
  })

  test('does not touch what was kept', async () => {
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await comment(ticketId, agentId, '2024-01-15 11:00Z')
    const met = await clockOf(ticketId, 'first_response')
    await prioritize(ticketId, 'urgent', '2024-01-15 12:00Z')
    expect(await clockOf(ticketId, 'first_response')).toEqual(met)
  })

  test('mends a breach only where the new promise is still open', async () => {
    const ticketId = await open('2024-01-15 10:00Z', { priority: 'urgent' })
    expect(await sweep()).toBe(2)
    await prioritize(ticketId, 'low', '2024-01-15 17:00Z')
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({
      due: '2024-01-16 10:00:00',
      breached: null,
    })
    await prioritize(ticketId, 'normal', '2024-01-15 17:30Z')
    expect(await ticketShows(ticketId)).toMatchObject({ breached: false, due: '2024-01-15 14:00:00' })
    expect(await sweep()).toBe(2)
    await prioritize(ticketId, 'high', '2024-01-22 17:30Z')
    expect(await ticketShows(ticketId)).toMatchObject({ breached: true, due: null })
  })
})
