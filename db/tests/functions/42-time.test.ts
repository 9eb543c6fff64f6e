import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { heardWhile } from '../support/notifications.ts'
import { type Actor, asRoleForGood } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

interface Entry {
  id: string
  ticket_id: string
  agent_id: string
  seconds: number
  worked_on: string
  is_billable: boolean
  is_capped: boolean
  origin: string
  note: string
  version: number
  activity_id: string | null
}
interface Timer {
  id: string
  ticket_id: string
}

const stage = setStage()

/** Calls a function as somebody for good, with its arguments by name. */
const call = <T>(actor: Actor, name: string, values: Record<string, unknown>) =>
  stage.does<T>(actor, textOf(name, values), Object.values(values))
const refusal = (actor: Actor, name: string, values: Record<string, unknown>) =>
  stage.refuses(actor, textOf(name, values), Object.values(values))
const textOf = (name: string, values: Record<string, unknown>) =>
  `select to_jsonb(made) from app_public.${name}(${Object.keys(values)
    .map((key, position) => `${key} => $${position + 1}`)
    .join(', ')}) as made`

const record = (actor: Actor, values: Record<string, unknown> = {}) =>
  call<Entry>(actor, 'record_time', { ticket_id: stage.acme.ticketId, seconds: 600, ...values })
const start = (actor: Actor, ticketId = stage.acme.ticketId) =>
  call<Timer>(actor, 'start_timer', { ticket_id: ticketId })
const stop = (actor: Actor, timerId: string, values: Record<string, unknown> = {}) =>
  call<Entry>(actor, 'stop_timer', { timer_id: timerId, ...values })
const openTicket = (subject: string) =>
  stage.does<string>(stage.acme.agent, `select id from app_public.create_ticket($1, 'A body')`, [subject])
const timersOf = (actor: Actor) => stage.sees(actor, 'select ticket_id from app_public.running_timers')
const lastEvent = (ticketId: string) =>
  value<Record<string, unknown>>(
    stage.superuser,
    `select to_jsonb(event) from app_public.ticket_events as event where ticket_id = $1 order by id desc limit 1`,
    [ticketId],
  )

beforeEach(() => stage.superuser.query('delete from app_public.running_timers'))

describe('time is refused', () => {
  test('to customers and strangers, who know nothing of it', async () => {
    const { customer, ticketId, timeEntryId } = stage.acme
    for (const actor of [
      customer,
      { role: 'atum_anonymous' } as const,
      { ...stage.acme.agent, role: 'atum_customer' } as const,
    ]) {
      expect(await refusal(actor, 'record_time', { ticket_id: ticketId, seconds: 60 })).toBe('42501')
      expect(await refusal(actor, 'correct_time', { entry_id: timeEntryId, reason: 'x', seconds: 0 })).toBe(
        '42501',
      )
      expect(await refusal(actor, 'start_timer', { ticket_id: ticketId })).toBe('42501')
      expect(await refusal(actor, 'stop_timer', { timer_id: randomUUID() })).toBe('42501')
      expect(await refusal(actor, 'discard_timer', { timer_id: randomUUID() })).toBe('42501')
      expect(await refusal(actor, 'ticket_time', { ticket_id: ticketId })).toBe('42501')
    }
    expect(
      await stage.sees(
        customer,
        `select type from app_public.ticket_events where type in ('time_recorded', 'time_corrected')`,
      ),
    ).toEqual([])
  })

  test('on a ticket of another organization, and on one that is not there', async () => {
    for (const ticketId of [stage.globex.ticketId, randomUUID()]) {
      expect(await refusal(stage.acme.admin, 'record_time', { ticket_id: ticketId, seconds: 60 })).toBe(
        'AD101',
      )
      expect(await refusal(stage.acme.admin, 'start_timer', { ticket_id: ticketId })).toBe('AD101')
    }
  })

  test.each([
    [{ seconds: 0 }, 'AD221'],
    [{ seconds: -60 }, 'AD221'],
    [{ seconds: 86_401 }, 'AD221'],
    [{ seconds: null }, 'AD221'],
    [{ worked_on: '1999-12-31' }, '23514'],
    [{ note: 'x'.repeat(1001) }, '23514'],
    [{ activity_id: randomUUID() }, 'AD101'],
    [{ client_mutation_key: 'short' }, '23514'],
  ])('of %o', async (values, code) => {
    expect(
      await refusal(stage.acme.agent, 'record_time', {
        ticket_id: stage.acme.ticketId,
        seconds: 60,
        ...values,
      }),
    ).toBe(code)
  })

  test('in the future, by day and by hour', async () => {
    const { agent, ticketId } = stage.acme
    const at = (sql: string) => value<string>(stage.superuser, `select (${sql})::text`)
    const of = (values: Record<string, unknown>) =>
      refusal(agent, 'record_time', { ticket_id: ticketId, seconds: 600, ...values })
    expect(await of({ worked_on: await at(`(now() at time zone 'UTC')::date + 1`) })).toBe('AD220')
    expect(await of({ worked_on: await at(`(now() at time zone 'UTC')::date`) })).toBe('accepted')
    expect(await of({ started_at: await at(`now() - interval '5 minutes'`) })).toBe('AD220')
    expect(await of({ started_at: await at(`now() - interval '11 minutes'`) })).toBe('accepted')
  })

  test('on a ticket that goes on in another one', async () => {
    const { agent } = stage.acme
    const [source, target] = [await openTicket('Merged away'), await openTicket('Goes on')]
    await call(agent, 'merge_ticket', { source_ticket_id: source, target_ticket_id: target })
    expect(await refusal(agent, 'record_time', { ticket_id: source, seconds: 60 })).toBe('AD108')
    expect(await refusal(agent, 'start_timer', { ticket_id: source })).toBe('AD108')
  })

  test('for an activity that is not used any more, or of another organization', async () => {
    const { agent, admin, organizationId } = stage.acme
    const archived = await value<string>(
      stage.superuser,
      `insert into app_public.time_activities (organization_id, name, archived_at) values ($1, 'Fax', now()) returning id`,
      [organizationId],
    )
    const of = (activityId: string) =>
      refusal(agent, 'record_time', { ticket_id: stage.acme.ticketId, seconds: 60, activity_id: activityId })
    expect(await of(archived)).toBe('AD222')
    expect(await of(stage.globex.timeActivityId)).toBe('AD101')
    expect(await of(stage.acme.timeActivityId)).toBe('accepted')
    expect(await refusal(admin, 'create_time_activity', { name: 'Fax' })).toBe('23505')
  })
})

