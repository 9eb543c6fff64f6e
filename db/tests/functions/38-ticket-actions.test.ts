import { beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { type Actor, asRole, asRoleForGood } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { createTicket } from '../support/tickets.ts'

const stage = setStage()
const { sees, refuses, does } = stage
const { newcomer } = loginsOn(stage)

/** Sees the own tickets alone. */
let restricted: Person

type Action = Record<string, unknown>

const newTicket = (by: Person = stage.acme.customer) =>
  asRoleForGood(stage.server, by, () => createTicket(stage.server)).then(({ id }) => id)
const apply = (ticketId: string, ...actions: Action[]) =>
  does(stage.acme.agent, 'select app_hidden.apply_ticket_actions($1, $2)', [
    ticketId,
    JSON.stringify(actions),
  ])
const refused = (ticketId: string, actions: unknown, actor: Person = stage.acme.agent) =>
  refuses(actor, 'select app_hidden.apply_ticket_actions($1, $2)', [ticketId, JSON.stringify(actions)])
const ticketOf = async (ticketId: string) =>
  (
    await sees(stage.acme.agent, 'select to_jsonb(ticket) from app_public.tickets as ticket where id = $1', [
      ticketId,
    ])
  )[0] as Record<string, unknown>
/** Without a person: an automation of the organization. */
const automation = (organizationId: string): Actor => ({ role: 'atum_owner', organizationId })

beforeAll(async () => {
  restricted = await newcomer(stage.acme, 'agent')
  await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
    restricted.userId,
  ])
})

describe('a list of actions is refused', () => {
  const uuid = '00000000-0000-7000-8000-000000000000'

  test.each<[string, unknown]>([
    ['that is none', { type: 'raise_priority' }],
    ['that is nothing', null],
    ['of 21', Array.from({ length: 21 }, () => ({ type: 'raise_priority' }))],
    ['with one that is no object', ['raise_priority']],
    ['with one of no type', [{ priority: 'low' }]],
    ['with one of a type that is no text', [{ type: ['set_priority'] }]],
    ['with one that is unknown', [{ type: 'drop_table' }]],
    ['with one that says more than it can', [{ type: 'raise_priority', priority: 'low' }]],
    ['without a priority', [{ type: 'set_priority' }]],
    ['with a priority that is none', [{ type: 'set_priority', priority: 'huge' }]],
    ['with a status that is none', [{ type: 'set_status', status: 'lost' }]],
    ['with a stage that is no id', [{ type: 'set_state', state_id: 'open' }]],
    ['with no stage', [{ type: 'set_state', state_id: null }]],
    ['with a team that is not said', [{ type: 'set_team' }]],
    ['with an assignee that is no id', [{ type: 'set_assignee', assignee_id: 7 }]],
    ['with no tags', [{ type: 'add_tags', tags: [] }]],
    ['with tags that are no texts', [{ type: 'add_tags', tags: ['a', 1] }]],
    ['with 31 tags', [{ type: 'remove_tags', tags: Array.from({ length: 31 }, String) }]],
    ['with a watcher that is none', [{ type: 'add_watcher', user_id: null }]],
    ['with values that are no object', [{ type: 'set_custom_fields', values: ['a'] }]],
    ['with a snooze of no time', [{ type: 'snooze', seconds: 0 }]],
    ['with a snooze that is no number', [{ type: 'snooze', seconds: '60' }]],
    ['with a snooze of ages', [{ type: 'snooze', seconds: 1e12 }]],
    ['with a comment that says nothing', [{ type: 'comment', visibility: 'internal', body: ' ' }]],
    ['with a comment for nobody', [{ type: 'comment', visibility: 'secret', body: 'x' }]],
    [
      'with a comment of more than it may have',
      [{ type: 'comment', visibility: 'public', body: 'x'.repeat(65_537) }],
    ],
    ['with a notice of 1,001 characters', [{ type: 'notify', to: 'team', text: 'x'.repeat(1_001) }]],
    ['with a notice to the world', [{ type: 'notify', to: 'everybody', text: 'x' }]],
  ])('%s', async (_name, actions) => {
    expect(await refused(stage.acme.ticketId, actions)).toBe('AD117')
  })

  test('to customers, on a ticket of another organization, and on one that is out of sight', async () => {
    const raise = [{ type: 'raise_priority' }]
    expect(await refused(stage.acme.ticketId, raise, stage.acme.customer)).toBe('42501')
    expect(await refused(stage.globex.ticketId, raise)).toBe('AD101')
    expect(await refused(stage.acme.ticketId, raise, restricted)).toBe('AD101')
    expect(await refused(uuid, raise)).toBe('AD101')
  })

  test('that names who or what is not there, with the refusal of the thing itself', async () => {
    const { agent, customer, archivedServiceId, ticketId } = stage.acme
    for (const [action, code] of [
      [{ type: 'set_assignee', assignee_id: uuid }, '23503'],
      [{ type: 'set_assignee', assignee_id: customer.userId }, 'AD103'],
      [{ type: 'set_assignee', assignee_id: restricted.userId }, 'AD107'],
      [{ type: 'set_assignee', assignee_id: stage.globex.agent.userId }, '23503'],
      [{ type: 'set_team', team_id: stage.globex.teamId }, '23503'],
      [{ type: 'set_service', service_id: archivedServiceId }, 'AD104'],
      [{ type: 'set_state', state_id: uuid }, '23503'],
      [{ type: 'set_status', status: 'new' }, 'AD105'],
      [{ type: 'add_tags', tags: ['a,b'] }, '23514'],
      [{ type: 'add_watcher', user_id: restricted.userId }, 'AD114'],
      [{ type: 'add_watcher', user_id: stage.globex.agent.userId }, 'AD114'],
    ] as const) {
      expect(await refused(ticketId, [{ type: 'raise_priority' }, action], agent)).toBe(code)
    }
  })

  test('that puts a ticket out of the sight of who does it', async () => {
    const { rows } = await stage.superuser.query<{ id: string }>(
      `insert into app_public.teams (organization_id, name) values ($1, 'Printing') returning id`,
      [stage.acme.organizationId],
    )
    const teamId = rows[0]!.id
    await stage.superuser.query(
      'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)',
      [stage.acme.organizationId, teamId, restricted.userId],
    )
    const ticketId = await newTicket()
    await apply(ticketId, { type: 'set_team', team_id: teamId })
    const handOver = [{ type: 'set_team', team_id: stage.acme.teamId }]
    expect(await refused(ticketId, handOver, restricted)).toBe('42501')
    expect(await refused(ticketId, [{ type: 'set_team', team_id: null }], restricted)).toBe('42501')
    expect(await refused(ticketId, [{ type: 'assign_to_me' }], restricted)).toBe('accepted')
  })

  test('that assigns to me where nobody acts', async () => {
    expect(
      await refuses(automation(stage.acme.organizationId), 'select app_hidden.apply_ticket_actions($1, $2)', [
        stage.acme.ticketId,
        JSON.stringify([{ type: 'assign_to_me' }]),
      ]),
    ).toBe('AD117')
  })
})

