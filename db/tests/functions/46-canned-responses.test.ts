import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { setStage } from '../support/stage.ts'
import type { Actor } from '../support/session.ts'

const stage = setStage()

const search = 'select title from app_public.search_canned_responses($1, $2)'
const use = 'select app_public.use_canned_response($1, $2)'
const apply = 'select to_jsonb(ticket) from app_public.apply_macro($1, $2) as ticket'
const preview = `select jsonb_strip_nulls(to_jsonb(step)) from app_public.preview_macro($1, $2) as step`

const makeResponse = (title: string, body = 'A body', folder = '') =>
  stage.does<string>(
    stage.acme.manager,
    `select id from app_public.create_canned_response($1, $2, $3, 'shared')`,
    [title, body, folder],
  )
const makeMacro = (actions: unknown, actor: Actor = stage.acme.manager) =>
  stage.does<string>(actor, `select id from app_public.create_macro($1, $2, null, 'shared')`, [
    randomUUID(),
    JSON.stringify(actions),
  ])
const openTicket = (subject = 'The gate stays shut') =>
  stage.does<string>(
    stage.acme.customer,
    `select id from app_public.create_ticket($1, 'Since eight', service_id => $2)`,
    [subject, stage.acme.serviceId],
  )
const usesOf = (id: string) =>
  stage.sees(
    stage.acme.agent,
    'select app_public.canned_responses_uses(response) from app_public.canned_responses as response where id = $1',
    [id],
  )

describe('a canned response', () => {
  test('has a title in one line, a text, and a folder that is a path', async () => {
    const create = `select app_public.create_canned_response($1, $2, $3, 'personal')`
    for (const [title, body, folder] of [
      [' ', 'A body', ''],
      ['x'.repeat(121), 'A body', ''],
      ['Two\nlines', 'A body', ''],
      ['A title', ' ', ''],
      ['A title', 'x'.repeat(65_537), ''],
      ['A title', 'A body', '/Billing'],
      ['A title', 'A body', 'Billing//Refunds'],
      ['A title', 'A body', 'Billing / Refunds'],
    ]) {
      expect(await stage.refuses(stage.acme.agent, create, [title, body, folder])).toBe('23514')
    }
    expect(await stage.refuses(stage.acme.agent, create, ['A title', 'A body', 'Billing/Late refunds'])).toBe(
      'accepted',
    )
  })

  test('is used on a ticket one sees, with the variables filled in, and counted', async () => {
    const { acme, globex, superuser } = stage
    const id = await makeResponse(
      'Greeting',
      'Hello {{ requester.first_name }}, this is {{agent.name}}. {{nothing}}',
    )
    for (const [actor, responseId, ticketId] of [
      [acme.agent, id, globex.ticketId],
      [acme.agent, id, randomUUID()],
      [acme.agent, randomUUID(), acme.ticketId],
      [globex.agent, id, globex.ticketId],
    ] as const) {
      expect(await stage.refuses(actor, use, [responseId, ticketId])).toBe('AD101')
    }
    expect(await stage.refuses(acme.customer, use, [id, acme.ticketId])).toBe('42501')

    expect(await usesOf(id)).toEqual([0])
    const before = await value<number>(superuser, 'select count(*)::int from app_public.audit_log')
    expect(await stage.does(acme.agent, use, [id, acme.ticketId])).toBe(
      'Hello customer, this is agent of acme. ',
    )
    await stage.does(acme.agent, use, [id, acme.ticketId])
    await stage.does(acme.manager, use, [id, acme.ticketId])
    expect(await usesOf(id)).toEqual([3])
    // A use is no change of anything that is audited.
    expect(await value(superuser, 'select count(*)::int from app_public.audit_log')).toBe(before)
  })

  test('that was used longer than a year ago counts no more, and an archived one is not used', async () => {
    const { acme, superuser } = stage
    const id = await makeResponse('Long ago')
    await stage.does(acme.agent, use, [id, acme.ticketId])
    await superuser.query(
      `update app_private.canned_response_uses set month = month - interval '13 months' where canned_response_id = $1`,
      [id],
    )
    expect(await usesOf(id)).toEqual([0])
    await stage.does(
      acme.manager,
      'update app_public.canned_responses set archived_at = now() where id = $1 returning id',
      [id],
    )
    expect(await stage.refuses(acme.agent, use, [id, acme.ticketId])).toBe('AD101')
    expect(await stage.sees(acme.agent, search, [acme.ticketId, 'long ago'])).toEqual([])
  })
})