describe('an entry', () => {
  test('counts for today, for whoever recorded it, and is told to staff', async () => {
    const { agent, ticketId, organizationId, timeActivityId } = stage.acme
    await stage.superuser.query(
      `update app_public.organizations set time_zone = 'Pacific/Kiritimati' where id = $1`,
      [organizationId],
    )
    const listener = await stage.open(stage.database.serverUrl)
    const heard = await heardWhile(
      listener,
      [`ticket:${ticketId}:staff`, `ticket:${ticketId}:public`],
      async () => {
        const entry = await record(agent, { activity_id: timeActivityId, note: '  A new switch ' })
        expect(entry).toMatchObject({
          agent_id: agent.userId,
          seconds: 600,
          is_billable: true,
          origin: 'manual',
          note: 'A new switch',
          version: 1,
          worked_on: await value(
            stage.superuser,
            `select (now() at time zone 'Pacific/Kiritimati')::date::text`,
          ),
        })
        expect(await lastEvent(ticketId)).toMatchObject({
          type: 'time_recorded',
          visibility: 'internal',
          actor_id: agent.userId,
          after: { entry_id: entry.id, seconds: 600, activity_name: 'Repair', agent_name: 'agent of acme' },
        })
      },
    )
    expect(heard[`ticket:${ticketId}:staff`]!.map(({ event }) => event)).toEqual(['time_recorded'])
    expect(heard[`ticket:${ticketId}:public`]).toEqual([])
    await stage.superuser.query(`update app_public.organizations set time_zone = 'Etc/UTC' where id = $1`, [
      organizationId,
    ])
  })

  test('is as billable as its activity, unless that is said', async () => {
    const { agent, admin } = stage.acme
    const { id } = await call<{ id: string }>(admin, 'create_time_activity', {
      name: 'Learning',
      is_billable: false,
    })
    expect((await record(agent, { activity_id: id })).is_billable).toBe(false)
    expect((await record(agent, { activity_id: id, is_billable: true })).is_billable).toBe(true)
    expect((await record(agent, { is_billable: false })).is_billable).toBe(false)
  })

  test('is made once by a call that is tried again, also at the same moment', async () => {
    const { agent, ticketId } = stage.acme
    const key = randomUUID()
    const clients = await Promise.all([0, 1].map(() => stage.open(stage.database.serverUrl)))
    const made = await Promise.all(
      clients.map((client) =>
        asRoleForGood(client, agent, () =>
          value<string>(client, 'select id from app_public.record_time($1, 60, client_mutation_key => $2)', [
            ticketId,
            key,
          ]),
        ),
      ),
    )
    expect(new Set(made).size).toBe(1)
    expect((await record(agent, { seconds: 0, client_mutation_key: key })).id).toBe(made[0])
    // Another person has keys of their own.
    expect((await record(stage.acme.manager, { client_mutation_key: key })).id).not.toBe(made[0])
  })
})

