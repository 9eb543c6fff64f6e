import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, nodeId, startTestServer, type Tenant, type TestServer } from './testing.ts'

let desk: TestServer
let acme: Tenant
let globex: Tenant

beforeAll(async () => {
  desk = await startTestServer()
  ;({ acme, globex } = desk)
})

afterAll(() => desk.close())

/** Everything about the other tenant that an answer must not hold. */
const tracesOf = (tenant: Tenant) =>
  [
    tenant.id,
    tenant.slug,
    ...Object.values(tenant).flatMap((value) => (typeof value === 'object' ? [value.id] : [])),
  ].concat('Secret of globex', 'Neighbour of globex')

function expectNoTrace(text: string) {
  for (const trace of tracesOf(globex)) expect(text).not.toContain(trace)
}

const auditSize = async () => {
  const { rows } = await desk.superuser.query<{ n: number }>(
    'select count(*)::int as n from app_public.audit_log',
  )
  return rows[0]!.n
}

describe('the id of another tenant', () => {
  test('is the id of nothing where a row is read', async () => {
    for (const person of [acme.customer, acme.agent, acme.manager, acme.admin]) {
      const answer = await ask(
        desk,
        person,
        `query ($ticket: ID!, $user: ID!, $team: ID!) {
          ticket(id: $ticket) { subject }
          node(id: $ticket) { id }
          user(id: $user) { name }
          organization: node(id: "${nodeId('Organization', globex.slug)}") { id ... on Organization { name } }
          none: node(id: $team) { id }
        }`,
        {
          ticket: nodeId('Ticket', globex.ticketId),
          user: nodeId('User', globex.agent.id),
          team: nodeId('Comment', globex.teamId),
        },
      )
      expect(answer.status).toBe(200)
      expect(answer.errors).toEqual([])
      expect(answer.data).toEqual({ ticket: null, node: null, user: null, organization: null, none: null })
    }
  })

  test('is the id of nothing where a list is filtered by it', async () => {
    const answer = await ask(
      desk,
      acme.admin,
      `query ($ticket: UUID!, $person: UUID!, $service: UUID!, $team: UUID!) {
        a: tickets(filter: { rowId: { equalTo: $ticket } }) { totalCount nodes { subject } }
        b: tickets(filter: { requesterId: { equalTo: $person } }) { totalCount nodes { subject } }
        c: tickets(filter: { serviceId: { equalTo: $service } }) { totalCount }
        d: users(filter: { rowId: { in: [$person] } }) { totalCount nodes { email } }
        e: teams(filter: { rowId: { equalTo: $team } }) { totalCount nodes { name } }
        f: auditLogs(filter: { changedRowId: { equalTo: $ticket } }) { totalCount }
      }`,
      { ticket: globex.ticketId, person: globex.customer.id, service: globex.serviceId, team: globex.teamId },
    )
    expect(answer.errors).toEqual([])
    expect(Object.values(answer.data as object).map(({ totalCount }) => totalCount)).toEqual([
      0, 0, 0, 0, 0, 0,
    ])
    expectNoTrace(answer.text)
  })

  test('is refused wherever something would be written, and nothing is', async () => {
    const before = await auditSize()
    const create = `mutation ($input: CreateTicketInput!) { createTicket(input: $input) { ticket { id } } }`
    const update = `mutation ($input: UpdateTicketInput!) { updateTicket(input: $input) { ticket { id } } }`
    const comment = `mutation ($input: AddCommentInput!) { addComment(input: $input) { comment { id } } }`
    const own = nodeId('Ticket', acme.ticketId)
    const text = { subject: 'Hello', body: 'Hello' }
    const attempts: [string, Record<string, unknown>, string][] = [
      [comment, { ticketId: globex.ticketId, body: 'Hello' }, 'NOT_FOUND'],
      [update, { id: nodeId('Ticket', globex.ticketId), patch: { subject: 'Mine' } }, 'NOT_FOUND'],
      [update, { id: nodeId('User', acme.agent.id), patch: { subject: 'Mine' } }, 'NOT_FOUND'],
      [update, { id: 'garbage', patch: { subject: 'Mine' } }, 'NOT_FOUND'],
      [update, { id: own, patch: { serviceId: globex.serviceId } }, 'NOT_FOUND'],
      [update, { id: own, patch: { teamId: globex.teamId } }, 'NOT_FOUND'],
      [update, { id: own, patch: { assigneeId: globex.agent.id } }, 'NOT_FOUND'],
      [create, { ...text, serviceId: globex.serviceId }, 'NOT_FOUND'],
      [create, { ...text, requesterId: globex.customer.id }, 'NOT_FOUND'],
    ]
    for (const [query, input, code] of attempts) {
      const answer = await ask(desk, acme.agent, query, { input })
      expect(answer.codes, JSON.stringify(input)).toEqual([code])
      expect(answer.status).toBe(200)
      expectNoTrace(answer.text)
    }
    expect(await auditSize()).toBe(before)
    const { rows } = await desk.superuser.query('select subject from app_public.tickets where id = $1', [
      globex.ticketId,
    ])
    expect(rows).toEqual([{ subject: 'Secret of globex' }])
  })

  test('is found in no list and by no number', async () => {
    const { rows } = await desk.superuser.query<{ id: string }>(
      `select app_public.tickets.id from app_public.tickets where organization_id = $1 and number = $2`,
      [globex.id, globex.ticketNumber],
    )
    expect(rows).toHaveLength(1)
    for (const person of [acme.customer, acme.agent, acme.admin]) {
      const answer = await ask(
        desk,
        person,
        `{ ticketByNumber(number: ${globex.ticketNumber}) { rowId } tickets(first: 100) { nodes { rowId subject } } }`,
      )
      expect(answer.errors).toEqual([])
      expect(answer.data.ticketByNumber.rowId).toBe(acme.ticketId)
      expectNoTrace(answer.text)
    }
  })
})

