import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, touches } = stage
const staff = () => [stage.acme.agent, stage.acme.manager, stage.acme.admin]
const everybody = () => [stage.acme.customer, ...staff()]

const open = `select app_public.create_ticket('x', 'y', requester_id => $1, service_id => $2)`

describe('nobody', () => {
  test.each(['tickets', 'ticket_events'])('who is not logged in reads %s', async (table) => {
    for (const role of ['atum_anonymous', 'atum_server', 'atum_worker', 'atum_reporting'] as const) {
      expect(
        await refuses(
          { role, organizationId: stage.acme.organizationId, userId: stage.acme.admin.userId },
          `select id from app_public.${table}`,
        ),
      ).toBe('42501')
    }
    for (const { role } of everybody()) {
      expect(await sees({ role }, `select id from app_public.${table}`)).toEqual([])
      // A user without an organization is nobody, and so is an organization without a user for those who see only their own.
      expect(
        await sees({ role, userId: stage.acme.customer.userId }, `select id from app_public.${table}`),
      ).toEqual([])
    }
    expect(
      await sees(
        { role: 'atum_customer', organizationId: stage.acme.organizationId },
        `select id from app_public.${table}`,
      ),
    ).toEqual([])
  })

  test('deletes', async () => {
    for (const actor of [...everybody(), stage.acme.worker]) {
      for (const table of ['tickets', 'ticket_events']) {
        expect(await refuses(actor, `delete from app_public.${table}`)).toBe('42501')
        expect(await refuses(actor, `truncate app_public.${table} cascade`)).toBe('42501')
      }
    }
  })

  test('writes a ticket past create_ticket', async () => {
    for (const actor of everybody()) {
      expect(
        await refuses(
          actor,
          `insert into app_public.tickets (organization_id, subject, channel, requester_id, created_by_id) values ($1, 'x', 'desk', $2, $2)`,
          [actor.organizationId, actor.userId],
        ),
      ).toBe('42501')
    }
  })

  test('writes history', async () => {
    for (const actor of everybody()) {
      expect(
        await refuses(
          actor,
          `insert into app_public.ticket_events (organization_id, ticket_id, type, visibility) values ($1, $2, 'sla_met', 'public')`,
          [stage.acme.organizationId, stage.acme.ticketId],
        ),
      ).toBe('42501')
      expect(await refuses(actor, `update app_public.ticket_events set visibility = 'public'`)).toBe('42501')
    }
  })
})

describe('a ticket of another organization', () => {
  test('is not there for anybody', async () => {
    for (const actor of everybody()) {
      expect(
        await sees(actor, 'select id from app_public.tickets where id = $1', [stage.globex.ticketId]),
      ).toEqual([])
      expect(
        await sees(actor, 'select count(*)::int from app_public.tickets where organization_id <> $1', [
          stage.acme.organizationId,
        ]),
      ).toEqual([0])
      expect(
        await sees(actor, 'select count(*)::int from app_public.ticket_events where organization_id <> $1', [
          stage.acme.organizationId,
        ]),
      ).toEqual([0])
    }
  })

  test('is not changed by anybody', async () => {
    for (const actor of staff()) {
      expect(
        await touches(actor, `update app_public.tickets set subject = 'x' where id = $1`, [
          stage.globex.ticketId,
        ]),
      ).toBe(0)
      expect(
        await touches(actor, `update app_public.tickets set subject = 'x' where organization_id = $1`, [
          stage.globex.organizationId,
        ]),
      ).toBe(0)
    }
  })

  test('is not opened by anybody', async () => {
    const { globex } = stage
    for (const actor of everybody()) {
      const forged = { ...actor, organizationId: globex.organizationId }
      // Nobody of this id is there.
      expect(await refuses(forged, open, [null, null])).toBe('23503')
    }
  })
})

