import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { connections } from '../support/connections.ts'
import { type Tenant, twoTenants } from '../support/fixture.ts'
import { sqlState } from '../support/refusals.ts'
import { type Actor, asRole, asRoleForGood, become } from '../support/session.ts'
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

interface Match {
  number: number
  subject: string
  excerpt: string | null
}

interface Found {
  matches: Match[]
  next_cursor: string | null
  is_capped: boolean
  is_mended: boolean
}

/** What a search answers; the caller has become somebody. */
async function found(query: string, first = 20, after: string | null = null): Promise<Found> {
  const { rows } = await server.query<Found>(
    `select
      search.next_cursor, search.is_capped, search.is_mended,
      coalesce(
        (
          select json_agg(json_build_object('number', ticket.number, 'subject', match.subject, 'excerpt', match.excerpt) order by place)
          from unnest(search.matches) with ordinality as match (organization_id, ticket_id, subject, excerpt, rank, place)
          join app_public.tickets as ticket on ticket.organization_id = match.organization_id and ticket.id = match.ticket_id
        ),
        '[]'
      ) as matches
    from app_public.search_tickets($1, $2, $3) as search`,
    [query, first, after],
  )
  return rows[0]!
}

const numbers = async (query: string) => (await found(query)).matches.map(({ number }) => number)

test('debug', async () => {
  await asRole(server, acme.agent, async () => {
    console.log(JSON.stringify(await found('network')))
    console.log(JSON.stringify(await found('netw')))
    console.log(JSON.stringify(await found('nettwork')))
    console.log(JSON.stringify(await found('switch -printer status:open assignee:none created:>2020-01-01')))
    console.log(JSON.stringify(await found('1')))
    console.log(JSON.stringify(await found('"no printer"')))
    console.log(JSON.stringify(await found('requester:customer is:unresolved')))
  })
  await asRole(server, acme.customer, async () => {
    console.log(JSON.stringify(await found('network')))
    console.log(JSON.stringify(await found('switch')))
    console.log(JSON.stringify(await found('printer')))
    console.log(JSON.stringify(await found('network -switch')))
  })
})
void [superuser, globex, sqlState, asRoleForGood, become, createTicket, describe, expect] as unknown as [Actor, Ticket]
