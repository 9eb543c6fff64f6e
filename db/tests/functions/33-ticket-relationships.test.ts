import { beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { asRoleForGood, become } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { createTicket } from '../support/tickets.ts'

const stage = setStage()
const { sees, refuses, does } = stage
const { newcomer } = loginsOn(stage)

/** Sees the tickets of no team. */
let restricted: Person

const newTicket = () =>
  asRoleForGood(stage.server, stage.acme.customer, () => createTicket(stage.server)).then(({ id }) => id)
const relation = 'select (app_public.relate_tickets($1, $2, $3)).id'
const relate = (ticketId: string, kind: string, otherId: string) =>
  does<string>(stage.acme.agent, relation, [ticketId, kind, otherId])
const refusedRelation = (
  ticketId: unknown,
  kind: string,
  otherId: unknown,
  actor: Person = stage.acme.agent,
) => refuses(actor, relation, [ticketId, kind, otherId])
const eventsOf = (ticketId: string, ...types: string[]) =>
  sees(
    stage.acme.agent,
    `select to_jsonb(event) from app_public.ticket_events as event
    where ticket_id = $1 and type::text = any ($2) order by created_at, id`,
    [ticketId, types],
  )
const setStatus = 'update app_public.tickets set status = $2 where id = $1 returning id'

beforeAll(async () => {
  restricted = await newcomer(stage.acme, 'agent')
  await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
    restricted.userId,
  ])
})

describe('a watcher is refused', () => {
  const watch = 'select (app_public.watch_ticket($1, $2)).id'

  test('to customers, to who does not see the ticket, and to another organization', async () => {
    const { customer, ticketId } = stage.acme
    expect(await refuses(customer, watch, [ticketId, null])).toBe('42501')
    expect(await refuses(restricted, watch, [ticketId, null])).toBe('AD101')
    expect(await refuses(stage.globex.agent, watch, [ticketId, null])).toBe('AD101')
    expect(await refuses(stage.acme.agent, watch, [null, null])).toBe('AD101')
    for (const [actor, code] of [
      [customer, '42501'],
      [restricted, 'AD101'],
      [stage.globex.agent, 'AD101'],
    ] as const) {
      expect(await refuses(actor, 'select app_public.unwatch_ticket($1)', [ticketId])).toBe(code)
    }
  })

  test('who may not see the ticket', async () => {
    const { agent, neighbour, ticketId } = stage.acme
    for (const userId of [restricted.userId, neighbour.userId, stage.globex.agent.userId, ticketId]) {
      expect(await refuses(agent, watch, [ticketId, userId])).toBe('AD114')
    }
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [
      stage.acme.manager.userId,
    ])
    expect(await refuses(agent, watch, [ticketId, stage.acme.manager.userId])).toBe('AD114')
    await stage.superuser.query('update app_public.users set disabled_at = null where id = $1', [
      stage.acme.manager.userId,
    ])
  })
})

test('somebody watches once, is told of once, and stops', async () => {
  const { agent, manager, customer } = stage.acme
  const id = await newTicket()
  const watchers = () =>
    sees(agent, 'select user_id from app_public.ticket_watchers where ticket_id = $1 order by created_at', [
      id,
    ])
  await does(agent, 'select (app_public.watch_ticket($1)).id', [id])
  await does(agent, 'select (app_public.watch_ticket($1)).id', [id])
  await does(agent, 'select (app_public.watch_ticket($1, $2)).id', [id, manager.userId])
  await does(agent, 'select (app_public.watch_ticket($1, $2)).id', [id, customer.userId])
  expect(await watchers()).toEqual([agent.userId, manager.userId, customer.userId])
  expect(await sees(restricted, 'select user_id from app_public.ticket_watchers')).toEqual([])
  await does(agent, 'select (app_public.unwatch_ticket($1)).id', [id])
  await does(agent, 'select (app_public.unwatch_ticket($1)).id', [id])
  expect(await watchers()).toEqual([manager.userId, customer.userId])
  expect(await eventsOf(id, 'watcher_added', 'watcher_removed')).toMatchObject([
    { type: 'watcher_added', visibility: 'internal', after: { watcher_name: 'agent of acme' } },
    { type: 'watcher_added', after: { watcher_name: 'manager of acme' } },
    { type: 'watcher_added', after: { watcher_name: 'customer of acme' } },
    { type: 'watcher_removed', before: { watcher_name: 'agent of acme' } },
  ])
})

