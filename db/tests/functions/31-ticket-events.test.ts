import { describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { loginsOn } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { refusal, sqlState } from '../support/refusals.ts'
import { asRole, asRoleForGood, committed, rolledBack } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { createTicket } from '../support/tickets.ts'

const stage = setStage()
const { newcomer } = loginsOn(stage)

describe('events', () => {
  async function eventsAfter(sql: string, values: unknown[] = []) {
    return asRole(stage.server, stage.acme.agent, async () => {
      const ticket = await createTicket(stage.server, { requester_id: stage.acme.customer.userId })
      await stage.server.query(`${sql} where id = $1`, [ticket.id, ...values])
      const { rows } = await stage.server.query<{
        type: string
        visibility: string
        before: unknown
        after: unknown
        actor_id: string
      }>(
        `select type, visibility, before, after, actor_id from app_public.ticket_events
        where ticket_id = $1 and type not in ('ticket_created', 'sla_met') order by type`,
        [ticket.id],
      )
      for (const { actor_id } of rows) expect(actor_id).toBe(stage.acme.agent.userId)
      return rows.map(({ type, visibility, before, after }) => ({ type, visibility, before, after }))
    })
  }

  test.each<[string, string, () => unknown[], () => unknown]>([
    [
      'the subject',
      'subject = $2',
      () => ['Still no network'],
      () => ({
        type: 'subject_changed',
        visibility: 'public',
        before: { subject: 'No network' },
        after: { subject: 'Still no network' },
      }),
    ],
    [
      'the status',
      'status = $2',
      () => ['pending'],
      () => ({
        type: 'status_changed',
        visibility: 'public',
        before: { status: 'new', state_id: expect.any(String) as string, state_name: null },
        after: { status: 'pending', state_id: expect.any(String) as string, state_name: null },
      }),
    ],
    [
      'the priority',
      'priority = $2',
      () => ['urgent'],
      () => ({
        type: 'priority_changed',
        visibility: 'internal',
        before: { priority: 'normal' },
        after: { priority: 'urgent' },
      }),
    ],
    [
      'the team',
      'team_id = $2',
      () => [stage.acme.teamId],
      () => ({
        type: 'team_changed',
        visibility: 'internal',
        before: { team_id: null, team_name: null },
        after: { team_id: stage.acme.teamId, team_name: 'Network' },
      }),
    ],
    [
      'the service',
      'service_id = $2',
      () => [stage.acme.serviceId],
      () => ({
        type: 'service_changed',
        visibility: 'internal',
        before: { service_id: null, service_name: null },
        after: { service_id: stage.acme.serviceId, service_name: 'VPN' },
      }),
    ],
    [
      'the assignee',
      'assignee_id = $2',
      () => [stage.acme.agent.userId],
      () => ({
        type: 'assignee_changed',
        visibility: 'internal',
        before: { assignee_id: null, assignee_name: null },
        after: { assignee_id: stage.acme.agent.userId, assignee_name: 'agent of acme' },
      }),
    ],
  ])('tell what happened to %s, before and after', async (_name, assignment, values, event) => {
    expect(await eventsAfter(`update app_public.tickets set ${assignment}`, values())).toEqual([event()])
  })

  test('are one for each thing that changed', async () => {
    const events = await eventsAfter(
      `update app_public.tickets set subject = 'b', status = 'open', priority = 'low', assignee_id = $2`,
      [stage.acme.agent.userId],
    )
    expect(events.map(({ type }) => type)).toEqual([
      'subject_changed',
      'status_changed',
      'priority_changed',
      'assignee_changed',
    ])
  })

  test('are none when nothing changed', async () => {
    expect(
      await eventsAfter(
        'update app_public.tickets set subject = subject, status = status, priority = priority, team_id = team_id',
      ),
    ).toEqual([])
  })
})

describe('listeners', () => {
  const channelsOf = (ticketId: string) => ({
    staff: `ticket:${ticketId}:staff`,
    inbox: `inbox:${stage.acme.organizationId}`,
    requester: `requester:${stage.acme.customer.userId}`,
    otherRequester: `requester:${stage.acme.neighbour.userId}`,
    otherInbox: `inbox:${stage.globex.organizationId}`,
  })

  /** The types of the events heard on each channel. */
  async function heard(ticketId: string, work: () => Promise<unknown>) {
    const channels = channelsOf(ticketId)
    const listener = await stage.open(stage.database.serverUrl)
    const payloads = await heardWhile(listener, Object.values(channels), work)
    for (const payload of Object.values(payloads).flat()) {
      // Identifiers only: whoever listens reads the rest as who they are.
      expect(Object.keys(payload).toSorted()).toEqual(['event', 'eventId', 'ticketId'])
      expect(payload.ticketId).toBe(ticketId)
    }
    return Object.fromEntries(
      Object.entries(channels).map(([name, channel]) => [name, payloads[channel]!.map(({ event }) => event)]),
    )
  }

  const update = (assignment: string, values: unknown[] = []) =>
    asRoleForGood(stage.server, stage.acme.agent, () =>
      stage.server.query(`update app_public.tickets set ${assignment} where id = $1`, [
        stage.acme.ticketId,
        ...values,
      ]),
    )

  test('in public hear nothing of what is internal', async () => {
    expect(
      await heard(stage.acme.ticketId, () =>
        update(`priority = 'low', team_id = null, assignee_id = $2`, [stage.acme.agent.userId]),
      ),
    ).toEqual({
      staff: ['priority_changed', 'team_changed', 'assignee_changed'],
      inbox: ['priority_changed', 'team_changed', 'assignee_changed'],
      requester: [],
      otherRequester: [],
      otherInbox: [],
    })
  })

  test('in public hear what is public', async () => {
    expect(await heard(stage.acme.ticketId, () => update(`subject = 'Nothing works'`))).toEqual({
      staff: ['subject_changed'],
      inbox: ['subject_changed'],
      requester: ['subject_changed'],
      otherRequester: [],
      otherInbox: [],
    })
  })

  test('hear nothing of what was rolled back', async () => {
    const nothing = await heard(stage.acme.ticketId, () =>
      asRole(stage.server, stage.acme.agent, () =>
        stage.server.query(`update app_public.tickets set subject = 'Never' where id = $1`, [
          stage.acme.ticketId,
        ]),
      ),
    )
    expect(Object.values(nothing).flat()).toEqual([])
  })

  test('take a custom field for nobody, also one that is called like an assignee or a team', async () => {
    const { admin, agent, organizationId } = stage.acme
    const restricted = await newcomer(stage.acme, 'agent')
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      restricted.userId,
    ])
    for (const key of ['assignee_id', 'team_id'])
      await stage.does(admin, `select id from app_public.create_custom_field($1, 'text', $1)`, [key])
    const { id } = await asRoleForGood(stage.server, agent, () => createTicket(stage.server))
    const fill = (value: string) =>
      stage.does(agent, 'update app_public.tickets set custom_fields = $2 where id = $1 returning id', [
        id,
        { assignee_id: value, team_id: value },
      ])
    const listener = await stage.open(stage.database.serverUrl)
    const channels = [`inbox:${organizationId}`, `agent:${restricted.userId}`]
    const heard = await heardWhile(listener, channels, async () => {
      await fill('ours')
      await fill(restricted.userId)
      await fill('theirs')
    })
    expect(channels.map((channel) => heard[channel]!.length)).toEqual([3, 0])
  })

  test('can find the event by its identifier', async () => {
    const listener = await stage.open(stage.database.serverUrl)
    const channel = `inbox:${stage.acme.organizationId}`
    const payloads = await heardWhile(listener, [channel], () => update(`subject = 'One more time'`))
    const [{ eventId }] = payloads[channel] as [{ event: string; eventId?: unknown }]
    expect(
      await value(stage.superuser, `select after ->> 'subject' from app_public.ticket_events where id = $1`, [
        eventId,
      ]),
    ).toBe('One more time')
  })
})