describe('actions', () => {
  test('are one save, in which the last word on a thing counts', async () => {
    const { agent, manager, teamId, serviceId } = stage.acme
    const id = await newTicket()
    await apply(
      id,
      { type: 'set_priority', priority: 'low' },
      { type: 'raise_priority' },
      { type: 'raise_priority' },
      { type: 'set_service', service_id: serviceId },
      { type: 'set_team', team_id: teamId },
      { type: 'set_assignee', assignee_id: manager.userId },
      { type: 'assign_to_me' },
      { type: 'add_tags', tags: ['B', 'a'] },
      { type: 'remove_tags', tags: [' A'] },
      { type: 'set_status', status: 'open' },
      { type: 'snooze', seconds: 3600 },
      { type: 'add_watcher', user_id: manager.userId },
      {
        type: 'comment',
        visibility: 'internal',
        body: 'Done by {{agent.first_name}} for {{ requester.name }}',
      },
      { type: 'notify', to: 'watchers', text: 'Look at {{ticket.reference}}' },
    )
    const ticket = await ticketOf(id)
    expect(ticket).toMatchObject({
      priority: 'high',
      service_id: serviceId,
      team_id: teamId,
      assignee_id: agent.userId,
      tags: ['b'],
      status: 'open',
      version: 2,
    })
    expect(ticket.snoozed_until).not.toBeNull()
    expect(
      await sees(
        agent,
        `select body from app_public.comments where ticket_id = $1 and visibility = 'internal'`,
        [id],
      ),
    ).toEqual(['Done by agent for customer of acme'])
    expect(
      await sees(
        agent,
        `select after from app_public.ticket_events where ticket_id = $1 and type = 'notice_sent'`,
        [id],
      ),
    ).toEqual([{ to: 'watchers', text: `Look at ${String(ticket.reference)}` }])
    expect(
      await sees(agent, 'select user_id from app_public.ticket_watchers where ticket_id = $1', [id]),
    ).toEqual([manager.userId])
    await apply(id, { type: 'remove_watcher', user_id: manager.userId })
    expect(
      await sees(agent, 'select user_id from app_public.ticket_watchers where ticket_id = $1', [id]),
    ).toEqual([])
  })

  test('save nothing when nothing changes', async () => {
    const id = await newTicket()
    await apply(id, { type: 'set_priority', priority: 'normal' }, { type: 'set_assignee', assignee_id: null })
    expect(await ticketOf(id)).toMatchObject({ version: 1 })
  })

  test('put a stage in place of a status, and a status in place of a stage', async () => {
    const stateId = await does<string>(
      stage.acme.admin,
      `select (app_public.create_ticket_state('pending', 'Waiting')).id`,
    )
    const id = await newTicket()
    await apply(id, { type: 'set_status', status: 'resolved' }, { type: 'set_state', state_id: stateId })
    expect(await ticketOf(id)).toMatchObject({ status: 'pending', state_id: stateId })
    await apply(id, { type: 'set_state', state_id: stateId }, { type: 'set_status', status: 'on_hold' })
    expect(await ticketOf(id)).toMatchObject({ status: 'on_hold' })
  })

  test('say something as the person would: the first public answer takes a new ticket into work', async () => {
    const id = await newTicket()
    await apply(id, { type: 'comment', visibility: 'public', body: 'We are on it' })
    expect(await ticketOf(id)).toMatchObject({ status: 'open' })
    // Closing words are said before the door shuts.
    await apply(
      id,
      { type: 'set_status', status: 'closed' },
      { type: 'comment', visibility: 'public', body: 'Bye' },
    )
    expect(await refused(id, [{ type: 'comment', visibility: 'public', body: 'x' }])).toBe('AD102')
  })

  test('without a person are of what the transaction names, which answers no promise', async () => {
    const id = await newTicket()
    await asRoleForGood(stage.superuser, automation(stage.acme.organizationId), async () => {
      await stage.superuser.query(`set local atum.actor_name = 'Night shift'`)
      await stage.superuser.query('select app_hidden.apply_ticket_actions($1, $2)', [
        id,
        JSON.stringify([
          { type: 'raise_priority' },
          {
            type: 'comment',
            visibility: 'public',
            body: 'Somebody will look at it, {{requester.first_name}}',
          },
        ]),
      ])
    })
    expect(await ticketOf(id)).toMatchObject({ status: 'new', priority: 'high', first_responded_at: null })
    expect(
      await sees(
        stage.acme.customer,
        'select array[author_id::text, author_name, body] from app_public.comments where ticket_id = $1 order by created_at, id offset 1',
        [id],
      ),
    ).toEqual([[null, null, 'Somebody will look at it, customer']])
    const saidBy = `select actor_name from app_public.ticket_events where ticket_id = $1 and type = 'comment_added'`
    expect(await sees(stage.acme.agent, saidBy, [id])).toEqual(['Night shift'])
    // The name of a rule may say what customers are not to read.
    await expect(sees(stage.acme.customer, saidBy, [id])).rejects.toMatchObject({ code: '42501' })
  })
})

