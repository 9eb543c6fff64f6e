import { afterEach, describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, touches } = stage
const staff = () => [stage.acme.agent, stage.acme.manager, stage.acme.admin]
const everybody = () => [stage.acme.customer, ...staff()]

const share = (sharesTickets: boolean, companyId = stage.acme.companyId) =>
  stage.superuser.query('update app_public.companies set shares_tickets = $1 where id = $2', [
    sharesTickets,
    companyId,
  ])

afterEach(() => share(false))

const comment = `insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body) values ($1, $2, $3, $4, 'x')`
const commentOn = (
  actor: { organizationId?: string; userId: string },
  ticketId: string,
  visibility = 'public',
) => [actor.organizationId, ticketId, actor.userId, visibility]

describe('a company', () => {
  test('is not there for who is not logged in, or of another organization', async () => {
    for (const role of [
      'atum_anonymous',
      'atum_server',
      'atum_worker',
      'atum_operator',
      'atum_reporting',
    ] as const) {
      expect(await refuses({ ...stage.acme.admin, role }, 'select id from app_public.companies')).toBe(
        '42501',
      )
    }
    for (const { role, ...actor } of everybody()) {
      expect(await sees({ role }, 'select id from app_public.companies')).toEqual([])
      expect(
        await sees({ role, ...actor }, 'select id from app_public.companies where id = $1', [
          stage.globex.companyId,
        ]),
      ).toEqual([])
    }
  })

  test('is known to staff, and to who works for it', async () => {
    const { acme, superuser } = stage
    await superuser.query(`insert into app_public.companies (organization_id, name) values ($1, 'Another')`, [
      acme.organizationId,
    ])
    const names = 'select name from app_public.companies order by name'
    for (const actor of staff()) expect(await sees(actor, names)).toEqual(['Another', 'Tidewater'])
    expect(await sees(acme.customer, names)).toEqual(['Tidewater'])
    await superuser.query('update app_public.users set company_id = null where id = $1', [
      acme.customer.userId,
    ])
    expect(await sees(acme.customer, names)).toEqual([])
    await superuser.query('update app_public.users set company_id = $2 where id = $1', [
      acme.customer.userId,
      acme.companyId,
    ])
  })

  test('is changed by admins, in its name and whether it shares, and by nobody else', async () => {
    const change = `update app_public.companies set name = 'Renamed', shares_tickets = true`
    const { acme, globex } = stage
    for (const actor of [acme.customer, acme.agent, acme.manager])
      expect(await refuses(actor, change)).toBe('42501')
    expect(await touches(acme.admin, `${change} where id = $1`, [acme.companyId])).toBe(1)
    expect(await touches(acme.admin, `${change} where id = $1`, [globex.companyId])).toBe(0)
    for (const column of ['id', 'organization_id', 'created_at', 'updated_at']) {
      expect(await refuses(acme.admin, `update app_public.companies set ${column} = ${column}`)).toBe('42501')
    }
  })

  test('is added and removed by nobody but the functions', async () => {
    for (const actor of everybody()) {
      expect(
        await refuses(actor, `insert into app_public.companies (organization_id, name) values ($1, 'x')`, [
          stage.acme.organizationId,
        ]),
      ).toBe('42501')
      expect(await refuses(actor, 'delete from app_public.companies')).toBe('42501')
    }
  })
})

describe('colleagues whose company does not share', () => {
  test('know nothing of each other and of the tickets', async () => {
    const { customer, neighbour, ticketId, neighbourTicketId } = stage.acme
    expect(await sees(customer, 'select id from app_public.tickets')).toEqual([ticketId])
    expect(await sees(customer, 'select id from app_public.users where id = $1', [neighbour.userId])).toEqual(
      [],
    )
    expect(
      await sees(customer, 'select id from app_public.comments where ticket_id = $1', [neighbourTicketId]),
    ).toEqual([])
    expect(await refuses(customer, comment, commentOn(customer, neighbourTicketId))).toBe('42501')
    expect(await refuses(customer, `select app_public.add_comment($1, 'x')`, [neighbourTicketId])).toBe(
      'AD101',
    )
  })
})

describe('colleagues whose company shares', () => {
  test('see and answer what is public on each other’s tickets, and no more', async () => {
    await share(true)
    const { neighbour, customer, ticketId, neighbourTicketId, publicCommentId, internalCommentId } =
      stage.acme
    expect((await sees(neighbour, 'select id from app_public.tickets')).toSorted()).toEqual(
      [ticketId, neighbourTicketId].toSorted(),
    )
    const comments = await sees(neighbour, 'select id from app_public.comments where ticket_id = $1', [
      ticketId,
    ])
    expect(comments).toContain(publicCommentId)
    expect(comments).not.toContain(internalCommentId)
    expect(
      await sees(neighbour, 'select distinct visibility from app_public.ticket_events where ticket_id = $1', [
        ticketId,
      ]),
    ).toEqual(['public'])
    expect(await refuses(neighbour, comment, commentOn(neighbour, ticketId))).toBe('accepted')
    expect(await refuses(neighbour, comment, commentOn(neighbour, ticketId, 'internal'))).toBe('42501')
    expect(await refuses(neighbour, comment, commentOn(customer, ticketId))).toBe('42501')
    expect(await refuses(neighbour, `select app_public.add_comment($1, 'x')`, [ticketId])).toBe('accepted')
  })

  test('know each other by name, and not by address', async () => {
    await share(true)
    const { customer, neighbour } = stage.acme
    expect(
      await sees(customer, `select name from app_public.users where role = 'customer' order by name`),
    ).toEqual(['customer of acme', 'neighbour of acme'])
    expect(
      await refuses(customer, 'select email from app_public.users where id = $1', [neighbour.userId]),
    ).toBe('42501')
  })

  test('open no ticket in each other’s name, and change none', async () => {
    await share(true)
    const { customer, neighbour } = stage.acme
    expect(
      await refuses(customer, `select app_public.create_ticket('A subject', 'A body', requester_id => $1)`, [
        neighbour.userId,
      ]),
    ).toBe('42501')
    expect(await refuses(customer, `update app_public.tickets set subject = 'x'`)).toBe('42501')
    expect(
      await refuses(customer, `update app_public.users set name = 'x' where id = $1 returning id`, [
        neighbour.userId,
      ]),
    ).toBe('accepted')
    expect(
      await touches(customer, `update app_public.users set name = 'x' where id = $1`, [neighbour.userId]),
    ).toBe(0)
  })

  test('share with nobody of another company, and with nobody of none', async () => {
    const { acme, superuser } = stage
    await share(true)
    const other = await superuser.query<{ id: string }>(
      `insert into app_public.companies (organization_id, name, shares_tickets) values ($1, 'Sharing too', true) returning id`,
      [acme.organizationId],
    )
    for (const companyId of [other.rows[0]!.id, null]) {
      await superuser.query('update app_public.users set company_id = $2 where id = $1', [
        acme.neighbour.userId,
        companyId,
      ])
      // The own ones stay; and what was opened for the company stays with the company.
      expect(await sees(acme.neighbour, 'select id from app_public.tickets')).toEqual([
        acme.neighbourTicketId,
      ])
      expect(
        await sees(acme.neighbour, 'select id from app_public.users where id = $1', [acme.customer.userId]),
      ).toEqual([])
      expect((await sees(acme.customer, 'select id from app_public.tickets')).toSorted()).toEqual(
        [acme.ticketId, acme.neighbourTicketId].toSorted(),
      )
    }
    await superuser.query('update app_public.users set company_id = $2 where id = $1', [
      acme.neighbour.userId,
      acme.companyId,
    ])
  })
})