describe('a customer', () => {
  test('sees the own tickets and no other', async () => {
    const { acme } = stage
    expect(await sees(acme.customer, 'select id from app_public.tickets')).toEqual([acme.ticketId])
    expect(await sees(acme.neighbour, 'select id from app_public.tickets')).toEqual([acme.neighbourTicketId])
  })

  test('sees of their history what is public, and none of other tickets', async () => {
    const { acme } = stage
    expect(await sees(acme.customer, 'select distinct ticket_id from app_public.ticket_events')).toEqual([
      acme.ticketId,
    ])
    expect(await sees(acme.customer, 'select distinct visibility from app_public.ticket_events')).toEqual([
      'public',
    ])
    expect(await sees(acme.customer, 'select type from app_public.ticket_events order by type')).toEqual([
      'ticket_created',
      'comment_added',
      'status_changed',
      'attachment_added',
    ])
    // There is something to hide: the note of staff, and that a promise was kept.
    expect(
      await sees(
        acme.agent,
        `select type from app_public.ticket_events where ticket_id = $1 and visibility = 'internal' order by type`,
        [acme.ticketId],
      ),
    ).toEqual(['comment_added', 'sla_met'])
  })

  test('changes nothing', async () => {
    for (const column of [
      'subject',
      'status',
      'priority',
      'service_id',
      'team_id',
      'assignee_id',
      'requester_id',
      'breached',
      'number',
    ]) {
      expect(await refuses(stage.acme.customer, `update app_public.tickets set ${column} = ${column}`)).toBe(
        '42501',
      )
    }
    expect(await refuses(stage.acme.customer, `select id from app_public.tickets for update`)).toBe('42501')
  })

  test('opens tickets for the own person, in the own name, through the portal', async () => {
    const { acme } = stage
    expect(await refuses(acme.customer, open, [acme.neighbour.userId, null])).toBe('42501')
    expect(await refuses(acme.customer, open, [acme.agent.userId, null])).toBe('42501')
    const made = await sees(
      acme.customer,
      `select to_jsonb(made) from app_public.create_ticket('x', 'y') as made`,
    )
    expect(made).toMatchObject([
      { requester_id: acme.customer.userId, created_by_id: acme.customer.userId, channel: 'portal' },
    ])
  })

  test('tags nothing, and reads nothing of what staff notes', async () => {
    const { acme } = stage
    expect(await refuses(acme.customer, `select app_public.create_ticket('x', 'y', tags => '{vip}')`)).toBe(
      '42501',
    )
    await stage.superuser.query(
      `insert into app_public.custom_fields (organization_id, key, type, label) values ($1, 'cause', 'text', 'Cause')`,
      [acme.organizationId],
    )
    await stage.does(
      acme.agent,
      `update app_public.tickets
      set tags = '{vip}', internal_fields = '{"cause": "known"}', snoozed_until = now() + interval '1 day'
      where id = $1 returning id`,
      [acme.ticketId],
    )
    for (const column of ['tags', 'internal_fields', 'snoozed_until', 'breached', 'next_due_at']) {
      expect(await refuses(acme.customer, `select ${column} from app_public.tickets`)).toBe('42501')
    }
    const [seen] = await sees(
      acme.customer,
      'select to_jsonb(ticket) from app_public.ticket_by_number(1001) as ticket',
    )
    expect(seen).toMatchObject({ tags: [], internal_fields: {}, snoozed_until: null, next_due_at: null })
    for (const table of [
      'tags',
      'ticket_settings',
      'ticket_watchers',
      'ticket_relationships',
      'ticket_merges',
      'comment_mentions',
    ]) {
      expect(await refuses(acme.customer, `select id from app_public.${table}`)).toBe('42501')
    }
  })

  test.each([
    'id',
    'number',
    'reference',
    'status',
    'team_id',
    'assignee_id',
    'created_at',
    'updated_at',
    'closed_at',
    'breached',
    'next_due_at',
  ])('does not say what %s a new ticket has', async (column) => {
    for (const actor of everybody()) {
      expect(
        await refuses(
          actor,
          `insert into app_public.tickets (organization_id, ${column}) values ($1, null)`,
          [actor.organizationId],
        ),
      ).toBe('42501')
    }
  })
})

describe('staff', () => {
  test('see every ticket of the organization', async () => {
    const { acme } = stage
    for (const actor of staff()) {
      expect((await sees(actor, 'select id from app_public.tickets')).toSorted()).toEqual(
        [acme.ticketId, acme.neighbourTicketId].toSorted(),
      )
    }
  })

  test('open tickets for anybody in it, in their own name', async () => {
    const { acme } = stage
    for (const actor of staff()) {
      expect(
        await sees(
          actor,
          `select to_jsonb(made) from app_public.create_ticket('x', 'y', requester_id => $1) as made`,
          [acme.customer.userId],
        ),
      ).toMatchObject([{ requester_id: acme.customer.userId, created_by_id: actor.userId, channel: 'desk' }])
    }
  })

  test('change them', async () => {
    for (const actor of staff()) {
      expect(
        await touches(
          actor,
          `update app_public.tickets set subject = 'Still no network', priority = 'high', status = 'pending'`,
        ),
      ).toBe(2)
    }
  })

  test('name nobody and nothing of another organization', async () => {
    const { globex } = stage
    for (const actor of staff()) {
      expect(await refuses(actor, open, [globex.customer.userId, null])).toBe('23503')
      expect(await refuses(actor, open, [actor.userId, globex.serviceId])).toBe('23503')
      expect(
        await refuses(actor, 'update app_public.tickets set requester_id = $1', [globex.customer.userId]),
      ).toBe('23503')
      expect(await refuses(actor, 'update app_public.tickets set service_id = $1', [globex.serviceId])).toBe(
        '23503',
      )
      expect(await refuses(actor, 'update app_public.tickets set team_id = $1', [globex.teamId])).toBe(
        '23503',
      )
      expect(
        await refuses(actor, 'update app_public.tickets set assignee_id = $1', [globex.agent.userId]),
      ).toBe('23503')
    }
  })
})

test('the owner names nobody and nothing of another organization either, with claims or without', async () => {
  const { acme, globex } = stage
  for (const owner of [
    { role: 'atum_owner' } as const,
    { role: 'atum_owner', organizationId: acme.organizationId } as const,
  ]) {
    for (const [column, id] of [
      ['service_id', globex.serviceId],
      ['team_id', globex.teamId],
      ['assignee_id', globex.agent.userId],
      ['requester_id', globex.customer.userId],
      ['created_by_id', globex.agent.userId],
    ]) {
      expect(
        await refuses(owner, `update app_public.tickets set ${column} = $1 where id = $2`, [
          id,
          acme.ticketId,
        ]),
      ).toBe('23503')
    }
  }
})
