import { beforeEach, describe, expect, test } from 'vitest'
import { noticesOf } from '../support/notices.ts'
import { heardWhile } from '../support/notifications.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { announce, hear, person, record } = noticesOf(stage)

/** Of the customer, in the team of the agent, and assigned to nobody. */
let ticketId: string

const open = (subject: string) =>
  stage.does<string>(
    stage.acme.customer,
    'select id from app_public.create_ticket($1, $2, service_id => $3)',
    [subject, 'It does not work', stage.acme.serviceId],
  )

const assign = (assigneeId: string | null, actor = stage.acme.manager) =>
  stage.does(
    actor,
    'with changed as (update app_public.tickets set assignee_id = $2 where id = $1 returning 1) select count(*) from changed',
    [ticketId, assigneeId],
  )

const setStatus = (status: string, actor = stage.acme.manager) =>
  stage.does(
    actor,
    'with changed as (update app_public.tickets set status = $2 where id = $1 returning 1) select count(*) from changed',
    [ticketId, status],
  )

const say = (actor: Parameters<typeof stage.does>[0], body: string, visibility = 'public', more = '') =>
  stage.does(actor, `select id from app_public.add_comment($1, $2, $3 ${more})`, [ticketId, body, visibility])

const watch = (userId: string) =>
  stage.does(stage.acme.admin, 'select id from app_public.watch_ticket($1, $2)', [ticketId, userId])

beforeEach(async () => {
  ticketId = await open('No network')
})

describe('nobody is told', () => {
  test('of what they did themselves', async () => {
    const { agent, customer } = stage.acme
    await assign(agent.userId)
    await watch(agent.userId)
    expect(await hear(ticketId, () => say(agent, 'A note', 'internal'))).toEqual({})
    expect(await hear(ticketId, () => say(customer, 'And again'))).toEqual({
      agent: 'reply: assignee watcher',
    })
    expect(await hear(ticketId, () => assign(stage.acme.manager.userId))).toEqual({})
  })

  test('who may not see the ticket', async () => {
    const { agent, customer, manager } = stage.acme
    const outsider = await person('outsider', 'agent')
    await watch(outsider.userId)
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      outsider.userId,
    ])
    await assign(agent.userId)
    expect(await hear(ticketId, () => say(customer, 'It still does not'))).toEqual({
      agent: 'reply: assignee',
    })
    // Whoever was made blind between the fact and its telling is not told either.
    expect(
      await hear(ticketId, async () => {
        await say(manager, 'For you', 'internal', `, mentioned_user_ids => array['${agent.userId}'::uuid]`)
        await stage.superuser.query(`update app_public.users set disabled_at = now() where id = $1`, [
          agent.userId,
        ])
      }),
    ).toEqual({})
    await stage.superuser.query(`update app_public.users set disabled_at = null where id = $1`, [
      agent.userId,
    ])
  })

  test('of what only staff may read, when they are a customer', async () => {
    const { agent, customer, manager } = stage.acme
    await assign(agent.userId)
    expect(await hear(ticketId, () => say(manager, 'The switch again', 'internal'))).toEqual({
      agent: 'note: assignee',
    })
    for (const type of [
      'sla_warned',
      'sla_breached',
      'sla_escalated',
      'attachment_blocked',
      'mail_failed',
      'survey_answered',
    ]) {
      expect(await hear(ticketId, () => record(ticketId, type))).not.toHaveProperty('customer')
    }
    expect(
      await stage.sees(
        customer,
        `select kind from app_public.notifications where facts ->> 'excerpt' like '%switch%'`,
      ),
    ).toEqual([])
  })

  test('the name of a rule, when they are a customer', async () => {
    const { agent, customer, organizationId } = stage.acme
    await assign(agent.userId)
    await stage.superuser.query(
      `begin; set local role atum_owner; set local atum.organization_id = '${organizationId}'; set local atum.actor_name = 'Secret rule';
      update app_public.tickets set status = 'pending' where id = '${ticketId}'; commit`,
    )
    await announce(ticketId)
    const actor = `select facts ->> 'actor_name' from app_public.notifications where ticket_id = '${ticketId}' and kind = 'status_changed'`
    expect(await stage.sees(agent, actor)).toEqual(['Secret rule'])
    expect(await stage.sees(customer, actor)).toEqual([null])
  })

  test('of what concerns nobody', async () => {
    const { agent } = stage.acme
    await assign(agent.userId)
    expect(
      await hear(ticketId, () =>
        stage.does(
          stage.acme.manager,
          `with changed as (update app_public.tickets set priority = 'urgent', tags = '{a}' where id = $1 returning 1) select count(*) from changed`,
          [ticketId],
        ),
      ),
    ).toEqual({})
  })

  test('twice, when a job runs twice', async () => {
    const { agent, customer } = stage.acme
    await assign(agent.userId)
    await say(customer, 'Once')
    const queued = await stage.superuser.query(
      'select * from app_private.announcement_queue where ticket_id = $1',
      [ticketId],
    )
    expect(queued.rowCount).toBeGreaterThan(0)
    await announce(ticketId)
    const count = () =>
      stage.superuser
        .query('select count(*)::int as count from app_public.notifications where ticket_id = $1', [ticketId])
        .then(({ rows }) => (rows as { count: number }[])[0]!.count)
    const first = await count()
    for (const { organization_id, event_id, ticket_id } of queued.rows as Record<string, string>[]) {
      await stage.superuser.query(
        'insert into app_private.announcement_queue (organization_id, event_id, ticket_id) values ($1, $2, $3)',
        [organization_id, event_id, ticket_id],
      )
    }
    await announce(ticketId)
    expect(await count()).toBe(first)
  })
})