describe('jobs', () => {
  test('without an organization are refused', async () => {
    const owner = await stage.open(stage.database.ownerUrl)
    expect(await sqlState(owner.query(`select app_private.enqueue('send_mail', null)`))).toBe('AD301')
  })

  test('are added by nobody who asks from outside', async () => {
    for (const actor of [
      stage.acme.customer,
      stage.acme.agent,
      stage.acme.admin,
      { role: 'atum_anonymous' } as const,
    ]) {
      await asRole(stage.server, actor, async () => {
        expect(
          await refusal(stage.server, `select app_private.enqueue('send_mail', $1)`, [
            stage.acme.organizationId,
          ]),
        ).toBe('42501')
        expect(await refusal(stage.server, `select graphile_worker.add_job('send_mail')`)).toBe('42501')
      })
    }
  })

  test('are in the transaction, carry the organization, and move when their key is used again', async () => {
    const worker = await stage.open(stage.database.workerUrl)
    const jobs = () =>
      stage.superuser
        .query(
          `select payload, max_attempts, run_at = '2030-01-02Z' as moved from graphile_worker._private_jobs where key = 'the key'`,
        )
        .then(({ rows }) => rows)
    const enqueue = (runAt: string) =>
      worker.query(
        `select app_private.enqueue('send_mail', $1, '{"mailId": 1}', run_at => $2, job_key => 'the key', max_attempts => 7)`,
        [stage.acme.organizationId, runAt],
      )
    await rolledBack(worker, () => enqueue('2030-01-01Z'))
    expect(await jobs()).toEqual([])
    await committed(worker, () => enqueue('2030-01-01Z'))
    await committed(worker, () => enqueue('2030-01-02Z'))
    expect(await jobs()).toEqual([
      { payload: { mailId: 1, organizationId: stage.acme.organizationId }, max_attempts: 7, moved: true },
    ])
  })
})