describe('looking for canned responses', () => {
  beforeAll(async () => {
    await makeResponse('Refund is on its way', 'The money comes back.', 'Billing/Refunds')
    await makeResponse('A refund was declined', 'Sadly no.', 'Billing/Refunds')
    await makeResponse('Certificate expired', 'Renew it, {{requester.first_name}}, and restart.', 'Gates')
  })

  test('finds nothing for a ticket one does not see', async () => {
    for (const ticketId of [stage.globex.ticketId, randomUUID()]) {
      expect(await stage.sees(stage.acme.agent, search, [ticketId, 'refund'])).toEqual([])
    }
    expect(await stage.refuses(stage.acme.customer, search, [stage.acme.ticketId, 'refund'])).toBe('42501')
  })

  test('finds words in title, folder and text, and titles with a typo', async () => {
    const found = (words: string) => stage.sees(stage.acme.agent, search, [stage.acme.ticketId, words])
    expect(await found('REFUND')).toEqual(['Refund is on its way', 'A refund was declined'])
    expect(await found('billing money')).toEqual(['Refund is on its way'])
    expect(await found('restart gates')).toEqual(['Certificate expired'])
    expect(await found('certifcate')).toEqual(['Certificate expired'])
    expect(await found('refund restart')).toEqual([])
  })

  test('puts what is used most first, and fills in the text', async () => {
    const { agent, ticketId } = stage.acme
    const id = await value<string>(
      stage.superuser,
      `select id from app_public.canned_responses where title = 'Certificate expired'`,
    )
    await stage.does(agent, use, [id, ticketId])
    for (let count = 0; count < 9; count += 1) await stage.does(agent, use, [id, ticketId])
    const [first] = await stage.sees(
      agent,
      'select to_jsonb(match) from app_public.search_canned_responses($1) as match',
      [ticketId],
    )
    expect(first).toEqual({
      canned_response_id: id,
      folder: 'Gates',
      title: 'Certificate expired',
      visibility: 'shared',
      filled_body: 'Renew it, customer, and restart.',
      uses: 10,
    })
  })
})