describe('a prepared text', () => {
  const fill = async (template: string, variables: Record<string, string>) =>
    (
      await sees(stage.acme.agent, 'select app_hidden.fill_in($1, $2)', [template, JSON.stringify(variables)])
    )[0]

  test.each<[string, string, string]>([
    ['fills in what is known and leaves out what is not', 'Hi {{ name }}{{ other }}!', 'Hi Ada!'],
    [
      'keeps braces that are no variables',
      '{{ }} {{Name}} {{name {name}} {{na me}}',
      '{{ }} {{Name}} {{name {name}} {{na me}}',
    ],
    ['keeps lines and backslashes', 'a\\1\n{{name}}\nb', 'a\\1\nAda\nb'],
    ['keeps control characters', 'a\u0001name\u0001b {{name}}', 'a\u0001name\u0001b Ada'],
    ['fills in one after the other', '{{name}}{{name}}', 'AdaAda'],
    ['is empty when it was', '', ''],
  ])('%s', async (_name, template, text) => {
    expect(await fill(template, { name: 'Ada' })).toBe(text)
  })

  test('fills a value in once, also one that looks like a variable', async () => {
    expect(await fill('{{a}}{{b}}', { a: '{{b}}', b: '\u0001a\u0001 \\1 {{a}}' })).toBe(
      '{{b}}\u0001a\u0001 \\1 {{a}}',
    )
  })

  test('stands for nothing of a ticket that is out of sight', async () => {
    const read = 'select app_hidden.ticket_variables($1)'
    expect(await sees(restricted, read, [stage.acme.ticketId])).toEqual([null])
    expect(await sees(stage.globex.agent, read, [stage.acme.ticketId])).toEqual([null])
    expect(await sees(stage.acme.agent, read, [stage.acme.ticketId])).toMatchObject([
      { 'requester.email': 'customer@acme.test', 'agent.name': 'agent of acme' },
    ])
  })
})

