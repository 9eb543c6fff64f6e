import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connections, value } from '../support/connections.ts'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { type Tenant, twoTenants } from '../support/fixture.ts'
import { refusal, sqlState } from '../support/refusals.ts'
import { type Actor, asRole, asRoleForGood, become, rolledBack } from '../support/session.ts'
import { createTicket, type Ticket } from '../support/tickets.ts'

const open = connections()
let database: TestDatabase
let superuser: Client
/** The login of the web server, which may become the request roles. */
let server: Client
let acme: Tenant
let globex: Tenant

beforeAll(async () => {
  database = await createTestDatabase()
  superuser = await open.open(database.superuserUrl)
  server = await open.open(database.serverUrl)
  const tenants = await twoTenants(superuser)
  acme = tenants.acme
  globex = tenants.globex
})

afterAll(async () => {
  await open.close()
  await database.drop()
})

/** The SQLSTATE with which a ticket was refused; nothing may be left of it. */
async function refused(actor: Actor, values: Record<string, unknown>): Promise<string> {
  const census = () =>
    superuser
      .query(
        `select
          (select count(*) from app_public.tickets) as tickets, (select count(*) from app_public.comments) as comments,
          (select count(*) from app_public.ticket_events) as events, (select count(*) from app_public.sla_calculations) as clocks,
          (select count(*) from app_public.audit_log) as audit, (select sum(last_number) from app_private.ticket_counters) as numbers`,
      )
      .then(({ rows }) => rows[0])
  const before = await census()
  const state = await sqlState(asRoleForGood(server, actor, () => createTicket(server, values)))
  if (state !== 'accepted') expect(await census()).toEqual(before)
  return state
}

describe('a ticket is refused', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['without a subject', { subject: '' }, '23514'],
    ['with a subject of blanks', { subject: ' \t\n ' }, '23514'],
    ['with a subject of 201 characters', { subject: 'ä'.repeat(201) }, '23514'],
    ['with no subject at all', { subject: null }, '23502'],
    ['without a body', { body: '' }, '23514'],
    ['with a body of blanks', { body: ' \n\t ' }, '23514'],
    ['with no body at all', { body: null }, '23502'],
    ['with a body of 100 kB', { body: 'x'.repeat(100_000) }, '23514'],
    ['with a body of 65,537 bytes in fewer characters', { body: `${'ä'.repeat(32_768)}x` }, '23514'],
    ['with a NUL in its subject', { subject: 'No\0network' }, '22021'],
    ['with a NUL in its body', { body: 'No\0network' }, '22021'],
    ['with a priority that is none', { priority: 'whatever' }, '22P02'],
    ['with a service that is no identifier', { service_id: 'vpn' }, '22P02'],
    ['with a service that never was', { service_id: '00000000-0000-7000-8000-000000000000' }, '23503'],
    ['with a mutation key of 7 characters', { client_mutation_key: '1234567' }, '23514'],
    ['with a mutation key of 65 characters', { client_mutation_key: 'k'.repeat(65) }, '23514'],
  ])('%s', async (_name, values, code) => {
    expect(await refused(acme.customer, values)).toBe(code)
    expect(await refused(acme.agent, values)).toBe(code)
  })

  test('about a service that is no longer offered', async () => {
    expect(await refused(acme.customer, { service_id: acme.archivedServiceId })).toBe('AD104')
  })

  test('from a customer for somebody else', async () => {
    expect(await refused(acme.customer, { requester_id: acme.neighbour.userId })).toBe('42501')
  })

  test('from nobody', async () => {
    expect(await refused({ role: 'atum_anonymous' }, {})).toBe('42501')
    expect(await refused({ role: 'atum_customer', organizationId: acme.organizationId }, {})).toBe('AD001')
    expect(await refused({ role: 'atum_customer' }, {})).toBe('AD001')
  })

  test('from the server itself', async () => {
    await rolledBack(server, async () => {
      expect(await refusal(server, `select app_public.create_ticket('a', 'b')`)).toBe('42501')
    })
  })

  test('with identifiers of another organization', async () => {
    expect(await refused(acme.customer, { service_id: globex.serviceId })).toBe('23503')
    expect(await refused(acme.agent, { service_id: globex.serviceId })).toBe('23503')
    expect(await refused(acme.agent, { requester_id: globex.customer.userId })).toBe('23503')
  })
})