describe('a new ticket', () => {
  test('is received from its requester, and told to the team while nobody works on it', async () => {
    await stage.superuser.query('delete from app_public.notifications where ticket_id = $1', [ticketId])
    await announce(ticketId)
    const { rows } = await stage.superuser.query(
      `select split_part(person.name, ' ', 1) as who, kind, reasons::text, is_shown, in_browser, notification.mail
      from app_public.notifications as notification join app_public.users as person on person.id = notification.user_id
      where ticket_id = $1 order by 1`,
      [ticketId],
    )
    expect(rows).toEqual([
      { who: 'agent', kind: 'new_ticket', reasons: '{team}', is_shown: true, in_browser: false, mail: 'off' },
      // Who opened it saw that it was opened; the mail is something to keep.
      {
        who: 'customer',
        kind: 'acknowledgement',
        reasons: '{requester}',
        is_shown: false,
        in_browser: false,
        mail: 'immediate',
      },
    ])
  })

  test('without a team is told to those who look after the desk', async () => {
    const { customer } = stage.acme
    const id = await stage.does<string>(
      customer,
      `select id from app_public.create_ticket('Where to', 'Somewhere')`,
    )
    await announce(id)
    expect(
      await stage.sees(
        stage.acme.manager,
        `select kind || array_to_string(reasons, ' ') from app_public.notifications where ticket_id = '${id}'`,
      ),
    ).toEqual(['new_ticketmanager'])
    expect(
      await stage.sees(
        stage.acme.agent,
        `select kind from app_public.notifications where ticket_id = '${id}'`,
      ),
    ).toEqual([])
  })

  test('that staff opened for a customer is shown to the customer', async () => {
    const { agent, customer, serviceId } = stage.acme
    const id = await stage.does<string>(
      agent,
      `select id from app_public.create_ticket('By telephone', 'You called', service_id => $1, requester_id => $2)`,
      [serviceId, customer.userId],
    )
    await announce(id)
    expect(
      await stage.sees(
        customer,
        `select facts ->> 'actor_name' from app_public.notifications where ticket_id = '${id}'`,
      ),
    ).toEqual(['agent of acme'])
  })

  test('that comes to a team later is told to it then', async () => {
    await stage.superuser.query('update app_public.tickets set team_id = null where id = $1', [ticketId])
    expect(
      await hear(ticketId, () =>
        stage.does(
          stage.acme.manager,
          'with changed as (update app_public.tickets set team_id = $2 where id = $1 returning 1) select count(*) from changed',
          [ticketId, stage.acme.teamId],
        ),
      ),
    ).toEqual({ agent: 'new_ticket: team' })
  })
})