describe('a customer', () => {
  test('sees nothing of another customer, nor what is internal', async () => {
    const answer = await ask(
      desk,
      acme.customer,
      `{ tickets { nodes { rowId comments { nodes { body } } ticketEvents { nodes { visibility } } } }
         other: ticket(id: "${nodeId('Ticket', acme.neighbourTicketId)}") { id } 
         users { nodes { rowId } } }`,
    )
    expect(answer.errors).toEqual([])
    expect(answer.data.tickets.nodes).toHaveLength(1)
    expect(answer.data.other).toBeNull()
    expect(answer.text).not.toContain('The switch again')
    expect(answer.text).not.toContain('internal')
    expect(answer.text).not.toContain(acme.neighbour.id)
  })

  test.each([
    ['the mail addresses of others', '{ users { nodes { email } } }'],
    ['clocks', '{ tickets { nodes { slaCalculations { nodes { id } } } } }'],
    ['teams', '{ teams { nodes { id } } }'],
    ['the inbox', '{ inboxCounts { open } }'],
    ['the audit log', '{ auditLogs { nodes { id } } }'],
    ['the audit chain', '{ verifyAuditChain { verified } }'],
    ['service levels', '{ slaPolicies { nodes { id } } }'],
  ])('may not read %s', async (_what, query) => {
    const answer = await ask(desk, acme.customer, query)
    expect(answer.codes).toEqual(['FORBIDDEN'])
    expect(answer.data).toBeNull()
  })

  test('may not do what staff do', async () => {
    const update = `mutation ($input: UpdateTicketInput!) { updateTicket(input: $input) { ticket { id } } }`
    const comment = `mutation ($input: AddCommentInput!) { addComment(input: $input) { comment { id } } }`
    const create = `mutation ($input: CreateTicketInput!) { createTicket(input: $input) { ticket { id } } }`
    const codes = async (query: string, input: unknown) =>
      (await ask(desk, acme.customer, query, { input })).codes
    expect(await codes(update, { id: nodeId('Ticket', acme.ticketId), patch: { status: 'closed' } })).toEqual(
      ['FORBIDDEN'],
    )
    expect(await codes(comment, { ticketId: acme.ticketId, body: 'x', visibility: 'internal' })).toEqual([
      'FORBIDDEN',
    ])
    expect(await codes(comment, { ticketId: acme.ticketId, body: 'x', status: 'closed' })).toEqual([
      'FORBIDDEN',
    ])
    expect(await codes(comment, { ticketId: acme.neighbourTicketId, body: 'x' })).toEqual(['NOT_FOUND'])
    expect(await codes(create, { subject: 'x', body: 'x', requesterId: acme.neighbour.id })).toEqual([
      'FORBIDDEN',
    ])
  })
})

describe('a stranger', () => {
  test('is nobody and sees nothing', async () => {
    expect((await ask(desk, null, '{ currentUser { name } currentOrganization { name } }')).data).toEqual({
      currentUser: null,
      currentOrganization: null,
    })
    for (const query of [
      '{ tickets { nodes { id } } }',
      '{ users { nodes { id } } }',
      '{ inboxCounts { open } }',
      `{ ticket(id: "${nodeId('Ticket', acme.ticketId)}") { id } }`,
      `{ ticketByNumber(number: 1001) { id } }`,
      `mutation { createTicket(input: { subject: "x", body: "x" }) { ticket { id } } }`,
      `mutation { updateTicket(input: { id: "${nodeId('Ticket', acme.ticketId)}", patch: { subject: "x" } }) { ticket { id } } }`,
    ]) {
      const answer = await ask(desk, null, query)
      expect({ status: answer.status, codes: answer.codes }, query).toEqual({
        status: 401,
        codes: ['UNAUTHENTICATED'],
      })
    }
  })
})

test('the schema asks for no organization and repeats none', async () => {
  const { printSchema } = await import('postgraphile/graphql')
  const text = printSchema(await desk.server.graphql.ready).replaceAll(/"""[\s\S]*?"""/g, '')
  expect(text).toContain('type Organization')
  expect(text).not.toMatch(/organization_?id/i)
  expect(text).not.toMatch(/chainScope|clientMutationId/)
})

test('global ids hold no organization', async () => {
  const answer = await ask(
    desk,
    acme.admin,
    `{ currentOrganization { id } currentUser { id } tickets(first: 5) { nodes { id comments { nodes { id } } ticketEvents { nodes { id } }
       slaCalculations { nodes { id } } } } teams { nodes { id } } services { nodes { id } } auditLogs { nodes { id } }
       slaPolicies { nodes { id slaTargets { nodes { id } } } } }`,
  )
  expect(answer.errors).toEqual([])
  const ids = [...answer.text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) =>
    Buffer.from(id!, 'base64').toString(),
  )
  expect(ids.length).toBeGreaterThan(20)
  for (const id of ids) expect(id).not.toContain(acme.id)
})
