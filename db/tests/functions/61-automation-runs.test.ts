import { beforeEach, describe, expect, test } from 'vitest'
import { become, committed } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import type { Tenant } from '../support/fixture.ts'

const stage = setStage()
const { does, sees } = stage

type Values = Record<string, unknown>

const make = (name: string, values: Values, tenant: Tenant = stage.acme) => {
  const given: Values = { kind: 'event', ...values, name }
  const keys = Object.keys(given)
  return does<string>(
    tenant.admin,
    `select id from app_public.create_automation(${keys.map((key, at) => `${key} => $${at + 1}`).join(', ')})`,
    keys.map((key) => (/^(conditions|actions)$/.test(key) ? JSON.stringify(given[key]) : given[key])),
  )
}
const tag = (...tags: string[]) => [{ type: 'add_tags', tags }]
const openTicket = (subject = 'No network', { priority = 'normal', by = stage.acme.customer } = {}) =>
  does<string>(by, 'select id from app_public.create_ticket($1, $1, priority => $2)', [subject, priority])
const run = (ticketId: string, { worker } = stage.acme) =>
  does<number>(worker, 'select app_private.run_automations($1)', [ticketId])
const sweep = ({ worker } = stage.acme) => does<number>(worker, 'select app_private.sweep_automations()')
const change = (ticketId: string, assignment: string) =>
  does(stage.acme.agent, `update app_public.tickets set ${assignment} where id = $1 returning id`, [ticketId])
const tagsOf = async (ticketId: string) =>
  (await sees(stage.acme.agent, 'select tags from app_public.tickets where id = $1', [ticketId]))[0]
const rows = async (sql: string, values: unknown[] = []) => (await stage.superuser.query(sql, values)).rows
const firings = async (ticketId: string) =>
  (
    await rows(
      `select concat_ws(' ', automation_name, outcome, stopped_because, error_code) as line
      from app_public.automation_firings where ticket_id = $1 order by id`,
      [ticketId],
    )
  ).map(({ line }) => line as string)
const jobs = (ticketId: string) =>
  rows(`select key from graphile_worker.jobs where key = $1`, [`run_automations:${ticketId}`])
const waiting = (ticketId: string) =>
  rows('select id from app_private.automation_queue where ticket_id = $1', [ticketId])

/** Lets time pass for a ticket. */
const age = (ticketId: string, interval: string) =>
  committed(stage.superuser, async () => {
    await stage.superuser.query(`set local session_replication_role = replica`)
    await stage.superuser.query(
      `update app_public.tickets set created_at = created_at - $2::interval, updated_at = updated_at - $2::interval where id = $1`,
      [ticketId, interval],
    )
  })

beforeEach(async () => {
  await stage.superuser.query(`delete from app_private.automation_queue; delete from app_public.automations`)
})

