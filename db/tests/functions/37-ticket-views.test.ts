import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { connections, value } from '../support/connections.ts'
import { type Person, type Tenant, twoTenants } from '../support/fixture.ts'
import { sqlState } from '../support/refusals.ts'
import { asRole, asRoleForGood } from '../support/session.ts'
import { createTicket } from '../support/tickets.ts'

const open = connections()
let database: TestDatabase
let superuser: Client
/** The login of the web server, which may become the request roles. */
let server: Client
let acme: Tenant
let globex: Tenant
let otherTeamId: string

beforeAll(async () => {
  database = await createTestDatabase()
  superuser = await open.open(database.superuserUrl)
  server = await open.open(database.serverUrl)
  const tenants = await twoTenants(superuser)
  acme = tenants.acme
  globex = tenants.globex
  otherTeamId = await value<string>(
    superuser,
    `insert into app_public.teams (organization_id, name) values ($1, 'Billing') returning id`,
    [acme.organizationId],
  )
})

afterAll(async () => {
  await open.close()
  await database.drop()
})

const anything = '{}'

function save(values: Record<string, unknown>): Promise<string> {
  const named = { name: 'Mine', conditions: anything, ...values }
  return value<string>(
    server,
    `select id from app_public.save_ticket_view(${Object.keys(named)
      .map((name, place) => `"${name}" => $${place + 1}`)
      .join(', ')})`,
    Object.values(named),
  )
}

const saved = (actor: Person, values: Record<string, unknown>) =>
  asRoleForGood(server, actor, () => save(values))

const refused = (actor: Person, work: () => Promise<unknown>) => sqlState(asRole(server, actor, work))

interface Page {
  numbers: number[]
  next: string | null
}

async function page(call: string, values: unknown[]): Promise<Page> {
  const { rows } = await server.query<Page>(
    `select array(select number from unnest(page.tickets)) as numbers, page.next_cursor as next from app_public.${call} as page`,
    values,
  )
  return rows[0]!
}

describe('a view is refused', () => {
  test('to customers, and to those who are not its kind of keeper', async () => {
    expect(await refused(acme.customer, () => save({}))).toBe('42501')
    expect(await refused(acme.agent, () => save({ visibility: 'shared' }))).toBe('42501')
    expect(await refused(acme.agent, () => save({ visibility: 'team', team_id: otherTeamId }))).toBe('42501')
    expect(await refused(acme.agent, () => save({ visibility: 'team' }))).toBe('AD101')
    expect(await refused(acme.manager, () => save({ visibility: 'team', team_id: globex.teamId }))).toBe(
      'AD101',
    )
    expect(await refused(acme.agent, () => save({ visibility: 'team', team_id: acme.teamId }))).toBe(
      'accepted',
    )
    expect(await refused(acme.manager, () => save({ visibility: 'team', team_id: otherTeamId }))).toBe(
      'accepted',
    )
    expect(await refused(acme.manager, () => save({ visibility: 'shared' }))).toBe('accepted')
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['without a name', { name: ' ' }, '23514'],
    ['with a name of 61 characters', { name: 'x'.repeat(61) }, '23514'],
    ['with conditions that are none', { conditions: '{"all": [{"field": "password"}]}' }, 'AD119'],
    ['with a list for conditions', { conditions: '[]' }, 'AD119'],
    ['with a column that is none', { columns: ['password'] }, 'AD161'],
    ['with a column that is more than one', { columns: ['custom_fields.x; drop'] }, 'AD161'],
    ['without columns', { columns: [] }, '23514'],
    ['at a place below zero', { position: -1 }, '23514'],
  ])('%s', async (_why, values, state) => {
    expect(await refused(acme.agent, () => save(values))).toBe(state)
  })

  test('when there are fifty', async () => {
    await asRole(server, acme.agent, async () => {
      for (let count = 0; count < 50; count += 1) await save({})
      expect(await sqlState(save({}))).toBe('AD162')
    })
  })
})