describe('a ticket is opened', () => {
  test('by a customer: in the own name, through the portal, with the team of its service', async () => {
    await asRole(server, acme.customer, async () => {
      const ticket = await createTicket(server, {
        subject: '  No network  ',
        service_id: acme.serviceId,
        priority: 'urgent',
      })
      expect(ticket).toMatchObject({
        organization_id: acme.organizationId,
        reference: `ATUM-${ticket.number}`,
        subject: 'No network',
        status: 'new',
        priority: 'urgent',
        channel: 'portal',
        service_id: acme.serviceId,
        team_id: acme.teamId,
        assignee_id: null,
        requester_id: acme.customer.userId,
        created_by_id: acme.customer.userId,
        first_responded_at: null,
        resolved_at: null,
        closed_at: null,
        breached: false,
        // What staff measures itself by is not told to customers.
        next_due_at: null,
      })
      const { rows } = await server.query(
        'select body, author_id, visibility from app_public.comments where ticket_id = $1',
        [ticket.id],
      )
      expect(rows).toEqual([
        { body: 'Since this morning', author_id: acme.customer.userId, visibility: 'public' },
      ])
    })
  })

  test('by an agent for a customer: at the desk', async () => {
    await asRole(server, acme.agent, async () => {
      expect(
        await createTicket(server, { requester_id: acme.customer.userId, priority: null }),
      ).toMatchObject({
        channel: 'desk',
        priority: 'normal',
        requester_id: acme.customer.userId,
        created_by_id: acme.agent.userId,
        next_due_at: expect.any(Date) as Date,
      })
    })
  })

  test('with the longest subject and body there may be', async () => {
    await asRole(server, acme.customer, async () => {
      const subject = '🦔'.repeat(200)
      const ticket = await createTicket(server, { subject, body: 'ä'.repeat(32_768) })
      expect(ticket.subject).toBe(subject)
      expect(
        await value(server, 'select octet_length(body) from app_public.comments where ticket_id = $1', [
          ticket.id,
        ]),
      ).toBe(65_536)
    })
  })

  test('with one event that anybody who sees it sees; its description is part of it', async () => {
    await asRole(server, acme.customer, async () => {
      const ticket = await createTicket(server)
      const { rows } = await server.query(
        'select type, visibility, actor_id, before, after from app_public.ticket_events where ticket_id = $1',
        [ticket.id],
      )
      expect(rows).toEqual([
        {
          type: 'ticket_created',
          visibility: 'public',
          actor_id: acme.customer.userId,
          before: null,
          after: { status: 'new', channel: 'portal', priority: 'normal' },
        },
      ])
    })
  })
})

describe('numbers', () => {
  const numbersOf = (tenant: Tenant) =>
    value<number[]>(
      superuser,
      'select array_agg(number order by number) from app_public.tickets where organization_id = $1',
      [tenant.organizationId],
    )

  test('count up from 1001 in each organization', async () => {
    expect((await numbersOf(acme)).slice(0, 2)).toEqual([1001, 1002])
    expect((await numbersOf(globex)).slice(0, 2)).toEqual([1001, 1002])
  })

  test('have no gaps and no doubles when many are opened at once in two organizations', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => open.open(database.serverUrl)))
    const before = { acme: await numbersOf(acme), globex: await numbersOf(globex) }
    const made = await Promise.all(
      clients.flatMap((client, position) => {
        const tenant = position % 2 === 0 ? acme : globex
        return asRoleForGood(client, position % 4 < 2 ? tenant.customer : tenant.agent, () =>
          createTicket(client),
        )
      }),
    )
    expect(made).toHaveLength(20)
    for (const [tenant, old] of [
      [acme, before.acme],
      [globex, before.globex],
    ] as const) {
      const numbers = await numbersOf(tenant)
      expect(numbers).toHaveLength(old.length + 10)
      expect(numbers).toEqual(numbers.map((_number, position) => 1001 + position))
    }
  })

  test('are not used up by a ticket that was rolled back, refused, or sent twice', async () => {
    const lastNumber = (await numbersOf(acme)).at(-1)!
    await asRole(server, acme.customer, () => createTicket(server))
    await refused(acme.customer, { body: '' })
    const key = 'sent-twice-1'
    for (let time = 1; time <= 3; time += 1) {
      await asRoleForGood(server, acme.customer, () => createTicket(server, { client_mutation_key: key }))
    }
    await asRoleForGood(server, acme.customer, () => createTicket(server))
    expect((await numbersOf(acme)).slice(-3)).toEqual([lastNumber, lastNumber + 1, lastNumber + 2])
  })

  test('make no organization wait for another', async () => {
    const other = await open.open(database.serverUrl)
    await other.query(`set lock_timeout = '300ms'`)
    await rolledBack(server, async () => {
      await become(server, acme.customer)
      await createTicket(server)
      // The end of a transaction is where the audit chain is locked as well.
      await server.query('set constraints all immediate')
      expect(await sqlState(asRoleForGood(other, globex.customer, () => createTicket(other)))).toBe(
        'accepted',
      )
      // Proof that this would have been seen: in the same organization the second waits for the number.
      expect(await sqlState(asRoleForGood(other, acme.customer, () => createTicket(other)))).toBe('55P03')
    })
  })
})