describe('what sets one off', () => {
  test('nothing is queued where no automation asks for it', async () => {
    await make('Elsewhere', { event_types: '{ticket_created}', actions: tag('x') }, stage.globex)
    await make('Off', { event_types: '{ticket_created}', actions: tag('x'), is_enabled: false })
    await make('Other event', { event_types: '{tags_changed}', actions: tag('x') })
    const ticketId = await openTicket()
    expect(await waiting(ticketId)).toEqual([])
    expect(await jobs(ticketId)).toEqual([])
  })

  test('one job answers all that a transaction does', async () => {
    await make('Any', { event_types: '{status_changed,priority_changed}', actions: tag('changed') })
    const ticketId = await openTicket()
    await change(ticketId, `priority = 'high', status = 'pending'`)
    expect(await waiting(ticketId)).toHaveLength(2)
    expect(await jobs(ticketId)).toHaveLength(1)
    expect(await run(ticketId)).toBe(1)
    expect(await firings(ticketId)).toEqual(['Any acted', 'Any unchanged'])
    expect(await waiting(ticketId)).toEqual([])
    expect(await run(ticketId)).toBe(0)
  })

  test('an event that is rolled back is none', async () => {
    await make('Any', { event_types: '{priority_changed}', actions: tag('changed') })
    const ticketId = await openTicket()
    await stage.touches(stage.acme.agent, `update app_public.tickets set priority = 'high' where id = $1`, [
      ticketId,
    ])
    expect(await waiting(ticketId)).toEqual([])
    expect(await jobs(ticketId)).toEqual([])
  })

  test.each([
    ['customer', 'customer', 'public', ['by customer']],
    ['staff', 'agent', 'public', ['by staff', 'in public']],
    ['staff', 'agent', 'internal', ['by staff']],
  ] as const)('by whom and how openly: %s %s %s', async (_, who, visibility, expected) => {
    await make('By customer', {
      event_types: '{comment_added}',
      actors: '{customer}',
      actions: tag('by customer'),
    })
    await make('By staff', { event_types: '{comment_added}', actors: '{staff}', actions: tag('by staff') })
    await make('By system', { event_types: '{comment_added}', actors: '{system}', actions: tag('by system') })
    await make('In public', {
      event_types: '{comment_added}',
      actors: '{staff,system}',
      visibility: 'public',
      actions: tag('in public'),
    })
    const ticketId = await openTicket()
    await does(stage.acme[who], 'select id from app_public.add_comment($1, $2, $3)', [
      ticketId,
      'Hello',
      visibility,
    ])
    await run(ticketId)
    expect(await tagsOf(ticketId)).toEqual(expected)
  })

  test('from what to what', async () => {
    await make('Waited', {
      event_types: '{status_changed}',
      from_values: '{pending}',
      actions: tag('waited'),
    })
    await make('Waits', {
      event_types: '{status_changed}',
      to_values: '{pending,on_hold}',
      actions: tag('waits'),
    })
    const ticketId = await openTicket()
    await change(ticketId, `status = 'open'`)
    await run(ticketId)
    expect(await tagsOf(ticketId)).toEqual([])
    await change(ticketId, `status = 'pending'`)
    await run(ticketId)
    expect(await tagsOf(ticketId)).toEqual(['waits'])
    await change(ticketId, `status = 'open'`)
    await run(ticketId)
    expect(await tagsOf(ticketId)).toEqual(['waited', 'waits'])
  })

  test('conditions ask what the ticket is like now, in the order of the rules', async () => {
    await make('Raise', {
      event_types: '{ticket_created}',
      actions: [{ type: 'set_priority', priority: 'urgent' }],
    })
    await make('Second', {
      event_types: '{ticket_created}',
      conditions: {
        all: [{ field: 'priority', operator: 'is', value: 'urgent' }],
        any: [
          { field: 'subject', operator: 'contains', value: 'network' },
          { field: 'subject', operator: 'contains', value: 'printer' },
        ],
      },
      actions: tag('seen'),
    })
    await make('Never', {
      event_types: '{ticket_created}',
      conditions: { all: [{ field: 'priority', operator: 'is', value: 'normal' }] },
      actions: tag('never'),
    })
    const ticketId = await openTicket()
    await run(ticketId)
    expect(await firings(ticketId)).toEqual(['Raise acted', 'Second acted'])
    expect(await tagsOf(ticketId)).toEqual(['seen'])
    const [second] = await rows(
      `select matched, changes from app_public.automation_firings where ticket_id = $1 and automation_name = 'Second'`,
      [ticketId],
    )
    expect(second).toEqual({
      matched: {
        all: [{ field: 'priority', operator: 'is', value: 'urgent' }],
        any: [{ field: 'subject', operator: 'contains', value: 'network' }],
      },
      changes: [{ type: 'tags_changed', before: { tags: [] }, after: { tags: ['seen'] } }],
    })
  })
})