describe('for its own reason', () => {
  test('hears the requester what staff said and what became of it, and whoever is assigned what the requester said', async () => {
    const { agent, customer, manager } = stage.acme
    expect(await hear(ticketId, () => assign(agent.userId))).toEqual({ agent: 'assigned: assignee' })
    expect(await hear(ticketId, () => say(agent, 'We are on it'))).toEqual({ customer: 'reply: requester' })
    expect(await hear(ticketId, () => say(customer, 'Thank you'))).toEqual({ agent: 'reply: assignee' })
    expect(await hear(ticketId, () => setStatus('pending', manager))).toEqual({
      agent: 'status_changed: assignee',
      customer: 'status_changed: requester',
    })
    expect(await hear(ticketId, () => setStatus('resolved', manager))).toEqual({
      agent: 'resolved: assignee',
      customer: 'resolved: requester',
    })
    // For them nothing is new.
    expect(await hear(ticketId, () => setStatus('closed', manager))).toEqual({})
  })

  test('hears the team a question that nobody works on', async () => {
    const { customer, manager } = stage.acme
    expect(await hear(ticketId, () => say(customer, 'Hello?'))).toEqual({ agent: 'reply: team' })
    expect(await hear(ticketId, () => say(manager, 'Between us', 'internal'))).toEqual({})
  })

  test('several at once are one notification', async () => {
    const { agent, manager } = stage.acme
    await assign(agent.userId)
    await watch(agent.userId)
    expect(
      await hear(ticketId, () =>
        say(manager, 'Look at this', 'internal', `, mentioned_user_ids => array['${agent.userId}'::uuid]`),
      ),
    ).toEqual({ agent: 'mention: assignee watcher mention' })
  })

  test('hear approvers that they are asked, and who asked what they said', async () => {
    const { agent, manager, neighbour } = stage.acme
    const ask = (who: string) =>
      stage.does<string>(
        agent,
        `select id from app_public.request_approval($1, 'A laptop?', array[$2::uuid])`,
        [ticketId, who],
      )
    let approvalId = ''
    expect(
      await hear(ticketId, async () => {
        approvalId = await ask(manager.userId)
      }),
    ).toEqual({ manager: 'approval: approver' })
    expect(
      await hear(ticketId, () =>
        stage.does(manager, `select state from app_public.decide_approval($1, 'declined')`, [approvalId]),
      ),
    ).toEqual({ agent: 'approval: approver' })
    expect(
      await stage.sees(
        agent,
        `select facts ->> 'decision' || ': ' || (facts ->> 'question') from app_public.notifications
        where ticket_id = '${ticketId}' and kind = 'approval'`,
      ),
    ).toEqual(['declined: A laptop?'])

    // A customer who decides for the company does not see the ticket, and is asked all the same.
    await stage.superuser.query(`update app_public.users set manages_company = true where id = $1`, [
      neighbour.userId,
    ])
    await stage.superuser.query(
      `update app_public.tickets set company_id = (select company_id from app_public.users where id = $2) where id = $1`,
      [ticketId, neighbour.userId],
    )
    expect(await hear(ticketId, () => ask(neighbour.userId))).toEqual({ neighbour: 'approval: approver' })
    await stage.superuser.query(`update app_public.users set manages_company = false where id = $1`, [
      neighbour.userId,
    ])
  })

  test('hear of promised times who works on it and, when they are over, who looks after the desk', async () => {
    const { agent } = stage.acme
    await assign(agent.userId)
    expect(await hear(ticketId, () => record(ticketId, 'sla_warned', { kind: 'resolution' }))).toEqual({
      agent: 'sla_warning: assignee',
    })
    for (const type of ['sla_breached', 'sla_escalated']) {
      expect(await hear(ticketId, () => record(ticketId, type, { kind: 'resolution' }))).toEqual({
        admin: 'sla_breach: admin',
        agent: 'sla_breach: assignee',
        manager: 'sla_breach: manager',
      })
    }
    await assign(null)
    expect(await hear(ticketId, () => record(ticketId, 'sla_warned', { kind: 'resolution' }))).toEqual({
      agent: 'sla_warning: team',
    })
  })

  test('hears who works on it of files, mails and ratings', async () => {
    const { agent } = stage.acme
    await assign(agent.userId)
    expect(await hear(ticketId, () => record(ticketId, 'mail_failed'))).toEqual({
      agent: 'problem: assignee',
    })
    expect(await hear(ticketId, () => record(ticketId, 'attachment_blocked', { name: 'x.exe' }))).toEqual({
      agent: 'problem: assignee',
    })
    expect(await hear(ticketId, () => record(ticketId, 'survey_answered', { score: 2 }))).toEqual({
      agent: 'rating: assignee',
    })
  })

  test.for([
    ['requester', { customer: 'notice: requester' }],
    ['assignee', { agent: 'notice: assignee' }],
    ['team', { agent: 'notice: team' }],
    ['watchers', { watcher: 'notice: watcher' }],
    ['managers', { admin: 'notice: admin', manager: 'notice: manager' }],
  ] as const)('a rule tells the %s', async ([to, expected]) => {
    if (to === 'assignee') await assign(stage.acme.agent.userId)
    if (to === 'watchers') await watch((await person('watcher', 'agent')).userId)
    expect(await hear(ticketId, () => record(ticketId, 'notice_sent', { to, text: 'Look' }))).toEqual(
      expected,
    )
  })
})