describe('a bulk change', () => {
  const bulk = (ticketIds: (string | null)[], actions: Action[], actor: Person = stage.acme.agent) =>
    asRole(stage.server, actor, async () => {
      const { rows } = await stage.server.query<Record<string, unknown>>(
        'select * from app_public.bulk_update_tickets($1, $2)',
        [ticketIds, JSON.stringify(actions)],
      )
      return rows
    })

  test('is refused of more than a thousand, of none, and to customers', async () => {
    const call = 'select app_public.bulk_update_tickets($1, $2)'
    const raise = JSON.stringify([{ type: 'raise_priority' }])
    const { agent, customer, ticketId } = stage.acme
    expect(await refuses(customer, call, [[ticketId], raise])).toBe('42501')
    expect(await refuses(agent, call, [Array.from({ length: 1001 }, () => ticketId), raise])).toBe('AD118')
    expect(await refuses(agent, call, [[ticketId, null], raise])).toBe('AD118')
    expect(await refuses(agent, call, [null, raise])).toBe('AD118')
    expect(await refuses(agent, call, [[ticketId], '[{"type": "x"}]'])).toBe('AD117')
    expect(await refuses(agent, call, [[ticketId], null])).toBe('AD117')
  })

  test('tells of each ticket what became of it, and changes those that can be', async () => {
    const [parent, child, fine] = [await newTicket(), await newTicket(), await newTicket()]
    await does(stage.acme.agent, `select (app_public.relate_tickets($1, 'child_of', $2)).id`, [child, parent])
    const results = await bulk(
      [fine, parent, stage.globex.ticketId, fine],
      [
        { type: 'set_status', status: 'resolved' },
        { type: 'add_tags', tags: ['done'] },
      ],
    )
    expect(results.toSorted((a, b) => String(a.code).localeCompare(String(b.code)))).toMatchObject([
      { ticket_id: stage.globex.ticketId, changed: false, code: 'AD101' },
      { ticket_id: parent, changed: false, code: 'AD109', message: 'Resolve the child tickets first' },
      { ticket_id: fine, changed: true, code: null, message: null },
    ])
    const long = await bulk([fine], [{ type: 'add_tags', tags: ['x'.repeat(41)] }])
    expect(long).toMatchObject([
      { changed: false, code: '23514', message: 'This ticket cannot be changed so' },
    ])
    expect(await bulk([fine], [{ type: 'raise_priority' }], restricted)).toMatchObject([{ code: 'AD101' }])
    expect(await bulk([], [{ type: 'raise_priority' }])).toEqual([])
  })

  test('leaves a refused ticket as it was', async () => {
    const id = await newTicket()
    await asRoleForGood(stage.server, stage.acme.agent, () =>
      stage.server.query('select app_public.bulk_update_tickets($1, $2)', [
        [id],
        JSON.stringify([{ type: 'raise_priority' }, { type: 'add_watcher', user_id: restricted.userId }]),
      ]),
    )
    expect(await ticketOf(id)).toMatchObject({ priority: 'normal', version: 1 })
  })

  test('changes a thousand in one transaction', async () => {
    await stage.superuser.query(
      `insert into app_public.tickets (organization_id, subject, requester_id)
      select $1, 'One of many', $2 from generate_series(1, 1000)`,
      [stage.acme.organizationId, stage.acme.customer.userId],
    )
    const ids = (await sees(
      stage.acme.agent,
      `select id from app_public.tickets where subject = 'One of many'`,
    )) as string[]
    await stage.server.query('set statement_timeout = 0')
    const results = await bulk(ids, [
      { type: 'set_priority', priority: 'high' },
      { type: 'add_tags', tags: ['storm'] },
      { type: 'comment', visibility: 'internal', body: 'Part of the storm' },
    ])
    expect(results).toHaveLength(1000)
    expect(results.every(({ changed }) => changed)).toBe(true)
  }, 240_000)
})
