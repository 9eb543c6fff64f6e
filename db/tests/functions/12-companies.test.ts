import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { loginsOn } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer } = loginsOn(stage)

const create = 'select to_jsonb(made) from app_public.create_company($1, $2) as made'
const remove = 'select app_public.delete_company($1)'

const share = (sharesTickets: boolean) =>
  stage.superuser.query('update app_public.companies set shares_tickets = $1', [sharesTickets])

afterEach(() => share(false))

test('nobody but admins makes and removes companies', async () => {
  const { customer, agent, manager, companyId } = stage.acme
  for (const actor of [customer, agent, manager, { role: 'atum_anonymous' } as const]) {
    expect(await stage.refuses(actor, create, ['Another', true])).toBe('42501')
    expect(await stage.refuses(actor, remove, [companyId])).toBe('42501')
  }
})

describe('a company', () => {
  test('is not made without a name, or under one that is taken', async () => {
    const { admin } = stage.acme
    for (const [name, code] of [
      [' ', '23514'],
      [null, '23502'],
      ['x'.repeat(121), '23514'],
      ['Tidewater', '23505'],
      [' Tidewater ', '23505'],
    ]) {
      expect(await stage.refuses(admin, create, [name, false])).toBe(code)
    }
  })

  test('is made, and shares no tickets unless that is said', async () => {
    const { admin, organizationId } = stage.acme
    for (const said of [false, null]) {
      const made = await stage.does(admin, create, [` ${randomUUID()} `, said])
      expect(made).toMatchObject({ organization_id: organizationId, shares_tickets: false })
    }
    expect(await stage.does(admin, create, ['Shared', true])).toMatchObject({
      name: 'Shared',
      shares_tickets: true,
    })
  })

  test('of another organization is not removed', async () => {
    for (const id of [stage.globex.companyId, randomUUID()]) {
      expect(await stage.refuses(stage.acme.admin, remove, [id])).toBe('AD101')
    }
  })

  test('goes, and its people and tickets stay', async () => {
    const { admin } = stage.globex
    const ticketsOf = () =>
      value<string[]>(
        stage.superuser,
        'select array_agg(distinct coalesce(company_id::text, $2)) from app_public.tickets where organization_id = $1',
        [stage.globex.organizationId, 'none'],
      )
    expect(await ticketsOf()).toEqual([stage.globex.companyId])
    await stage.does({ ...admin, requestId: 'removing' }, remove, [stage.globex.companyId])
    expect(await ticketsOf()).toEqual(['none'])
    expect(
      await value(
        stage.superuser,
        'select count(*)::int from app_public.users where organization_id = $1 and company_id is null',
        [stage.globex.organizationId],
      ),
    ).toBe(5)
    expect(
      await value(
        stage.superuser,
        `select actor_id from app_public.audit_log where request_id = 'removing' and operation = 'delete' and table_name = 'app_public.companies'`,
      ),
    ).toBe(admin.userId)
  })
})

describe('a ticket', () => {
  const open = (actor = stage.acme.agent, requesterId = stage.acme.customer.userId) =>
    stage.does<{ id: string; company_id: string | null }>(
      actor,
      `select to_jsonb(made) from app_public.create_ticket('A subject', 'A body', requester_id => $1) as made`,
      [requesterId],
    )

  test('belongs to the company its requester works for, whoever opens it', async () => {
    const { companyId, agent, customer } = stage.acme
    expect((await open()).company_id).toBe(companyId)
    expect((await open(customer)).company_id).toBe(companyId)
    expect((await open(agent, agent.userId)).company_id).toBe(null)
  })

  test('stays with the company when its requester goes to another', async () => {
    const { companyId, organizationId } = stage.acme
    const { userId } = await newcomer(stage.acme)
    const work = (id: string) =>
      stage.superuser.query('update app_public.users set company_id = $2 where id = $1', [userId, id])
    await work(companyId)
    const { id } = await open(stage.acme.agent, userId)
    const other = await value<string>(
      stage.superuser,
      `insert into app_public.companies (organization_id, name) values ($1, 'Another one') returning id`,
      [organizationId],
    )
    await work(other)
    await stage.does(
      stage.acme.agent,
      `update app_public.tickets set subject = 'Changed' where id = $1 returning id`,
      [id],
    )
    expect(
      await value(stage.superuser, 'select company_id from app_public.tickets where id = $1', [id]),
    ).toBe(companyId)
    expect((await open(stage.acme.agent, userId)).company_id).toBe(other)
  })
})

describe('what happens to a ticket is heard', () => {
  const channels = () => {
    const { customer, neighbour } = stage.acme
    return { customer: `requester:${customer.userId}`, neighbour: `requester:${neighbour.userId}` }
  }
  async function heardOf(sql: string) {
    const listener = await stage.open(stage.database.serverUrl)
    const named = channels()
    const heard = await heardWhile(listener, Object.values(named), () =>
      stage.does(stage.acme.agent, sql, [stage.acme.ticketId]),
    )
    return Object.fromEntries(
      Object.entries(named).map(([who, channel]) => [who, heard[channel]!.map(({ event }) => event)]),
    )
  }
  const publicly = (subject: string) =>
    `update app_public.tickets set subject = '${subject}' where id = $1 returning id`

  test('by no colleague where a company does not share', async () => {
    expect(await heardOf(publicly('Kept apart'))).toEqual({ customer: ['subject_changed'], neighbour: [] })
  })

  test('by colleagues where it does: what is public, once', async () => {
    await share(true)
    expect(await heardOf(publicly('Shared'))).toEqual({
      customer: ['subject_changed'],
      neighbour: ['subject_changed'],
    })
    expect(
      await heardOf(`update app_public.tickets set priority = 'low' where id = $1 returning id`),
    ).toEqual({
      customer: [],
      neighbour: [],
    })
    expect(await heardOf(`select app_public.add_comment($1, 'Between us', 'internal')`)).toEqual({
      customer: [],
      neighbour: [],
    })
  })
})

describe('a colleague who answers', () => {
  const answer = (status: string) => async () => {
    const { agent, neighbour, ticketId } = stage.acme
    await share(true)
    await stage.does(agent, `update app_public.tickets set status = $2 where id = $1 returning id`, [
      ticketId,
      status,
    ])
    await stage.does(neighbour, `select app_public.add_comment($1, 'It still does not work')`, [ticketId])
    return value(stage.superuser, 'select status from app_public.tickets where id = $1', [ticketId])
  }

  test.each(['pending', 'on_hold', 'resolved'])(
    'opens a ticket that is %s again, as its requester would',
    async (status) => {
      expect(await answer(status)()).toBe('open')
    },
  )

  test('is no first response', async () => {
    const { agent, customer, neighbour } = stage.acme
    await share(true)
    const id = await stage.does<string>(
      customer,
      `select id from app_public.create_ticket('Another', 'A body')`,
    )
    const respondedAt = () =>
      value<Date | null>(stage.superuser, 'select first_responded_at from app_public.tickets where id = $1', [
        id,
      ])
    await stage.does(neighbour, `select app_public.add_comment($1, 'Here too')`, [id])
    expect(await respondedAt()).toBe(null)
    await stage.does(agent, `select app_public.add_comment($1, 'We are on it')`, [id])
    expect(await respondedAt()).not.toBe(null)
  })
})