describe('what is done in one save', () => {
  test('is told once, with the words', async () => {
    const { agent, customer } = stage.acme
    await assign(agent.userId)
    expect(await hear(ticketId, () => say(agent, 'Done', 'public', `, status => 'resolved'`))).toEqual({
      customer: 'reply: requester',
    })
    expect(await hear(ticketId, () => say(customer, 'It is not'))).toEqual({ agent: 'reply: assignee' })
    expect(
      await stage.sees(
        agent,
        `select facts from app_public.notifications where ticket_id = '${ticketId}' and kind = 'reply'`,
      ),
    ).toMatchObject([
      { excerpt: 'It is not', status: 'open', actor_name: 'customer of acme', subject: 'No network' },
    ])
  })

  test('a merged ticket is not told to be closed', async () => {
    const target = await open('The same')
    expect(
      await hear(ticketId, () =>
        stage.does(stage.acme.agent, 'select id from app_public.merge_ticket($1, $2)', [ticketId, target]),
      ),
    ).toEqual({})
  })

  test('every type of event can be told, whatever it says', async () => {
    const { rows } = await stage.superuser.query<{ type: string }>(
      `select unnest(enum_range(null::app_public.ticket_event_type))::text as type`,
    )
    for (const { type } of rows.filter((row) => !['comment_added', 'ticket_created'].includes(row.type))) {
      await record(
        ticketId,
        type,
        type.startsWith('approval') ? { approval_id: null } : { to: 7, text: null, kind: [] },
      )
    }
    await announce(ticketId)
    expect(
      (
        await stage.superuser.query('select from app_private.announcement_queue where ticket_id = $1', [
          ticketId,
        ])
      ).rowCount,
    ).toBe(0)
  })
})

