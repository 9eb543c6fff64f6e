import type { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connections, value } from '../support/connections.ts'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { type Tenant, twoTenants } from '../support/fixture.ts'
import { heardWhile } from '../support/notifications.ts'
import { sqlState } from '../support/refusals.ts'
import { type Actor, asRole, asRoleForGood } from '../support/session.ts'

const open = connections()
let database: TestDatabase
let superuser: Client
let server: Client
let acme: Tenant
let globex: Tenant
/** A new ticket of acme's customer, for each test. */
let ticketId: string

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

beforeEach(async () => {
  ticketId = await asRoleForGood(server, acme.customer, () =>
    value<string>(server, `select id from app_public.create_ticket('No network', 'Since this morning')`),
  )
})

interface Comment {
  id: string
  [column: string]: unknown
}

async function add(client: Client, values: Record<string, unknown> = {}): Promise<Comment> {
  const named = { ticket_id: ticketId, body: 'Words', ...values }
  const { rows } = await client.query<Comment>(
    `select * from app_public.add_comment(${Object.keys(named)
      .map((name, position) => `${name} => $${position + 1}`)
      .join(', ')})`,
    Object.values(named),
  )
  return rows[0]!
}

const say = (actor: Actor, values: Record<string, unknown> = {}) =>
  asRoleForGood(server, actor, () => add(server, values))

/** The SQLSTATE with which a comment was refused; nothing may be left of it. */
async function refused(actor: Actor, values: Record<string, unknown>): Promise<string> {
  const census = () =>
    superuser
      .query(
        `select
          (select count(*) from app_public.comments) as comments, (select count(*) from app_public.ticket_events) as events,
          (select count(*) from app_public.audit_log) as audit, (select max(updated_at) from app_public.tickets) as changed`,
      )
      .then(({ rows }) => rows[0])
  const before = await census()
  const state = await sqlState(say(actor, values))
  if (state !== 'accepted') expect(await census()).toEqual(before)
  return state
}

async function ticket() {
  const { rows } = await superuser.query<{ status: string; answered: boolean }>(
    'select status, first_responded_at is not null as answered from app_public.tickets where id = $1',
    [ticketId],
  )
  return rows[0]!
}

const move = (status: string) =>
  asRoleForGood(server, acme.agent, () =>
    server.query('update app_public.tickets set status = $2 where id = $1', [ticketId, status]),
  )

describe('a comment is refused', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['when it is empty', { body: '' }, '23514'],
    ['when it is blank', { body: ' \r\n\t ' }, '23514'],
    ['when there is none', { body: null }, '23502'],
    ['of 100 kB', { body: 'x'.repeat(100_000) }, '23514'],
    ['of 65,537 bytes', { body: 'x'.repeat(65_537) }, '23514'],
    ['with a NUL', { body: 'a\0b' }, '22021'],
    ['with a visibility that is none', { visibility: 'secret' }, '22P02'],
    ['with a mutation key of 7 characters', { client_mutation_key: '1234567' }, '23514'],
    ['on a ticket that never was', { ticket_id: '00000000-0000-7000-8000-000000000000' }, 'AD101'],
    ['on no ticket', { ticket_id: null }, 'AD101'],
    ['on something that is no identifier', { ticket_id: 'ATUM-1001' }, '22P02'],
  ])('%s', async (_name, values, code) => {
    expect(await refused(acme.customer, values)).toBe(code)
    expect(await refused(acme.agent, values)).toBe(code)
  })

  test('on the ticket of another organization, as if there were none', async () => {
    expect(await refused(acme.customer, { ticket_id: globex.ticketId })).toBe('AD101')
    expect(await refused(acme.admin, { ticket_id: globex.ticketId })).toBe('AD101')
  })

  test('on the ticket of another customer, as if there were none', async () => {
    expect(await refused(acme.customer, { ticket_id: acme.neighbourTicketId })).toBe('AD101')
    expect(await refused(acme.neighbour, {})).toBe('AD101')
  })

  test('from a customer who wants it internal, or wants to move the ticket', async () => {
    expect(await refused(acme.customer, { visibility: 'internal' })).toBe('42501')
    expect(await refused(acme.customer, { status: 'closed' })).toBe('42501')
    expect(await refused(acme.customer, { status: 'resolved' })).toBe('42501')
  })

  test('from nobody', async () => {
    expect(await refused({ role: 'atum_anonymous' }, {})).toBe('42501')
    expect(await refused({ role: 'atum_agent', organizationId: acme.organizationId }, {})).toBe('AD001')
    expect(await refused({ role: 'atum_customer' }, {})).toBe('AD001')
  })

  test('with a status to go back to new', async () => {
    await say(acme.agent)
    expect(await refused(acme.agent, { status: 'new' })).toBe('AD105')
  })
})