describe('what one does', () => {
  test('is told in the history in its name, to staff alone', async () => {
    const { acme } = stage
    await make('Greeter', {
      event_types: '{ticket_created}',
      actions: [
        { type: 'comment', visibility: 'public', body: 'Hello {{requester.first_name}}' },
        { type: 'notify', to: 'managers', text: 'Look at {{ticket.reference}}' },
      ],
    })
    const ticketId = await openTicket()
    await run(ticketId)
    const timeline = (actor: typeof acme.agent) =>
      sees(
        actor,
        `select concat_ws(' by ', type, actor_name) from app_public.ticket_events where ticket_id = $1 and actor_name is not null order by type`,
        [ticketId],
      )
    expect(await timeline(acme.agent)).toEqual([
      'comment_added by Automation: Greeter',
      'automation_fired by Automation: Greeter',
      'notice_sent by Automation: Greeter',
    ])
    await expect(timeline(acme.customer)).rejects.toMatchObject({ code: '42501' })
    expect(
      await sees(
        acme.customer,
        'select type from app_public.ticket_events where ticket_id = $1 order by created_at, type',
        [ticketId],
      ),
    ).toEqual(['ticket_created', 'comment_added'])
    expect(
      await sees(acme.customer, 'select body from app_public.comments where ticket_id = $1 order by id', [
        ticketId,
      ]),
    ).toEqual(['No network', 'Hello customer'])
  })

  test('one that is refused leaves nothing, is noted with its code, and the others go on', async () => {
    const { acme } = stage
    const teamId = await does<string>(acme.admin, `select id from app_public.create_team('Short lived')`)
    const id = await make('To the team', {
      event_types: '{ticket_created}',
      actions: [...tag('half'), { type: 'set_team', team_id: teamId }],
    })
    await make('After it', { event_types: '{ticket_created}', actions: tag('after') })
    await does(acme.admin, 'select app_public.delete_team($1)', [teamId])
    const health = () =>
      sees(
        acme.manager,
        'select app_public.automations_is_failing(automation) from app_public.automations as automation where id = $1',
        [id],
      )
    for (let times = 0; times < 3; times += 1) {
      expect(await health()).toEqual([false])
      const ticketId = await openTicket()
      await run(ticketId)
      expect(await firings(ticketId)).toEqual(['To the team refused 23503', 'After it acted'])
      expect(await tagsOf(ticketId)).toEqual(['after'])
    }
    expect(await health()).toEqual([true])
    // It can be stopped as it is.
    expect(
      await stage.touches(acme.admin, 'update app_public.automations set is_enabled = false where id = $1', [
        id,
      ]),
    ).toBe(1)
  })

  test('one that was switched off or removed meanwhile does nothing', async () => {
    const id = await make('Late', { event_types: '{ticket_created}', actions: tag('late') })
    const [off, gone] = [await openTicket(), await openTicket()]
    await does(
      stage.acme.admin,
      'update app_public.automations set is_enabled = false where id = $1 returning id',
      [id],
    )
    await run(off)
    await does(stage.acme.admin, 'select app_public.delete_automation($1)', [id])
    await run(gone)
    expect([await firings(off), await firings(gone)]).toEqual([[], []])
  })

  test('the log stays when the automation is removed', async () => {
    const id = await make('Gone', { event_types: '{ticket_created}', actions: tag('gone') })
    const ticketId = await openTicket()
    await run(ticketId)
    await does(stage.acme.admin, 'select app_public.delete_automation($1)', [id])
    expect(await firings(ticketId)).toEqual(['Gone acted'])
  })

  test('nothing where the organization is suspended', async () => {
    await make('Asleep', { event_types: '{priority_changed}', actions: tag('awake') })
    const ticketId = await openTicket()
    await change(ticketId, `priority = 'high'`)
    const suspend = (suspended: boolean) =>
      does({ role: 'atum_operator' }, 'select app_private.suspend_organization($1, $2)', [
        stage.acme.slug,
        suspended,
      ])
    await suspend(true)
    try {
      await change(ticketId, `priority = 'urgent'`)
      expect(await run(ticketId)).toBe(0)
      expect(await sweep()).toBe(0)
    } finally {
      await suspend(false)
    }
    await run(ticketId)
    expect(await firings(ticketId)).toEqual([])
  })

  test('another organization is out of its reach', async () => {
    await make('Here', { event_types: '{ticket_created}', actions: tag('here') })
    const ticketId = await openTicket()
    expect(await run(ticketId, stage.globex)).toBe(0)
    expect(await waiting(ticketId)).toHaveLength(1)
  })
})