describe('reading', () => {
  const unread = (actor = stage.acme.agent) =>
    stage.sees(actor, 'select app_public.unread_notification_count()').then(([count]) => count as number)
  const newest = async (actor = stage.acme.agent) =>
    (await stage.sees(actor, 'select id from app_public.notifications order by id desc limit 1'))[0] as string

  beforeEach(async () => {
    await stage.superuser.query('delete from app_public.notifications')
    await announce(ticketId)
    await assign(stage.acme.agent.userId)
    await announce(ticketId)
  })

  test('is refused to strangers and of what others were told', async () => {
    const { manager, customer } = stage.acme
    const id = await newest()
    expect(await stage.refuses(customer, 'select app_public.mark_notification_read($1)', [id])).toBe('AD101')
    const mark = 'select id from app_public.mark_notification_read($1)'
    for (const actor of [manager, stage.globex.agent]) {
      expect(await stage.refuses(actor, mark, [id])).toBe('AD101')
      expect(
        await stage.does(actor, 'select app_public.mark_ticket_notifications_read($1)', [ticketId]),
      ).toBe(0)
    }
    for (const call of [
      `mark_notification_read('${id}')`,
      'mark_all_notifications_read()',
      'unread_notification_count()',
    ]) {
      expect(await stage.refuses({ role: 'atum_anonymous' }, `select app_public.${call}`)).toBe('42501')
    }
    expect(await unread()).toBe(2)
  })

  test('one, all of a ticket, or all until an instant counts down', async () => {
    const { agent } = stage.acme
    expect(await unread()).toBe(2)
    await stage.does(agent, 'select id from app_public.mark_notification_read($1)', [await newest()])
    expect(await unread()).toBe(1)
    expect(await stage.does(agent, 'select app_public.mark_ticket_notifications_read($1)', [ticketId])).toBe(
      1,
    )
    expect(await unread()).toBe(0)
    await stage.superuser.query('update app_public.notifications set read_at = null')
    expect(
      await stage.does(agent, `select app_public.mark_all_notifications_read(now() - interval '1 hour')`),
    ).toBe(0)
    expect(await stage.does(agent, 'select app_public.mark_all_notifications_read()')).toBe(2)
    expect(await stage.does(agent, 'select app_public.mark_all_notifications_read()')).toBe(0)
  })

  test('counts to a hundred', async () => {
    await stage.superuser.query(
      `insert into app_public.notifications (organization_id, user_id, kind, reasons, dedupe_key)
      select $1, $2, 'alert', '{admin}', 'many:' || number from generate_series(1, 150) as number`,
      [stage.acme.organizationId, stage.acme.agent.userId],
    )
    expect(await unread()).toBe(100)
  })

  test('ends when its reader becomes a customer, or loses sight of the ticket', async () => {
    const { agent, manager, customer } = stage.acme
    await say(manager, 'He lies', 'internal')
    await say(manager, 'Turn it on')
    await announce(ticketId)
    const shown = (actor: Parameters<typeof stage.sees>[0]) =>
      stage.sees(actor, `select kind::text from app_public.notifications order by id`)
    const change = (to: string) =>
      stage.superuser.query(`update app_public.users set ${to} where id = $1`, [agent.userId])
    const mark = 'select app_public.mark_notification_read($1)'
    const id = await newest()
    const told = ['new_ticket', 'assigned', 'note', 'reply']
    expect(await shown(agent)).toEqual(told)

    await change(`role = 'customer'`)
    const asCustomer = { ...agent, role: 'atum_customer' as const }
    expect(await shown(asCustomer)).toEqual([])
    expect(await stage.sees(asCustomer, 'select app_public.unread_notification_count()')).toEqual([0])
    expect(await stage.refuses(asCustomer, mark, [id])).toBe('AD101')
    expect(await shown(customer)).toEqual(['reply'])

    await change(`role = 'agent', restricted_to_teams = true`)
    expect(await shown(agent)).toEqual(told)
    await stage.superuser.query(
      'update app_public.tickets set team_id = null, assignee_id = null where id = $1',
      [ticketId],
    )
    expect(await shown(agent)).toEqual([])
    expect(await unread()).toBe(0)
    expect(await stage.refuses(agent, mark, [id])).toBe('AD101')
    await change('restricted_to_teams = false')
    expect(await shown(agent)).toEqual(told)
  })

  test('is heard in the other windows of the same person, and nowhere else', async () => {
    const { agent, manager, customer } = stage.acme
    const listener = await stage.open(stage.database.superuserUrl)
    const mine = `notifications:${agent.userId}`
    const theirs = `notifications:${manager.userId}`
    const heard = await heardWhile(listener, [mine, theirs, `notifications:${customer.userId}`], async () => {
      await say(customer, 'One more')
      await announce(ticketId)
      await stage.does(agent, 'select app_public.mark_all_notifications_read()')
      // There was nothing left to read.
      await stage.does(agent, 'select app_public.mark_all_notifications_read()')
    })
    expect(heard).toEqual({
      [mine]: [{ event: 'added', notificationId: await newest() }, { event: 'read' }],
      [theirs]: [],
      [`notifications:${customer.userId}`]: [],
    })
  })

  test('what is older than 90 days is forgotten', async () => {
    const { worker } = stage.acme
    await stage.superuser.query(
      `update app_public.notifications set created_at = now() - interval '91 days' where id = $1`,
      [await newest()],
    )
    expect(
      await stage.refuses({ role: 'atum_worker' }, 'select app_private.remove_old_notifications()'),
    ).toBe('AD301')
    expect(
      await stage.does({ ...stage.globex.worker }, 'select app_private.remove_old_notifications()'),
    ).toBe(0)
    expect(await stage.does(worker, 'select app_private.remove_old_notifications()')).toBe(1)
    expect(await unread()).toBe(1)
  })
})