describe('a closed ticket', () => {
  beforeEach(() => move('closed'))

  test('refuses public words from everybody, and stays closed', async () => {
    expect(await refused(acme.customer, {})).toBe('AD102')
    expect(await refused(acme.agent, {})).toBe('AD102')
    expect(await refused(acme.agent, { status: 'open' })).toBe('AD102')
    expect(await ticket()).toMatchObject({ status: 'closed' })
  })

  test('takes a note of staff', async () => {
    expect(await say(acme.agent, { visibility: 'internal' })).toMatchObject({ visibility: 'internal' })
    expect(await ticket()).toMatchObject({ status: 'closed' })
  })

  test('takes the answer that closes it in the same save', async () => {
    await move('open')
    expect(await say(acme.agent, { status: 'closed' })).toMatchObject({ visibility: 'public' })
    expect(await ticket()).toEqual({ status: 'closed', answered: true })
  })
})

describe('a new ticket', () => {
  test('stays new for what is internal', async () => {
    await say(acme.agent, { visibility: 'internal' })
    expect(await ticket()).toEqual({ status: 'new', answered: false })
  })

  test('stays new for what its requester adds', async () => {
    await say(acme.customer)
    expect(await ticket()).toEqual({ status: 'new', answered: false })
  })

  test('stays new for an agent who is its requester', async () => {
    ticketId = await asRoleForGood(server, acme.agent, () =>
      value<string>(server, `select id from app_public.create_ticket('No network', 'At my desk')`),
    )
    await say(acme.agent)
    expect(await ticket()).toEqual({ status: 'new', answered: false })
  })

  test('is open with the first public answer of staff', async () => {
    await say(acme.agent)
    expect(await ticket()).toEqual({ status: 'open', answered: true })
  })

  test.each(['pending', 'on_hold', 'resolved', 'closed', 'new'])(
    'is %s when the answer says so',
    async (status) => {
      await say(acme.agent, { status })
      expect(await ticket()).toEqual({ status, answered: true })
    },
  )

  test('written down by an agent for a customer is not answered by that', async () => {
    ticketId = await asRoleForGood(server, acme.agent, () =>
      value<string>(
        server,
        `select id from app_public.create_ticket('No network', 'She called', requester_id => $1)`,
        [acme.customer.userId],
      ),
    )
    expect(await ticket()).toEqual({ status: 'new', answered: false })
    await say(acme.agent)
    expect(await ticket()).toEqual({ status: 'open', answered: true })
  })
})

describe('a ticket that waits', () => {
  test.each([
    ['pending', 'open'],
    ['on_hold', 'open'],
    ['resolved', 'open'],
    ['open', 'open'],
  ])('when %s is %s once its requester answers', async (before, after) => {
    await move(before)
    await say(acme.customer)
    expect(await ticket()).toMatchObject({ status: after })
  })

  test.each(['pending', 'on_hold', 'resolved'])('stays %s when staff say something', async (status) => {
    await move(status)
    await say(acme.agent)
    await say(acme.agent, { visibility: 'internal' })
    expect(await ticket()).toMatchObject({ status })
  })

  test('tells how it was opened again', async () => {
    await move('resolved')
    await say(acme.customer)
    const { rows } = await superuser.query(
      `select before, after, actor_id, visibility from app_public.ticket_events where ticket_id = $1 and type = 'status_changed' order by created_at, id`,
      [ticketId],
    )
    expect(rows.at(-1)).toEqual({
      before: expect.objectContaining({ status: 'resolved' }) as object,
      after: expect.objectContaining({ status: 'open' }) as object,
      actor_id: acme.customer.userId,
      visibility: 'public',
    })
  })
})