describe('a correction', () => {
  const correct = (actor: Actor, entryId: string, values: Record<string, unknown>) =>
    call<Entry>(actor, 'correct_time', { entry_id: entryId, reason: 'Read the clock wrong', ...values })
  const refused = (actor: Actor, entryId: string, values: Record<string, unknown>) =>
    refusal(actor, 'correct_time', { entry_id: entryId, reason: 'Read the clock wrong', ...values })

  test('keeps what the entry said, who changed it and why', async () => {
    const { agent, ticketId, timeActivityId } = stage.acme
    const entry = await record(agent, { note: 'Cabling' })
    expect(
      await correct(agent, entry.id, { seconds: 900, activity_id: timeActivityId, version: 1 }),
    ).toMatchObject({
      seconds: 900,
      note: 'Cabling',
      activity_id: timeActivityId,
      version: 2,
    })
    expect(
      await stage.sees(
        agent,
        `select to_jsonb(correction) - '{id,organization_id,corrected_at,previous_worked_on}'::text[]
         from app_public.time_corrections as correction where entry_id = $1`,
        [entry.id],
      ),
    ).toEqual([
      {
        entry_id: entry.id,
        corrected_by_id: agent.userId,
        reason: 'Read the clock wrong',
        previous_seconds: 600,
        previous_activity_id: null,
        previous_is_billable: true,
        previous_note: 'Cabling',
      },
    ])
    expect(await lastEvent(ticketId)).toMatchObject({
      type: 'time_corrected',
      visibility: 'internal',
      before: { seconds: 600 },
      after: { seconds: 900, reason: 'Read the clock wrong' },
    })
  })

  test('to zero takes the entry back, and it counts no more', async () => {
    const { agent } = stage.acme
    const ticketId = await openTicket('For nothing')
    const entry = await record(agent, { ticket_id: ticketId })
    await correct(agent, entry.id, { seconds: 0 })
    expect(await call(agent, 'ticket_time', { ticket_id: ticketId })).toEqual({
      entries: 0,
      seconds: 0,
      billable_seconds: 0,
    })
  })

  test('is refused without a reason, without a change, out of range and in the future', async () => {
    const { agent } = stage.acme
    const { id } = await record(agent)
    expect(await refused(agent, id, { reason: ' ', seconds: 60 })).toBe('23514')
    expect(await refused(agent, id, { reason: null, seconds: 60 })).toBe('23502')
    expect(await refused(agent, id, {})).toBe('AD223')
    expect(await refused(agent, id, { seconds: 600, is_billable: true })).toBe('AD223')
    expect(await refused(agent, id, { seconds: -1 })).toBe('AD221')
    expect(await refused(agent, id, { seconds: 86_401 })).toBe('AD221')
    expect(await refused(agent, id, { worked_on: '2999-01-01' })).toBe('AD220')
  })

  test('that crosses with another is refused', async () => {
    const { agent, manager } = stage.acme
    const { id } = await record(agent)
    await correct(manager, id, { seconds: 60, version: 1 })
    expect(await refused(agent, id, { seconds: 120, version: 1 })).toBe('AD106')
    expect(await refused(agent, id, { seconds: 120, version: 2 })).toBe('accepted')
  })

  test('of the time of others is for managers and admins', async () => {
    const { agent, manager, admin, globex } = { ...stage.acme, globex: stage.globex }
    const { id } = await record(manager)
    expect(await refused(agent, id, { seconds: 60 })).toBe('42501')
    expect(await refused(admin, id, { seconds: 60 })).toBe('accepted')
    expect(await refused(manager, (await record(agent)).id, { seconds: 60 })).toBe('accepted')
    expect(await refused(globex.admin, id, { seconds: 60 })).toBe('AD101')
    expect(await refused(admin, randomUUID(), { seconds: 60 })).toBe('AD101')
  })
})

