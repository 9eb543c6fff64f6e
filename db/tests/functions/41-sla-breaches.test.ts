import { describe, expect, test } from 'vitest'
import { refusal } from '../support/refusals.ts'
import { become } from '../support/session.ts'
import {
  agentId,
  client,
  clockOf,
  comment,
  hour,
  instant,
  makeOrganization,
  move,
  one,
  open,
  openDescribed,
  organizationId,
  prioritize,
  setSlaDesk,
  slaEvents,
  sweep,
  ticketShows,
} from '../support/sla-desk.ts'

setSlaDesk()

describe('the sweep', () => {
  test('refuses to run for nobody', async () => {
    await become(client, { role: 'atum_worker' })
    expect(await refusal(client, 'select app_private.record_sla_breaches()')).toBe('AD301')
  })

  test.each([
    'atum_server',
    'atum_anonymous',
    'atum_customer',
    'atum_agent',
    'atum_admin',
    'atum_reporting',
  ] as const)('is not for %s', async (role) => {
    await become(client, { role, organizationId })
    expect(await refusal(client, 'select app_private.record_sla_breaches()')).toBe('42501')
  })

  test('records each once, with the instant it was due', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    expect(await sweep()).toBe(2)
    expect(await clockOf(ticketId, 'resolution')).toMatchObject({
      breached: '2024-01-19 10:00:00',
      met: null,
    })
    expect(await slaEvents(ticketId)).toEqual([
      '2024-01-15 14:00:00 sla_breached first_response internal',
      '2024-01-19 10:00:00 sla_breached resolution internal',
    ])
    expect(await ticketShows(ticketId)).toEqual({ due: null, breached: true })
    expect(await sweep()).toBe(0)
    expect(await slaEvents(ticketId)).toHaveLength(2)
  })

  test('finds what is late since its due time was set back, and nothing else', async () => {
    const ticketId = await open(new Date().toISOString(), { priority: 'low' })
    expect(await sweep()).toBe(0)
    await client.query(
      `update app_public.sla_calculations set due_at = clock_timestamp() - interval '1 second' where ticket_id = $1 and kind = 'resolution'`,
      [ticketId],
    )
    expect(await sweep()).toBe(1)
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({ breached: null })
    const clock = await clockOf(ticketId, 'resolution')
    expect(clock.breached).toBe(clock.due)
  })

  test('takes one clock when it is named', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    const clockId = await one<string>(
      `select id as value from app_public.sla_calculations where ticket_id = $1 and kind = 'resolution'`,
      [ticketId],
    )
    await become(client, { role: 'atum_worker', organizationId })
    expect(await one('select app_private.record_sla_breaches($1) as value', [clockId])).toBe(1)
    expect(await one('select app_private.record_sla_breaches($1) as value', [clockId])).toBe(0)
    await become(client, { role: 'atum_owner' })
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({ breached: null })
  })

  test('stays in its organization, also when the clock of another one is named', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    const clockId = await one<string>(
      `select id as value from app_public.sla_calculations where ticket_id = $1 limit 1`,
      [ticketId],
    )
    const otherId = await makeOrganization('other')
    await become(client, { role: 'atum_worker', organizationId: otherId })
    expect(await one('select app_private.record_sla_breaches($1) as value', [clockId])).toBe(0)
    expect(await sweep(otherId)).toBe(0)
    expect(await slaEvents(ticketId)).toEqual([])
    expect(await sweep()).toBe(2)
  })

  test('leaves alone what was kept', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'resolved', '2024-01-15 12:00Z')
    expect(await sweep()).toBe(0)
    expect(await slaEvents(ticketId)).toHaveLength(2)
  })

  test('that recorded a breach lets a late answer say no more than when', async () => {
    const ticketId = await openDescribed('2024-01-15 10:00Z')
    await sweep()
    await comment(ticketId, agentId, '2024-01-22 10:00Z')
    expect(await clockOf(ticketId, 'first_response')).toMatchObject({
      met: '2024-01-22 10:00:00',
      breached: '2024-01-15 14:00:00',
      elapsed: 40 * hour,
    })
    expect(await slaEvents(ticketId)).toHaveLength(2)
  })
})