describe('going round in circles', () => {
  test('one that causes its own event is stopped the first time', async () => {
    await make('Raise', { event_types: '{priority_changed}', actions: [{ type: 'raise_priority' }] })
    const ticketId = await openTicket('x', { priority: 'low' })
    await change(ticketId, `priority = 'normal'`)
    await run(ticketId)
    expect(await firings(ticketId)).toEqual(['Raise acted', 'Raise loop_stopped own_event'])
  })

  test('two that undo each other are stopped', async () => {
    const undo = (name: string, from: string, to: string) =>
      make(name, {
        event_types: '{priority_changed}',
        to_values: [from],
        actions: [{ type: 'set_priority', priority: to }],
      })
    await undo('Down', 'high', 'low')
    const up = await undo('Up', 'low', 'high')
    const ticketId = await openTicket()
    await change(ticketId, `priority = 'high'`)
    expect(await run(ticketId)).toBe(2)
    expect(await firings(ticketId)).toEqual(['Down acted', 'Up acted', 'Down loop_stopped own_event'])
    expect(await waiting(ticketId)).toEqual([])
    expect(
      await sees(
        stage.acme.admin,
        'select app_public.automations_loops_stopped(automation) from app_public.automations as automation where id <> $1',
        [up],
      ),
    ).toEqual([1])
  })

  test('a chain of more than five is cut', async () => {
    // The last first: in the other order each would see at once what the one before it did, on one event.
    for (let link = 6; link >= 1; link -= 1) {
      await make(`Link ${link}`, {
        event_types: '{tags_changed}',
        conditions: {
          all: [
            { field: 'tags', operator: 'includes_all', value: [`link ${link - 1}`] },
            { field: 'tags', operator: 'includes_none', value: [`link ${link}`] },
          ],
        },
        actions: tag(`link ${link}`),
      })
    }
    const ticketId = await openTicket()
    await change(ticketId, `tags = '{link 0}'`)
    expect(await run(ticketId)).toBe(5)
    expect((await firings(ticketId)).slice(-2)).toEqual(['Link 5 acted', 'Link 6 loop_stopped too_deep'])
  })

  test('what somebody outside keeps stirring up acts 20 times an hour, and says so once', async () => {
    await make('Down', {
      event_types: '{priority_changed}',
      to_values: '{high}',
      actions: [{ type: 'set_priority', priority: 'low' }],
    })
    const ticketId = await openTicket()
    for (let times = 0; times < 23; times += 1) {
      await change(ticketId, `priority = 'normal'`)
      await change(ticketId, `priority = 'high'`)
      await run(ticketId)
    }
    const lines = await firings(ticketId)
    expect(lines.filter((line) => line === 'Down acted')).toHaveLength(20)
    expect(lines.filter((line) => line === 'Down loop_stopped too_often')).toHaveLength(1)
  })
})

