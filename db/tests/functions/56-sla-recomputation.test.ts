import { describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { asRoleForGood, become } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()

const owner = <T>(sql: string, values: unknown[] = []) => stage.does<T>({ role: 'atum_owner' }, sql, values)

const work = (organizationId: string) =>
  owner<{ total: number; done: number; started: boolean; finished: boolean } | null>(
    `select (select jsonb_build_object('total', total, 'done', done, 'started', started_at is not null, 'finished', finished_at is not null)
    from app_public.sla_recomputations where organization_id = $1 order by created_at desc, id desc limit 1)`,
    [organizationId],
  )

const recompute = (batch: number) =>
  stage.does<boolean>(stage.acme.worker, 'select app_private.recompute_sla_clocks($1, $2)', [
    waitingId,
    batch,
  ])

/** The recomputation that waits. */
let waitingId: string

const edit = async (actor = stage.acme.admin) => {
  await stage.does(
    actor,
    `update app_public.sla_calendars set time_zone = case time_zone when 'Etc/UTC' then 'Europe/Berlin' else 'Etc/UTC' end,
      hours = case when jsonb_typeof(hours) = 'string' then '{"mon": [["09:00", "10:00"]]}'::jsonb else '"always_open"' end
    returning id`,
  )
  waitingId = await owner<string>(
    'select id from app_public.sla_recomputations where organization_id = $1 order by created_at desc, id desc limit 1',
    [actor.organizationId],
  )
}

const dueOf = (ticketId: string) =>
  owner<Date>(`select due_at from app_public.sla_calculations where ticket_id = $1 and kind = 'resolution'`, [
    ticketId,
  ])

test('refuses to run for nobody, and is for nobody but the worker', async () => {
  const call = `select app_private.recompute_sla_clocks('00000000-0000-7000-8000-000000000000')`
  expect(await stage.refuses({ role: 'atum_worker' }, call)).toBe('AD301')
  for (const actor of [stage.acme.customer, stage.acme.agent, stage.acme.admin]) {
    expect(await stage.refuses(actor, call)).toBe('42501')
  }
})

describe('after a calendar was changed', () => {
  test('the open tickets are counted again, in batches, with progress that managers read', async () => {
    const before = await dueOf(stage.acme.neighbourTicketId)
    await edit()
    expect(await work(stage.acme.organizationId)).toEqual({
      total: 0,
      done: 0,
      started: false,
      finished: false,
    })
    // Another change before the work begins is the same work.
    await edit()
    await edit()
    expect(
      await owner(`select count(*)::integer from app_public.sla_recomputations where started_at is null`),
    ).toBe(1)

    expect(await recompute(1)).toBe(true)
    expect(await work(stage.acme.organizationId)).toEqual({
      total: 2,
      done: 1,
      started: true,
      finished: false,
    })
    expect(
      await stage.sees(
        stage.acme.manager,
        'select done from app_public.sla_recomputations where started_at is not null and finished_at is null',
      ),
    ).toEqual([1])
    expect(await recompute(1)).toBe(true)
    expect(await recompute(1)).toBe(false)
    expect(await work(stage.acme.organizationId)).toEqual({
      total: 2,
      done: 2,
      started: true,
      finished: true,
    })
    expect(await recompute(1)).toBe(false)

    const after = await dueOf(stage.acme.neighbourTicketId)
    expect(after.getTime()).toBeGreaterThan(before.getTime())
    expect(
      await owner(
        'select next_due_at = (select min(due_at) from app_public.sla_calculations where ticket_id = ticket.id and met_at is null and breached_at is null) from app_public.tickets as ticket where id = $1',
        [stage.acme.neighbourTicketId],
      ),
    ).toBe(true)
  })

  test('a job does it, and only in its organization', async () => {
    await edit()
    const job = await stage.superuser.query(
      `select job.payload from graphile_worker._private_jobs as job join graphile_worker._private_tasks as task on task.id = job.task_id
      where task.identifier = 'recompute_sla_clocks' and job.payload ->> 'slaRecomputationId' = $1`,
      [waitingId],
    )
    expect(job.rows).toEqual([
      { payload: { organizationId: stage.acme.organizationId, slaRecomputationId: waitingId } },
    ])
    expect(
      await stage.does<boolean>(stage.globex.worker, 'select app_private.recompute_sla_clocks($1)', [
        waitingId,
      ]),
    ).toBe(false)
    expect(await work(stage.acme.organizationId)).toMatchObject({ started: false })
  })

  test('nobody is locked out: an agent saves a ticket while a batch is at work, but one of that batch waits for it', async () => {
    await edit()
    const worker = await stage.open(stage.database.superuserUrl)
    await worker.query('begin')
    await become(worker, stage.acme.worker)
    // The first of two tickets; the transaction stays open.
    expect(await value(worker, 'select app_private.recompute_sla_clocks($1, 1)', [waitingId])).toBe(true)
    const [first, second] = [stage.acme.ticketId, stage.acme.neighbourTicketId].sort()

    const save = (ticketId: string | undefined) =>
      asRoleForGood(stage.server, stage.acme.agent, async () => {
        await stage.server.query(`set local lock_timeout = '500ms'`)
        return value(
          stage.server,
          `update app_public.tickets set priority = 'high' where id = $1 returning priority`,
          [ticketId],
        )
      })
    expect(await save(second)).toBe('high')
    await expect(save(first)).rejects.toMatchObject({ code: '55P03' })
    await worker.query('commit')
    expect(await save(first)).toBe('high')
    expect(await recompute(100)).toBe(false)
  })
})

test.each([
  [
    'holidays',
    `select app_public.add_sla_holiday((select id from app_public.sla_calendars), 'Founding day', '2031-05-05')`,
  ],
  [
    'the conditions of a policy',
    `update app_public.sla_policies set priorities = '{low,normal}' returning id`,
  ],
  [
    'targets',
    `select app_public.set_sla_target((select id from app_public.sla_policies), 'normal', 'resolution', 7200)`,
  ],
  [
    'escalations',
    `select app_public.set_sla_escalation((select id from app_public.sla_policies), 'resolution', -60, '[]')`,
  ],
])('a change of %s asks for it too', async (_name, sql) => {
  await owner(
    'with gone as (delete from app_public.sla_recomputations returning id) select count(*) from gone',
  )
  await stage.does(stage.acme.admin, sql)
  expect(await work(stage.acme.organizationId)).toMatchObject({ started: false })
  expect(await work(stage.globex.organizationId)).toBeNull()
})