describe('a mutation key', () => {
  const withKey = (client: Client, actor: Actor, key: string, values: Record<string, unknown> = {}) =>
    asRoleForGood(client, actor, () => createTicket(client, { ...values, client_mutation_key: key }))

  test('used twice gives the ticket of the first time, whatever the second says', async () => {
    const first = await withKey(server, acme.customer, 'twice-12')
    const second = await withKey(server, acme.customer, 'twice-12', { subject: 'Something else' })
    expect(second).toEqual(first)
    expect(
      await value(superuser, 'select count(*)::int from app_public.comments where ticket_id = $1', [
        first.id,
      ]),
    ).toBe(1)
    expect(
      await value(superuser, 'select count(*)::int from app_public.ticket_events where ticket_id = $1', [
        first.id,
      ]),
    ).toBe(1)
  })

  test('gives no ticket that has gone to somebody else since', async () => {
    const { id } = await withKey(server, acme.customer, 'gone-since')
    await asRoleForGood(server, acme.agent, () =>
      server.query(`update app_public.tickets set requester_id = $2, subject = 'A secret' where id = $1`, [
        id,
        acme.manager.userId,
      ]),
    )
    expect(await sqlState(withKey(server, acme.customer, 'gone-since'))).toBe('AD101')
  })

  test('used at the same moment gives one ticket', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => open.open(database.serverUrl)))
    const made = await Promise.all(
      clients.map((client) => withKey(client, acme.customer, 'at-the-same-moment')),
    )
    expect(new Set(made.map(({ id }) => id)).size).toBe(1)
    expect(
      await value(
        superuser,
        `select count(*)::int from app_public.tickets where client_mutation_key = 'at-the-same-moment'`,
      ),
    ).toBe(1)
    expect(
      await value(superuser, 'select count(*)::int from app_public.comments where ticket_id = $1', [
        made[0]!.id,
      ]),
    ).toBe(1)
  })

  test('of another person or another organization is another key', async () => {
    const mine = await withKey(server, acme.customer, 'everybodys')
    const neighbours = await withKey(server, acme.neighbour, 'everybodys')
    const theirs = await withKey(server, globex.customer, 'everybodys')
    expect(new Set([mine.id, neighbours.id, theirs.id]).size).toBe(3)
  })

  test('answers also after the service was archived', async () => {
    const key = 'before-the-end'
    const first = await withKey(server, acme.customer, key, { service_id: acme.serviceId })
    await superuser.query('update app_public.services set archived_at = now() where id = $1', [
      acme.serviceId,
    ])
    try {
      expect((await withKey(server, acme.customer, key, { service_id: acme.serviceId })).id).toBe(first.id)
    } finally {
      await superuser.query('update app_public.services set archived_at = null where id = $1', [
        acme.serviceId,
      ])
    }
  })
})

describe('a change is refused', () => {
  const change = (actor: Actor, assignment: string, values: unknown[] = []) =>
    asRole(server, actor, () =>
      refusal(server, `update app_public.tickets set ${assignment} where id = '${acme.ticketId}'`, values),
    )

  test.each<[string, () => [string, unknown[]], string]>([
    ['to an assignee who is a customer', () => ['assignee_id = $1', [acme.customer.userId]], 'AD103'],
    ['to an assignee of another organization', () => ['assignee_id = $1', [globex.agent.userId]], '23503'],
    ['to a team of another organization', () => ['team_id = $1', [globex.teamId]], '23503'],
    ['to a service of another organization', () => ['service_id = $1', [globex.serviceId]], '23503'],
    ['to a service that is no longer offered', () => ['service_id = $1', [acme.archivedServiceId]], 'AD104'],
    ['back to new', () => [`status = 'new'`, []], 'AD105'],
    ['to a status that is none', () => [`status = 'lost'`, []], '22P02'],
    ['to an empty subject', () => [`subject = ' '`, []], '23514'],
    ['to a subject of 201 characters', () => [`subject = repeat('x', 201)`, []], '23514'],
    ['to no priority', () => ['priority = null', []], '23502'],
    ['of its number', () => ['number = 1', []], '42501'],
    [
      'to a requester of another organization',
      () => ['requester_id = $1', [globex.customer.userId]],
      '23503',
    ],
    ['of its organization', () => ['organization_id = $1', [globex.organizationId]], '42501'],
    ['of when it was changed', () => [`updated_at = '2020-01-01'`, []], '42501'],
    ['of whether it was late', () => ['breached = false', []], '42501'],
  ])('%s', async (_name, of, code) => {
    const [assignment, values] = of()
    // The fixture's ticket was answered, so that it is open.
    for (const actor of [acme.agent, acme.manager, acme.admin])
      expect(await change(actor, assignment, values)).toBe(code)
  })

  test('to an assignee whose account is shut', async () => {
    await superuser.query('update app_public.users set disabled_at = now() where id = $1', [
      acme.manager.userId,
    ])
    expect(await change(acme.agent, 'assignee_id = $1', [acme.manager.userId])).toBe('AD103')
    await superuser.query('update app_public.users set disabled_at = null where id = $1', [
      acme.manager.userId,
    ])
    expect(await change(acme.agent, 'assignee_id = $1', [acme.manager.userId])).toBe('accepted')
  })

  test('from a customer, whatever it is', async () => {
    for (const assignment of [
      `subject = 'x'`,
      `status = 'closed'`,
      `priority = 'urgent'`,
      'team_id = null',
      'assignee_id = null',
    ]) {
      expect(await change(acme.customer, assignment)).toBe('42501')
    }
  })
})