test('a page has fifty tickets where none are asked for', async () => {
  await asRole(server, acme.agent, async () => {
    for (let count = 0; count < 51; count += 1) await createTicket(server)
    const { numbers, next } = await page('preview_tickets($1, first => null)', [anything])
    expect(numbers).toHaveLength(50)
    expect(next).not.toBeNull()
  })
})

describe('a saved view', () => {
  test('is its owner’s alone when it is personal', async () => {
    const id = await saved(acme.agent, { name: 'Personal' })
    for (const other of [acme.manager, acme.admin, globex.agent, globex.admin]) {
      expect(await refused(other, () => save({ view_id: id }))).toBe('AD101')
      expect(await refused(other, () => server.query('select app_public.delete_ticket_view($1)', [id]))).toBe(
        'AD101',
      )
      expect(await refused(other, () => page('view_tickets($1)', [id]))).toBe('AD101')
      expect(
        await asRole(server, other, () =>
          value<string>(server, 'select count(*) from app_public.ticket_views where id = $1', [id]),
        ),
      ).toBe('0')
    }
    expect(await refused(acme.agent, () => page('view_tickets($1)', [id]))).toBe('accepted')
  })

  test('is changed and deleted by who keeps it, and by nobody who only has it', async () => {
    const id = await saved(acme.manager, { name: 'Shared', visibility: 'shared' })
    expect(await refused(acme.agent, () => save({ view_id: id, visibility: 'shared' }))).toBe('42501')
    // Nor is it taken by making it one's own.
    expect(await refused(acme.agent, () => save({ view_id: id }))).toBe('42501')
    expect(
      await refused(acme.agent, () => server.query('select app_public.delete_ticket_view($1)', [id])),
    ).toBe('42501')
    expect(await refused(acme.customer, () => page('view_tickets($1)', [id]))).toBe('42501')
    expect(await saved(acme.admin, { view_id: id, name: 'Renamed', visibility: 'shared' })).toBe(id)
    expect(
      await asRole(server, acme.agent, () =>
        value<string>(server, 'select name from app_public.ticket_views where id = $1', [id]),
      ),
    ).toBe('Renamed')
    await asRoleForGood(server, acme.admin, () =>
      server.query('select app_public.delete_ticket_view($1)', [id]),
    )
    expect(await refused(acme.admin, () => page('view_tickets($1)', [id]))).toBe('AD101')
  })

  test('of a team is there for its members and for managers', async () => {
    const id = await saved(acme.manager, { name: 'Of Billing', visibility: 'team', team_id: otherTeamId })
    expect(await refused(acme.agent, () => page('view_tickets($1)', [id]))).toBe('AD101')
    expect(await refused(acme.admin, () => page('view_tickets($1)', [id]))).toBe('accepted')
    const own = await saved(acme.agent, { name: 'Of Network', visibility: 'team', team_id: acme.teamId })
    expect(await refused(acme.agent, () => page('view_tickets($1)', [own]))).toBe('accepted')
    await saved(acme.admin, { view_id: own, name: 'For all', visibility: 'shared' })
    expect(await refused(acme.agent, () => save({ view_id: own }))).toBe('42501')
  })
})