describe('a timer', () => {
  const longAgo = (timerId: string, interval: string) =>
    stage.superuser.query(
      'update app_public.running_timers set started_at = now() - $2::interval where id = $1',
      [timerId, interval],
    )

  test('leaves one job to stop it, however often somebody starts one', async () => {
    const { agent, ticketId, neighbourTicketId } = stage.acme
    for (const id of [ticketId, neighbourTicketId, ticketId]) await start(agent, id)
    const { rows } = await stage.superuser.query<{ timer: string }>(
      `select job.payload ->> 'timerId' as timer from graphile_worker._private_jobs as job
      where job.key = 'stop_forgotten_timer:' || $1`,
      [agent.userId],
    )
    expect(rows.map(({ timer }) => timer)).toEqual(
      await stage.sees(agent, 'select id from app_public.running_timers'),
    )
  })

  test('measures, and is seen by nobody else', async () => {
    const { agent, manager, ticketId } = stage.acme
    const timer = await start(agent)
    expect(await timersOf(manager)).toEqual([])
    expect((await call<Timer>(agent, 'current_timer', {})).id).toBe(timer.id)
    await longAgo(timer.id, '90 seconds')
    expect(await stop(agent, timer.id, { note: 'Cabling', is_billable: false })).toMatchObject({
      seconds: 90,
      origin: 'timer',
      ticket_id: ticketId,
      note: 'Cabling',
      is_billable: false,
      is_capped: false,
    })
    expect((await call<Timer>(agent, 'current_timer', {})).id).toBe(null)
    expect((await lastEvent(ticketId)).type).toBe('time_recorded')
  })

  test('is stopped and recorded when another one is started; the same one goes on', async () => {
    const { agent, ticketId } = stage.acme
    const first = await start(agent)
    expect((await start(agent)).id).toBe(first.id)
    await longAgo(first.id, '1 hour')
    const other = await openTicket('More urgent')
    const second = await start(agent, other)
    expect(await timersOf(agent)).toEqual([other])
    expect(
      await value(
        stage.superuser,
        `select seconds from app_public.time_entries where ticket_id = $1 and origin = 'timer' order by id desc limit 1`,
        [ticketId],
      ),
    ).toBe(3600)
    expect(await refusal(agent, 'stop_timer', { timer_id: first.id })).toBe('AD101')
    await call(agent, 'discard_timer', { timer_id: second.id })
    expect(
      await stage.sees(agent, 'select id from app_public.time_entries where ticket_id = $1', [other]),
    ).toEqual([])
  })

  test('of somebody else is not stopped', async () => {
    const { agent, manager, globex } = { ...stage.acme, globex: stage.globex }
    const timer = await start(agent)
    for (const actor of [manager, globex.agent]) {
      expect(await refusal(actor, 'stop_timer', { timer_id: timer.id })).toBe('AD101')
      expect(await refusal(actor, 'discard_timer', { timer_id: timer.id })).toBe('AD101')
    }
  })

  test('that two tabs start at once runs once, on one ticket and on two', async () => {
    const { agent } = stage.acme
    const other = await openTicket('In the other tab')
    const clients = await Promise.all(Array.from({ length: 6 }, () => stage.open(stage.database.serverUrl)))
    const startAtOnce = (ticketIds: string[]) =>
      Promise.all(
        clients.map((client, position) =>
          asRoleForGood(client, agent, () =>
            value<string>(client, 'select id from app_public.start_timer($1)', [
              ticketIds[position % ticketIds.length],
            ]),
          ),
        ),
      )
    expect(new Set(await startAtOnce([stage.acme.ticketId])).size).toBe(1)
    await startAtOnce([stage.acme.ticketId, other])
    expect(await timersOf(agent)).toHaveLength(1)

    const timer = await call<Timer>(agent, 'current_timer', {})
    const stopped = await Promise.allSettled(
      clients.map((client) =>
        asRoleForGood(client, agent, () =>
          value(client, 'select id from app_public.stop_timer($1)', [timer.id]),
        ),
      ),
    )
    expect(stopped.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of stopped)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'AD101' })
  })

  test('that two people exchange at once makes nobody wait in a circle', async () => {
    const { agent, manager } = stage.acme
    const [one, two] = [await openTicket('One'), await openTicket('Two')]
    const pairs = await Promise.all(
      [agent, manager].map(async (actor) => ({ actor, client: await stage.open(stage.database.serverUrl) })),
    )
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        pairs.map(({ actor, client }, position) =>
          asRoleForGood(client, actor, () =>
            client.query('select app_public.start_timer($1)', [(round + position) % 2 ? one : two]),
          ),
        ),
      )
    }
    expect(await timersOf(agent)).toHaveLength(1)
  })

  test('that was forgotten stops after a day, and its entry says so', async () => {
    const { agent, worker, ticketId } = stage.acme
    const timer = await start(agent)
    const late = (id = timer.id) =>
      stage.does(worker, 'select app_private.stop_forgotten_timer($1)::text', [id])
    expect(
      await value(
        stage.superuser,
        `select extract(epoch from job.run_at - now())::int between 86395 and 86400 from graphile_worker._private_jobs as job
         join graphile_worker._private_tasks as task on task.id = job.task_id
         where task.identifier = 'stop_forgotten_timer' and job.payload ->> 'timerId' = $1`,
        [timer.id],
      ),
    ).toBe(true)
    await late()
    expect(await timersOf(agent)).toEqual([ticketId])
    await longAgo(timer.id, '24 hours')
    await stage.does(stage.globex.worker, 'select app_private.stop_forgotten_timer($1)::text', [timer.id])
    expect(await timersOf(agent)).toEqual([ticketId])
    await late()
    expect(await timersOf(agent)).toEqual([])
    const entry = await value<Entry>(
      stage.superuser,
      `select to_jsonb(entry) from app_public.time_entries as entry where is_capped order by id desc limit 1`,
    )
    expect(entry).toMatchObject({
      seconds: 86_400,
      agent_id: agent.userId,
      ticket_id: ticketId,
      is_capped: true,
    })
  })

  test('that was stopped late records a day and no more', async () => {
    const { agent } = stage.acme
    const timer = await start(agent)
    await longAgo(timer.id, '3 days')
    expect(await stop(agent, timer.id)).toMatchObject({ seconds: 86_400, is_capped: true })
  })

  test('on a ticket that was merged meanwhile is recorded where it goes on', async () => {
    const { agent } = stage.acme
    const [source, target] = [await openTicket('Merged away'), await openTicket('Goes on')]
    const timer = await start(agent, source)
    await call(agent, 'merge_ticket', { source_ticket_id: source, target_ticket_id: target })
    expect((await stop(agent, timer.id)).ticket_id).toBe(target)
  })

  test('on a ticket that its agent does not see any more is recorded all the same', async () => {
    const { agent, superuser } = { ...stage.acme, superuser: stage.superuser }
    const timer = await start(agent, stage.acme.ticketId)
    await superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      agent.userId,
    ])
    await superuser.query('delete from app_public.team_members where user_id = $1', [agent.userId])
    expect(
      await refusal(agent, 'record_time', { ticket_id: stage.acme.neighbourTicketId, seconds: 60 }),
    ).toBe('AD101')
    const entry = await stop(agent, timer.id)
    expect(
      await stage.sees(agent, 'select id from app_public.time_entries where id = $1', [entry.id]),
    ).toEqual([entry.id])
    await superuser.query('update app_public.users set restricted_to_teams = false where id = $1', [
      agent.userId,
    ])
  })
})

describe('a merge', () => {
  test('takes the time with it, and gives it back when it is undone', async () => {
    const { agent } = stage.acme
    const [source, target] = [await openTicket('Source'), await openTicket('Target')]
    const [moved, stays] = [
      await record(agent, { ticket_id: source }),
      await record(agent, { ticket_id: target }),
    ]
    const merge = await call<{ id: string; moved_time_entry_ids: string[] }>(agent, 'merge_ticket', {
      source_ticket_id: source,
      target_ticket_id: target,
    })
    expect(merge.moved_time_entry_ids).toEqual([moved.id])
    const since = await record(agent, { ticket_id: target, seconds: 60 })
    expect(await call(agent, 'ticket_time', { ticket_id: target })).toMatchObject({
      entries: 3,
      seconds: 1260,
    })
    await call(agent, 'undo_merge', { merge_id: merge.id })
    const entriesOf = (ticketId: string) =>
      stage.sees(agent, 'select id from app_public.time_entries where ticket_id = $1 order by id', [ticketId])
    expect(await entriesOf(source)).toEqual([moved.id])
    expect(await entriesOf(target)).toEqual([stays.id, since.id])
  })
})