describe('by time', () => {
  const pendingFor = (seconds: number) => ({
    all: [
      { field: 'status', operator: 'is', value: 'pending' },
      { field: 'updated_at', operator: 'older_than', value: seconds },
    ],
  })
  const makePending = async (subject?: string) => {
    const ticketId = await openTicket(subject)
    await change(ticketId, `status = 'pending'`)
    return ticketId
  }

  test('acts once for as long as the ticket fits, and again when it comes to fit anew', async () => {
    await make('Nudge', {
      kind: 'time',
      conditions: {
        all: [
          { field: 'status', operator: 'is', value: 'pending' },
          { field: 'subject', operator: 'contains', value: 'nudge' },
        ],
      },
      actions: [{ type: 'comment', visibility: 'internal', body: 'Ask again' }],
    })
    const ticketId = await makePending('Nudge me')
    expect(await sweep()).toBe(1)
    expect(await sweep()).toBe(0)
    expect(await run(ticketId)).toBe(1)
    expect(await sweep()).toBe(0)
    await change(ticketId, `status = 'open'`)
    expect(await sweep()).toBe(0)
    await change(ticketId, `status = 'pending'`)
    expect(await sweep()).toBe(1)
    await run(ticketId)
    expect(await firings(ticketId)).toEqual(['Nudge acted', 'Nudge acted'])
  })

  test('not before its time, and not when the ticket no longer fits when it is its turn', async () => {
    await make('Stale', { kind: 'time', conditions: pendingFor(3600), actions: tag('stale') })
    const [young, old, answered] = [await makePending(), await makePending(), await makePending()]
    await age(old, '2 hours')
    await age(answered, '2 hours')
    expect(await sweep()).toBe(2)
    await change(answered, `status = 'open'`)
    for (const ticketId of [young, old, answered]) await run(ticketId)
    expect(await tagsOf(young)).toEqual([])
    expect(await tagsOf(old)).toEqual(['stale'])
    expect(await tagsOf(answered)).toEqual([])
    expect(await firings(old)).toEqual(['Stale acted'])
  })

  test('one that is refused is not tried each minute', async () => {
    const teamId = await does<string>(stage.acme.admin, `select id from app_public.create_team('Soon gone')`)
    await make('Hand over', {
      kind: 'time',
      conditions: pendingFor(60),
      actions: [{ type: 'set_team', team_id: teamId }],
    })
    await does(stage.acme.admin, 'select app_public.delete_team($1)', [teamId])
    const ticketId = await makePending()
    await age(ticketId, '1 hour')
    await sweep()
    await run(ticketId)
    expect(await sweep()).toBe(0)
    expect(await firings(ticketId)).toEqual(['Hand over refused 23503'])
  })

  test('leaves closed tickets alone', async () => {
    await make('All', {
      kind: 'time',
      conditions: { all: [{ field: 'subject', operator: 'contains', value: 'closed one' }] },
      actions: tag('x'),
    })
    const ticketId = await openTicket('A closed one')
    await change(ticketId, `status = 'closed'`)
    expect(await sweep()).toBe(0)
  })

  test('what a lost worker left gets another job', async () => {
    await make('Any', { event_types: '{ticket_created}', actions: tag('x') })
    const ticketId = await openTicket()
    // As a worker that was killed leaves it: the job is held, what it was to answer still waits.
    await stage.superuser.query(
      `update graphile_worker._private_jobs set locked_at = now(), locked_by = 'gone' where key = $1`,
      [`run_automations:${ticketId}`],
    )
    await sweep()
    expect(
      await rows(`select id from graphile_worker.jobs where key = $1 and locked_at is null`, [
        `run_automations:${ticketId}`,
      ]),
    ).toEqual([])
    await stage.superuser.query(
      `update app_private.automation_queue set queued_at = now() - interval '2 minutes'`,
    )
    await sweep()
    expect(
      await rows(`select id from graphile_worker.jobs where key = $1 and locked_at is null`, [
        `run_automations:${ticketId}`,
      ]),
    ).toHaveLength(1)
  })
})