describe('the tickets of a view', () => {
  test.each([
    ['updated', 'descending'],
    ['updated', 'ascending'],
    ['created', 'descending'],
    ['created', 'ascending'],
    ['due', 'ascending'],
    ['due', 'descending'],
    ['priority', 'descending'],
    ['priority', 'ascending'],
  ])('come page by page, each once, by %s %s', async (sort, direction) => {
    await asRole(server, acme.agent, async () => {
      for (const priority of ['low', 'urgent', 'high', 'urgent', 'normal'])
        await createTicket(server, { priority })
      await server.query(
        `update app_public.tickets set status = 'resolved' where number in (select max(number) - 1 from app_public.tickets)`,
      )
      const whole = await page('preview_tickets($1, $2, $3, 100)', [anything, sort, direction])
      expect(whole.next).toBeNull()
      expect(whole.numbers).toHaveLength(7)
      const read: number[] = []
      let after: string | null = null
      do {
        const part: Page = await page('preview_tickets($1, $2, $3, 2, $4)', [
          anything,
          sort,
          direction,
          after,
        ])
        read.push(...part.numbers)
        after = part.next
      } while (after !== null && read.length < 20)
      expect(read).toEqual(whole.numbers)
    })
  })

  test.each(['x', '', '1 2 3', '2026-01-01', '- -', "2026-01-01 '); select 1"])(
    'are refused after the cursor %j',
    async (cursor) => {
      for (const sort of ['updated', 'due', 'priority']) {
        expect(
          await refused(acme.agent, () =>
            page('preview_tickets($1, $2, after => $3)', [anything, sort, cursor]),
          ),
        ).toBe('AD161')
      }
    },
  )

  test('are those the caller sees, without what is snoozed until it wakes', async () => {
    const open = JSON.stringify({ all: [{ field: 'status', operator: 'is', value: ['new', 'open'] }] })
    expect(
      new Set((await asRole(server, globex.agent, () => page('preview_tickets($1)', [open]))).numbers),
    ).toEqual(new Set([1001, 1002]))
    expect(await refused(acme.customer, () => page('preview_tickets($1)', [open]))).toBe('42501')
    await asRole(server, acme.agent, async () => {
      const before = (await page('preview_tickets($1)', [open])).numbers
      const ticket = await createTicket(server)
      expect((await page('preview_tickets($1)', [open])).numbers).toHaveLength(before.length + 1)
      await server.query(
        `update app_public.tickets set snoozed_until = now() + interval '1 day' where id = $1`,
        [ticket.id],
      )
      expect((await page('preview_tickets($1)', [open])).numbers).toHaveLength(before.length)
      const snoozed = JSON.stringify({ all: [{ field: 'snoozed', operator: 'is', value: true }] })
      expect((await page('preview_tickets($1)', [snoozed])).numbers).toEqual([ticket.number])
      await server.query(`update app_public.tickets set snoozed_until = null where id = $1`, [ticket.id])
      expect((await page('preview_tickets($1)', [open])).numbers).toHaveLength(before.length + 1)
    })
  })
})

describe('counts', () => {
  const counts = async () => {
    const { rows } = await server.query<{ name: string; count: number | null; is_capped: boolean }>(
      `select view.name, counted.count, counted.is_capped
      from app_public.ticket_view_counts() as counted
      join app_public.ticket_views as view on view.id = counted.view_id`,
    )
    return Object.fromEntries(
      rows.map(({ name, count, is_capped }) => [name, is_capped ? `${count}+` : count]),
    )
  }

  test('are of what the caller sees, and say when there are more than they count', async () => {
    await asRole(server, acme.agent, async () => {
      await save({ name: 'All' })
      await save({
        name: 'Urgent',
        conditions: JSON.stringify({ all: [{ field: 'priority', operator: 'is', value: 'urgent' }] }),
      })
      await createTicket(server, { priority: 'urgent' })
      expect(await counts()).toMatchObject({ All: 3, Urgent: 1 })
    })
  })

  test('of the inbox are of each part, and leave out what is snoozed', async () => {
    await asRole(server, acme.agent, async () => {
      const counted = async () =>
        (await server.query<Record<string, number>>('select * from app_public.inbox_counts()')).rows[0]!
      const before = await counted()
      const ticket = await createTicket(server)
      await server.query('update app_public.tickets set assignee_id = $2 where id = $1', [
        ticket.id,
        acme.agent.userId,
      ])
      expect(await counted()).toEqual({ ...before, mine: before.mine! + 1, open: before.open! + 1 })
      await server.query(
        `update app_public.tickets set snoozed_until = now() + interval '1 day' where id = $1`,
        [ticket.id],
      )
      expect(await counted()).toEqual({ ...before, snoozed: before.snoozed! + 1 })
    })
  })

  test('are not for customers', async () => {
    expect(await refused(acme.customer, () => server.query('select app_public.ticket_view_counts()'))).toBe(
      '42501',
    )
    expect(await refused(acme.customer, () => server.query('select app_public.inbox_counts()'))).toBe('42501')
  })
})