describe('a comment', () => {
  test('is in the own name, public unless said otherwise, with its body as it was written', async () => {
    const body = '  <b>Grüße</b>\n\n"日本" \\ 🦔  '
    expect(await say(acme.customer, { body })).toMatchObject({
      organization_id: acme.organizationId,
      ticket_id: ticketId,
      author_id: acme.customer.userId,
      visibility: 'public',
      body,
    })
    expect(await say(acme.agent, { visibility: null })).toMatchObject({ visibility: 'public' })
  })

  test('has one event with its own visibility', async () => {
    const spoken = await say(acme.customer)
    const noted = await say(acme.agent, { visibility: 'internal' })
    const { rows } = await superuser.query(
      `select comment_id, visibility, actor_id from app_public.ticket_events where ticket_id = $1 and type = 'comment_added' order by created_at, id`,
      [ticketId],
    )
    expect(rows).toEqual([
      { comment_id: spoken.id, visibility: 'public', actor_id: acme.customer.userId },
      { comment_id: noted.id, visibility: 'internal', actor_id: acme.agent.userId },
    ])
  })

  test.each(['public', 'internal'])('that is %s brings its ticket up in the lists', async (visibility) => {
    const spoken = await say(acme.agent, { visibility })
    expect(
      await value(
        superuser,
        // When the team last spoke among itself is not for the requester to read.
        `select ticket.updated_at >= comment.created_at
          and (ticket.last_comment_at = comment.created_at) = (comment.visibility = 'public')
        from app_public.comments as comment
        join app_public.tickets as ticket on ticket.id = comment.ticket_id
        where comment.id = $1`,
        [spoken.id],
      ),
    ).toBe(true)
  })

  test('is heard by its requester only when it is public', async () => {
    const channels = [
      `ticket:${ticketId}:staff`,
      `inbox:${acme.organizationId}`,
      `requester:${acme.customer.userId}`,
    ]
    const events = async (values: Record<string, unknown>) => {
      const heard = await heardWhile(await open.open(database.serverUrl), channels, () =>
        say(acme.agent, values),
      )
      return channels.map((channel) => heard[channel]!.map(({ event }) => event).toSorted())
    }
    expect(await events({ visibility: 'internal' })).toEqual([['comment_added'], ['comment_added'], []])
    // The kept promise is the organization's own business.
    const staff = ['comment_added', 'sla_met', 'status_changed']
    const everybody = ['comment_added', 'status_changed']
    expect(await events({})).toEqual([staff, staff, everybody])
  })
})

describe('a mutation key', () => {
  test('used twice gives the comment of the first time', async () => {
    const first = await say(acme.customer, { client_mutation_key: 'said-once' })
    expect(await say(acme.customer, { client_mutation_key: 'said-once', body: 'Other words' })).toEqual(first)
    expect(
      await value(superuser, 'select count(*)::int from app_public.comments where ticket_id = $1', [
        ticketId,
      ]),
    ).toBe(2)
    expect(
      await value(
        superuser,
        `select count(*)::int from app_public.ticket_events where ticket_id = $1 and type = 'comment_added'`,
        [ticketId],
      ),
    ).toBe(1)
  })

  test('used at the same moment gives one comment', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => open.open(database.serverUrl)))
    const made = await Promise.all(
      clients.map((client) =>
        asRoleForGood(client, acme.agent, () =>
          add(client, { client_mutation_key: 'all-at-once', status: 'pending' }),
        ),
      ),
    )
    expect(new Set(made.map(({ id }) => id)).size).toBe(1)
    expect(
      await value(
        superuser,
        `select count(*)::int from app_public.comments where client_mutation_key = 'all-at-once'`,
      ),
    ).toBe(1)
    expect(await ticket()).toEqual({ status: 'pending', answered: true })
  })

  test('of another person is another key', async () => {
    const customers = await say(acme.customer, { client_mutation_key: 'anybodys' })
    const agents = await say(acme.agent, { client_mutation_key: 'anybodys' })
    expect(agents.id).not.toBe(customers.id)
  })

  test('answers also when the first time closed the ticket', async () => {
    const values = { client_mutation_key: 'last-words', status: 'closed' }
    const first = await say(acme.agent, values)
    expect(await say(acme.agent, values)).toEqual(first)
  })
})

test('two people who answer at once do not wait for the end of the chain, and both are heard', async () => {
  const other = await open.open(database.serverUrl)
  await asRole(server, acme.agent, async () => {
    await add(server, { ticket_id: acme.neighbourTicketId })
    const spoken = await asRoleForGood(other, acme.customer, () => add(other))
    expect(spoken.ticket_id).toBe(ticketId)
  })
})