describe('an alert', () => {
  const alert = (key: string, word = 'scanner_away', facts: object | null = { waiting: 3 }) =>
    stage.does(
      { role: 'atum_owner', organizationId: stage.acme.organizationId },
      'select 1 from (select app_private.alert_admins($1, $2, $3)) as alerted',
      [word, facts, key],
    )
  const alerts = (key: string) =>
    stage.superuser
      .query<{ email: string }>(
        `select person.email from app_public.notifications as notification
        join app_public.users as person on person.id = notification.user_id where dedupe_key = $1`,
        [key],
      )
      .then(({ rows }) => rows.map(({ email }) => email))

  test('of an unknown word is a fault', async () => {
    await expect(alert('a', 'fire')).rejects.toThrow('there is no alert fire')
  })

  test('goes to the admins of its organization, once for each key', async () => {
    await alert('scanner_away:1')
    await alert('scanner_away:1')
    expect(await alerts('scanner_away:1')).toEqual(['admin@acme.test'])
    await alert('scanner_away:2')
    expect(await alerts('scanner_away:2')).toEqual(['admin@acme.test'])
  })

  test('leads to the ticket it names, where there is one', async () => {
    await alert('named', 'mail_failed', { ticket_id: ticketId })
    await alert('gone', 'mail_failed', { ticket_id: stage.globex.ticketId })
    await alert('nonsense', 'mail_failed', { ticket_id: 'x' })
    await alert('nothing', 'mail_failed', null)
    const { rows } = await stage.superuser.query(
      `select dedupe_key, ticket_id from app_public.notifications where dedupe_key in ('named', 'gone', 'nonsense', 'nothing') order by 1`,
    )
    expect(rows).toEqual([
      { dedupe_key: 'gone', ticket_id: null },
      { dedupe_key: 'named', ticket_id: ticketId },
      { dedupe_key: 'nonsense', ticket_id: null },
      { dedupe_key: 'nothing', ticket_id: null },
    ])
  })
})