describe('a relationship is refused', () => {
  test('to who does not see both tickets', async () => {
    const { customer, ticketId, neighbourTicketId } = stage.acme
    expect(await refusedRelation(ticketId, 'relates_to', neighbourTicketId, customer)).toBe('42501')
    expect(await refusedRelation(ticketId, 'relates_to', stage.globex.ticketId)).toBe('AD101')
    expect(await refusedRelation(stage.globex.ticketId, 'child_of', ticketId)).toBe('AD101')
    expect(await refusedRelation(ticketId, 'blocks', null)).toBe('AD101')
    const theirs = await does<string>(
      restricted,
      `select (app_public.create_ticket('Of the restricted', 'x')).id`,
    )
    expect(await refusedRelation(theirs, 'relates_to', ticketId, restricted)).toBe('AD101')
    expect(await refusedRelation(ticketId, 'relates_to', theirs, restricted)).toBe('AD101')
    const id = await relate(theirs, 'relates_to', ticketId)
    expect(await sees(restricted, 'select id from app_public.ticket_relationships')).toEqual([])
    expect(await refuses(restricted, 'select app_public.unrelate_tickets($1)', [id])).toBe('AD101')
    expect(await refuses(stage.globex.agent, 'select app_public.unrelate_tickets($1)', [id])).toBe('AD101')
    expect(await refuses(customer, 'select app_public.unrelate_tickets($1)', [id])).toBe('42501')
  })

  test.each(['child_of', 'duplicate_of', 'blocks'])('%s itself, or in a circle', async (kind) => {
    const [a, b, c] = [await newTicket(), await newTicket(), await newTicket()]
    expect(await refusedRelation(a, kind, a)).toBe('AD115')
    await relate(a, kind, b)
    await relate(b, kind, c)
    expect(await refusedRelation(b, kind, a)).toBe('AD115')
    expect(await refusedRelation(c, kind, a)).toBe('AD115')
    expect(await refusedRelation(a, kind, b)).toBe('23505')
  })

  test('to itself, and twice, whichever is named first', async () => {
    const [a, b] = [await newTicket(), await newTicket()]
    expect(await refusedRelation(a, 'relates_to', a)).toBe('AD115')
    await relate(b, 'relates_to', a)
    expect(await refusedRelation(a, 'relates_to', b)).toBe('23505')
    expect(await refusedRelation(b, 'relates_to', a)).toBe('23505')
  })

  test('of a second parent, or a second original', async () => {
    const [child, parent, other] = [await newTicket(), await newTicket(), await newTicket()]
    for (const kind of ['child_of', 'duplicate_of']) {
      await relate(child, kind, parent)
      expect(await refusedRelation(child, kind, other)).toBe('23505')
    }
    await relate(child, 'blocks', parent)
    await relate(child, 'blocks', other)
  })

  test.each(['child_of', 'duplicate_of', 'blocks'])(
    'that closes a circle of %s with another at the same moment',
    async (kind) => {
      const [a, b, c, d] = [await newTicket(), await newTicket(), await newTicket(), await newTicket()]
      // Four links that make a ring, by four people who touch no ticket in common but at the ends.
      const ring = [
        [a, b],
        [b, c],
        [c, d],
        [d, a],
      ]
      const clients = await Promise.all(ring.map(() => stage.open(stage.database.serverUrl)))
      const outcomes = await Promise.all(
        clients.map((client, position) =>
          sqlState(
            asRoleForGood(client, stage.acme.agent, () =>
              client.query(relation, [ring[position]![0], kind, ring[position]![1]]),
            ),
          ),
        ),
      )
      expect(outcomes.toSorted()).toEqual(['AD115', 'accepted', 'accepted', 'accepted'])
    },
  )
})

test('a relationship is told on both tickets, and taken away from both', async () => {
  const [child, parent] = [await newTicket(), await newTicket()]
  const id = await relate(child, 'child_of', parent)
  expect(await does(stage.acme.agent, 'select app_public.unrelate_tickets($1)', [id])).toBe(true)
  expect(await refuses(stage.acme.agent, 'select app_public.unrelate_tickets($1)', [id])).toBe('AD101')
  expect(await eventsOf(child, 'relationship_added', 'relationship_removed')).toMatchObject([
    { after: { kind: 'child_of', first: true, ticket_id: parent } },
    { before: { kind: 'child_of', first: true, ticket_id: parent } },
  ])
  expect(await eventsOf(parent, 'relationship_added', 'relationship_removed')).toMatchObject([
    { after: { kind: 'child_of', first: false, ticket_id: child } },
    { before: { kind: 'child_of', first: false, ticket_id: child } },
  ])
})

describe('a parent', () => {
  test('is not resolved or closed before its children, and then is', async () => {
    const [parent, one, two] = [await newTicket(), await newTicket(), await newTicket()]
    for (const child of [one, two]) await relate(child, 'child_of', parent)
    for (const status of ['resolved', 'closed']) {
      expect(await refuses(stage.acme.agent, setStatus, [parent, status])).toBe('AD109')
    }
    await does(stage.acme.agent, setStatus, [one, 'resolved'])
    expect(await refuses(stage.acme.agent, setStatus, [parent, 'resolved'])).toBe('AD109')
    expect(await refuses(stage.acme.agent, setStatus, [parent, 'pending'])).toBe('accepted')
    await does(stage.acme.agent, setStatus, [two, 'closed'])
    await does(stage.acme.agent, setStatus, [parent, 'resolved'])
    // A child that opens again does not open its parent, which may be closed.
    await does(stage.acme.agent, setStatus, [one, 'open'])
    await does(stage.acme.agent, setStatus, [parent, 'closed'])
  })

  test('that is resolved while a child is given to it waits, and is refused', async () => {
    const [parent, child] = [await newTicket(), await newTicket()]
    const [one, two] = [
      await stage.open(stage.database.serverUrl),
      await stage.open(stage.database.serverUrl),
    ]
    for (const client of [one, two]) {
      await client.query('begin')
      await become(client, stage.acme.agent)
    }
    await one.query(relation, [child, 'child_of', parent])
    const waits = sqlState(two.query(setStatus, [parent, 'resolved']))
    await one.query('commit')
    expect(await waits).toBe('AD109')
    await two.query('rollback')
  })
})