describe('status', () => {
  /** Moves a ticket through statuses, each in a transaction of its own, and tells its instants after each. */
  async function journey(...statuses: string[]) {
    const ticket = await asRoleForGood(server, acme.customer, () => createTicket(server))
    const seen: string[] = []
    for (const status of statuses) {
      await asRoleForGood(server, acme.agent, () =>
        server.query('update app_public.tickets set status = $2 where id = $1', [ticket.id, status]),
      )
      const { rows } = await superuser.query<{ resolved: boolean; closed: boolean; same: boolean }>(
        `select resolved_at is not null as resolved, closed_at is not null as closed, resolved_at = closed_at as same
        from app_public.tickets where id = $1`,
        [ticket.id],
      )
      const { resolved, closed, same } = rows[0]!
      seen.push(
        [status, resolved && 'resolved_at', closed && 'closed_at', same && 'same'].filter(Boolean).join(' '),
      )
    }
    return seen
  }

  test('keeps when a ticket was resolved and closed, and forgets when it is taken up again', async () => {
    expect(await journey('open', 'resolved', 'open', 'resolved', 'closed', 'pending')).toEqual([
      'open',
      'resolved resolved_at',
      'open',
      'resolved resolved_at',
      'closed resolved_at closed_at',
      'pending',
    ])
    expect(await journey('closed')).toEqual(['closed resolved_at closed_at same'])
    expect(await journey('closed', 'resolved')).toEqual([
      'closed resolved_at closed_at same',
      'resolved resolved_at',
    ])
  })
})

describe('queries', () => {
  const byNumber = (actor: Actor, number: number) =>
    asRole(server, actor, () =>
      server
        .query<Ticket>('select id from app_public.ticket_by_number($1)', [number])
        .then(({ rows }) => rows[0]?.id),
    )

  test('a ticket by its number, of the own organization only and only when it may be seen', async () => {
    expect(await byNumber(acme.customer, 1002)).toBeNull()
    expect(await byNumber(acme.agent, 999)).toBeNull()
    expect(await byNumber(acme.customer, 1001)).toBe(acme.ticketId)
    expect(await byNumber(acme.agent, 1002)).toBe(acme.neighbourTicketId)
    expect(await byNumber(globex.agent, 1001)).toBe(globex.ticketId)
  })

  test('the counts of the inbox, of the own organization only', async () => {
    const counts = (actor: Actor) =>
      asRole(server, actor, () =>
        server.query('select * from app_public.inbox_counts()').then(({ rows }) => rows[0]),
      )
    const { rows } = await superuser.query(
      `select
        count(*) filter (where status <> 'resolved' and assignee_id = $2)::int as mine,
        count(*) filter (where status <> 'resolved' and assignee_id is null)::int as unassigned,
        count(*) filter (where status in ('new', 'open'))::int as open,
        count(*) filter (where status in ('pending', 'on_hold'))::int as pending,
        count(*) filter (where status <> 'resolved' and breached)::int as breached,
        count(*) filter (where status = 'resolved')::int as resolved
      from app_public.tickets where organization_id = $1 and status <> 'closed'`,
      [acme.organizationId, acme.agent.userId],
    )
    expect(await counts(acme.agent)).toMatchObject(rows[0] as object)
    expect(await counts(acme.agent)).not.toEqual(await counts(globex.agent))
    await asRole(server, acme.customer, async () => {
      expect(await refusal(server, 'select * from app_public.inbox_counts()')).toBe('42501')
    })
  })
})