describe('a dry run', () => {
  const tryOut = (conditions: unknown, actions: unknown, kind = 'event', tenant: Tenant = stage.acme) =>
    does<{
      matching: number
      is_capped: boolean
      tickets: {
        ticket_id: string
        outcome: string
        changes: { type: string }[]
        error_code: string | null
      }[]
    }>(tenant.manager, 'select to_jsonb(app_public.dry_run_automation($1, $2, $3))', [
      kind,
      JSON.stringify(conditions),
      JSON.stringify(actions),
    ])

  test('shows what would be done, and does nothing', async () => {
    const ticketId = await openTicket('The dry one')
    const before = await rows(
      'select count(*)::int as events, (select count(*)::int from app_public.comments) as comments, (select count(*)::int from app_public.audit_log) as audited, (select count(*)::int from graphile_worker.jobs) as jobs from app_public.ticket_events',
    )
    const shown = await tryOut({ all: [{ field: 'subject', operator: 'contains', value: 'the dry one' }] }, [
      ...tag('dry'),
      { type: 'comment', visibility: 'public', body: 'Hello' },
      { type: 'set_assignee', assignee_id: stage.acme.agent.userId },
    ])
    expect(shown).toMatchObject({
      matching: 1,
      is_capped: false,
      tickets: [{ ticket_id: ticketId, outcome: 'acted', error_code: null }],
    })
    expect(shown.tickets[0]!.changes.map(({ type }) => type).sort()).toEqual([
      'assignee_changed',
      'comment_added',
      'tags_changed',
    ])
    expect(await tagsOf(ticketId)).toEqual([])
    expect(
      await rows(
        'select count(*)::int as events, (select count(*)::int from app_public.comments) as comments, (select count(*)::int from app_public.audit_log) as audited, (select count(*)::int from graphile_worker.jobs) as jobs from app_public.ticket_events',
      ),
    ).toEqual(before)
  })

  test('tells what would be refused, and what is already so', async () => {
    const closed = await openTicket('Dry and closed')
    await change(closed, `status = 'closed'`)
    const about = { all: [{ field: 'subject', operator: 'contains', value: 'dry and closed' }] }
    expect(await tryOut(about, [{ type: 'snooze', seconds: 60 }])).toMatchObject({
      tickets: [{ outcome: 'refused', error_code: 'AD110' }],
    })
    expect(await tryOut(about, [{ type: 'set_status', status: 'closed' }])).toMatchObject({
      tickets: [{ outcome: 'unchanged', changes: [] }],
    })
    expect(await tryOut(about, [{ type: 'raise_priority' }], 'time')).toMatchObject({
      matching: 0,
      tickets: [],
    })
  })

  test('sees the own organization alone', async () => {
    const { globex } = stage
    await openTicket('Only in acme')
    const about = { all: [{ field: 'subject', operator: 'contains', value: 'only in acme' }] }
    expect(await tryOut(about, tag('x'))).toMatchObject({ matching: 1 })
    expect(await tryOut(about, tag('x'), 'event', globex)).toMatchObject({ matching: 0, tickets: [] })
  })
})

test('two workers that take one ticket at the same moment answer it once', async () => {
  await make('Once', {
    event_types: '{ticket_created}',
    actions: [{ type: 'comment', visibility: 'internal', body: 'Once' }],
  })
  const ticketId = await openTicket()
  const [one, two] = [
    await stage.open(stage.database.superuserUrl),
    await stage.open(stage.database.superuserUrl),
  ]
  for (const client of [one, two]) {
    await client.query('begin')
    await become(client, stage.acme.worker)
  }
  await one.query('select app_private.run_automations($1)', [ticketId])
  const second = two.query('select app_private.run_automations($1) as acted', [ticketId])
  await one.query('commit')
  expect((await second).rows).toEqual([{ acted: 0 }])
  await two.query('commit')
  expect(await firings(ticketId)).toEqual(['Once acted'])
})

test('a worker that dies in the middle has done nothing, and the next one does all of it', async () => {
  await make('First', { event_types: '{ticket_created}', actions: tag('first') })
  await make('Second', { event_types: '{ticket_created}', actions: tag('second') })
  const ticketId = await openTicket()
  const dying = await stage.open(stage.database.superuserUrl)
  await dying.query('begin')
  await become(dying, stage.acme.worker)
  await dying.query('select app_private.run_automations($1)', [ticketId])
  await dying.query('rollback')
  expect(await firings(ticketId)).toEqual([])
  expect(await run(ticketId)).toBe(2)
  expect(await tagsOf(ticketId)).toEqual(['first', 'second'])
})