describe('a macro', () => {
  test('that does nothing, or what cannot be done, is not made', async () => {
    const create = `select app_public.create_macro('A name', $1)`
    for (const [actions, code] of [
      [[], '23514'],
      [{}, 'AD117'],
      [[{ type: 'explode' }], 'AD117'],
      [[{ type: 'set_priority', priority: 'enormous' }], 'AD117'],
      [[{ type: 'comment', visibility: 'public', body: ' ' }], 'AD117'],
    ] as const) {
      expect(await stage.refuses(stage.acme.agent, create, [JSON.stringify(actions)])).toBe(code)
    }
    const id = await makeMacro([{ type: 'raise_priority' }])
    expect(
      await stage.refuses(
        stage.acme.manager,
        `update app_public.macros set actions = '[{"type": "x"}]' where id = $1`,
        [id],
      ),
    ).toBe('AD117')
  })

  test('is not done by a customer, to a ticket one does not see, or of another organization', async () => {
    const { acme, globex } = stage
    const id = await makeMacro([{ type: 'raise_priority' }])
    expect(await stage.refuses(acme.customer, apply, [id, acme.ticketId])).toBe('42501')
    expect(await stage.refuses(acme.agent, apply, [id, globex.ticketId])).toBe('AD101')
    expect(await stage.refuses(acme.agent, apply, [randomUUID(), acme.ticketId])).toBe('AD101')
    expect(await stage.refuses(globex.agent, apply, [id, globex.ticketId])).toBe('AD101')
    expect(await stage.sees(acme.agent, preview, [id, globex.ticketId])).toEqual([])
    expect(await stage.sees(globex.agent, preview, [id, globex.ticketId])).toEqual([])
  })

  test('says what it would do, does it in the name of whoever applies it, and is counted', async () => {
    const { agent, teamId } = stage.acme
    const ticketId = await openTicket()
    const id = await makeMacro([
      { type: 'raise_priority' },
      { type: 'set_status', status: 'pending' },
      { type: 'set_team', team_id: teamId },
      { type: 'assign_to_me' },
      { type: 'add_tags', tags: ['Gate', 'certificate'] },
      {
        type: 'comment',
        visibility: 'public',
        body: 'Hello {{requester.first_name}}, about {{ticket.subject}}: done.',
      },
    ])
    expect(await stage.sees(agent, preview, [id, ticketId])).toEqual([
      { type: 'raise_priority', value: 'high' },
      { type: 'set_status', value: 'pending' },
      { type: 'set_team', value: 'Network' },
      { type: 'assign_to_me', value: 'agent of acme' },
      { type: 'add_tags', value: 'Gate, certificate' },
      { type: 'comment', visibility: 'public', text: 'Hello customer, about The gate stays shut: done.' },
    ])
    expect(
      await stage.sees(agent, 'select priority from app_public.tickets where id = $1', [ticketId]),
    ).toEqual(['normal'])

    expect(await stage.does(agent, apply, [id, ticketId])).toMatchObject({
      priority: 'high',
      status: 'pending',
      assignee_id: agent.userId,
      tags: ['certificate', 'gate'],
    })
    expect(
      await stage.sees(
        agent,
        `select to_jsonb(comment) from app_public.comments as comment where ticket_id = $1 and author_id = $2`,
        [ticketId, agent.userId],
      ),
    ).toMatchObject([{ body: 'Hello customer, about The gate stays shut: done.', visibility: 'public' }])
    expect(
      await stage.sees(
        agent,
        `select distinct actor_id from app_public.ticket_events where ticket_id = $1 and type not in ('ticket_created', 'sla_met')`,
        [ticketId],
      ),
    ).toEqual([agent.userId])
    expect(
      await stage.sees(
        agent,
        'select app_public.macros_uses(macro) from app_public.macros as macro where id = $1',
        [id],
      ),
    ).toEqual([1])
  })

  test('is done all or nothing, and a refused one is not counted', async () => {
    const { agent } = stage.acme
    const ticketId = await openTicket()
    const id = await makeMacro([
      { type: 'raise_priority' },
      { type: 'set_assignee', assignee_id: stage.acme.customer.userId },
    ])
    expect(await stage.refuses(agent, apply, [id, ticketId])).toBe('AD103')
    expect(
      await stage.sees(agent, 'select priority from app_public.tickets where id = $1', [ticketId]),
    ).toEqual(['normal'])
    expect(
      await stage.sees(
        agent,
        'select app_public.macros_uses(macro) from app_public.macros as macro where id = $1',
        [id],
      ),
    ).toEqual([0])
  })

  test('is done to many tickets, and tells of each', async () => {
    const { acme, globex } = stage
    const [one, two] = [await openTicket(), await openTicket()]
    const id = await makeMacro([{ type: 'raise_priority' }])
    const results = await stage.does<{ ticket_id: string; changed: boolean; code: string | null }[]>(
      acme.agent,
      'select jsonb_agg(result) from app_public.apply_macro_to_tickets($1, $2) as result',
      [id, [one, two, globex.ticketId]],
    )
    expect(
      Object.fromEntries(results.map(({ ticket_id, changed, code }) => [ticket_id, [changed, code]])),
    ).toEqual({
      [one]: [true, null],
      [two]: [true, null],
      [globex.ticketId]: [false, 'AD101'],
    })
    expect(
      await stage.sees(
        acme.agent,
        'select app_public.macros_uses(macro) from app_public.macros as macro where id = $1',
        [id],
      ),
    ).toEqual([2])
  })
})