describe('the job at the due instant', () => {
  interface Job {
    runAt: string
    task: string
    organizationId: string
  }

  async function jobsOf(ticketId: string): Promise<Record<string, Job>> {
    // The queue's own tables are closed by row-level security to everybody but its worker.
    await client.query('reset role')
    const { rows } = await client.query<{ kind: string } & Job>(
      `select clock.kind, to_char(job.run_at, ${instant}) as "runAt", task.identifier as task, job.payload ->> 'organizationId' as "organizationId"
      from graphile_worker._private_jobs as job
      join graphile_worker._private_tasks as task on task.id = job.task_id
      join app_public.sla_calculations as clock on job.key = 'record_sla_breach:' || clock.id and job.payload ->> 'slaCalculationId' = clock.id::text
      where clock.ticket_id = $1`,
      [ticketId],
    )
    await become(client, { role: 'atum_owner' })
    return Object.fromEntries(rows.map(({ kind, ...job }) => [kind, job]))
  }

  test('is there once for each clock, with the organization', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    const job = { task: 'record_sla_breach', organizationId }
    expect(await jobsOf(ticketId)).toEqual({
      first_response: { ...job, runAt: '2024-01-15 14:00:00' },
      resolution: { ...job, runAt: '2024-01-19 10:00:00' },
    })
  })

  test('is not there for a clock that stands still, until it runs', async () => {
    const ticketId = await open('2024-01-15 10:00Z', { status: 'on_hold' })
    expect(Object.keys(await jobsOf(ticketId))).toEqual(['first_response'])
    await move(ticketId, 'open', '2024-01-15 11:00Z')
    expect(await jobsOf(ticketId)).toMatchObject({ resolution: { runAt: '2024-01-19 11:00:00' } })
  })

  test('moves when the due instant moves', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'pending', '2024-01-15 11:00Z')
    await move(ticketId, 'open', '2024-01-15 12:00Z')
    expect(await jobsOf(ticketId)).toMatchObject({
      first_response: { runAt: '2024-01-15 14:00:00' },
      resolution: { runAt: '2024-01-19 11:00:00' },
    })
    await prioritize(ticketId, 'urgent', '2024-01-15 13:00Z')
    expect(await jobsOf(ticketId)).toMatchObject({
      first_response: { runAt: '2024-01-15 11:00:00' },
      resolution: { runAt: '2024-01-16 11:00:00' },
    })
  })

  test('comes when that is soon, not with the ticket', async () => {
    const soon = await open(new Date().toISOString(), { priority: 'low' })
    expect(await jobsOf(soon)).toEqual({})
    await client.query(
      `update app_public.sla_calculations set due_at = now() + interval '4 minutes' where ticket_id = $1 and kind = 'resolution'`,
      [soon],
    )
    expect(Object.keys(await jobsOf(soon))).toEqual(['resolution'])
  })

  test('is there again after the ticket was taken up again', async () => {
    const ticketId = await open('2024-01-15 10:00Z')
    await move(ticketId, 'resolved', '2024-01-15 11:00Z')
    await move(ticketId, 'open', '2024-01-15 13:00Z')
    expect(await jobsOf(ticketId)).toMatchObject({ resolution: { runAt: '2024-01-19 12:00:00' } })
  })

  describe('given each minute', () => {
    const schedule = async (organization = organizationId) => {
      await become(client, { role: 'atum_worker', organizationId: organization })
      const scheduled = await one<number>('select app_private.schedule_sla_breaches() as value')
      await become(client, { role: 'atum_owner' })
      return scheduled
    }

    /** A clock that came near while nobody touched it. */
    async function nearing(inMinutes: number): Promise<string> {
      const ticketId = await open(new Date().toISOString(), { priority: 'low' })
      await client.query('reset role')
      await client.query('set local session_replication_role = replica')
      await client.query(
        `update app_public.sla_calculations set due_at = now() + make_interval(mins => $2) where ticket_id = $1 and kind = 'first_response'`,
        [ticketId, inMinutes],
      )
      await client.query('set local session_replication_role = origin')
      await become(client, { role: 'atum_owner' })
      return ticketId
    }

    test('not for nobody, and not by anybody but the worker', async () => {
      await become(client, { role: 'atum_worker' })
      expect(await refusal(client, 'select app_private.schedule_sla_breaches()')).toBe('AD301')
      for (const role of ['atum_server', 'atum_customer', 'atum_agent', 'atum_admin'] as const) {
        await become(client, { role, organizationId })
        expect(await refusal(client, 'select app_private.schedule_sla_breaches()')).toBe('42501')
      }
    })

    test('to what is due within five minutes, once, in its organization', async () => {
      const near = await nearing(4)
      const far = await nearing(30)
      expect(await schedule(await makeOrganization('other'))).toBe(0)
      expect(await jobsOf(near)).toEqual({})
      expect(await schedule()).toBe(1)
      expect(await schedule()).toBe(1)
      expect(Object.keys(await jobsOf(near))).toEqual(['first_response'])
      expect(await jobsOf(far)).toEqual({})
      expect((await jobsOf(near)).first_response?.runAt).toBe((await clockOf(near, 'first_response')).due)
    })

    test('not to what was kept, or stands still', async () => {
      const kept = await nearing(4)
      await client.query(`update app_public.tickets set status = 'resolved' where id = $1`, [kept])
      expect(await schedule()).toBe(0)
    })
  })
})
