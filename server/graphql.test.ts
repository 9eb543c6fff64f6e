import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import jwt from 'jsonwebtoken'
import { createLogger } from './log.ts'
import { startServer } from './server.ts'
import { answerOf, ask, startTestServer, testEnvironment, type TestServer } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

const send = (init: RequestInit & { headers?: Record<string, string> }, path = '/graphql') =>
  fetch(`${desk.origin}${path}`, { method: 'POST', ...init })

const json = { 'content-type': 'application/json' }
const question = JSON.stringify({ query: '{ __typename }' })

describe('over HTTP is refused', () => {
  test.each<[string, RequestInit & { headers?: Record<string, string> }, number, string]>([
    ['GET', { method: 'GET' }, 405, 'METHOD_NOT_ALLOWED'],
    ['PUT', { method: 'PUT', headers: json, body: question }, 405, 'METHOD_NOT_ALLOWED'],
    ['no content type', { body: Buffer.from(question) }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a form', { body: new URLSearchParams({ query: '{ __typename }' }) }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'plain text',
      { body: question, headers: { 'content-type': 'text/plain' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a query as the body',
      { body: '{ __typename }', headers: { 'content-type': 'application/graphql' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['broken JSON', { body: '{"query":', headers: json }, 400, 'BAD_REQUEST'],
    ['an empty body', { body: '', headers: json }, 400, 'BAD_REQUEST'],
    ['a batch', { body: `[${question},${question}]`, headers: json }, 400, 'BAD_REQUEST'],
    ['no query', { body: '{}', headers: json }, 400, 'BAD_REQUEST'],
    ['a query that is a number', { body: '{"query":1}', headers: json }, 400, 'BAD_REQUEST'],
    [
      'variables that are a list',
      { body: '{"query":"{ __typename }","variables":[]}', headers: json },
      400,
      'BAD_REQUEST',
    ],
    ['a stored query', { body: '{"documentId":"x"}', headers: json }, 400, 'BAD_REQUEST'],
    ['a query that is none', { body: '{"query":"{"}', headers: json }, 400, 'BAD_REQUEST'],
    [
      'an unknown operation',
      { body: '{"query":"query A { __typename }","operationName":"B"}', headers: json },
      400,
      'BAD_REQUEST',
    ],
    [
      'an unknown field',
      { body: '{"query":"{ currentUser { shoeSize } }"}', headers: json },
      400,
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'a body of more than 256 kB',
      {
        body: JSON.stringify({ query: '{ __typename }', variables: { a: 'x'.repeat(262_144) } }),
        headers: json,
      },
      413,
      'PAYLOAD_TOO_LARGE',
    ],
    [
      'a subscription',
      { body: '{"query":"subscription { inboxChanged { ticketId } }"}', headers: json },
      400,
      'BAD_REQUEST',
    ],
  ])('%s', async (_what, init, status, code) => {
    const answer = await answerOf(await send(init))
    expect({ status: answer.status, codes: answer.codes }).toEqual({ status, codes: [code] })
    expect(answer.data).toBeNull()
  })

  test('a token that is expired, changed, unsigned, for somebody else or no token, and never as a stranger', async () => {
    const good = desk.acme.agent.token
    const [head = '', payload = '', signature = ''] = good.split('.')
    const claims = jwt.decode(good) as jwt.JwtPayload
    const [jwtSecret = ''] = desk.environment.jwtSecrets
    const { header } = jwt.decode(good, { complete: true })!
    const sign = (changes: object) =>
      jwt.sign({ ...claims, ...changes }, jwtSecret, { keyid: String(header.kid) })
    const none = Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url')
    const promoted = Buffer.from(JSON.stringify({ ...claims, role: 'admin' })).toString('base64url')
    expect((await ask(desk, { token: sign({}) }, '{ currentUser { name } }')).data.currentUser.name).toBe(
      'agent of acme',
    )
    for (const token of [
      sign({ exp: Math.floor(Date.now() / 1000) - 1 }),
      sign({ aud: 'another' }),
      `${head}.${promoted}.${signature}`,
      `${none}.${payload}.`,
      'garbage',
    ]) {
      const answer = await ask(desk, { token }, '{ currentUser { name } }')
      expect(answer).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'], data: null })
    }
    const other = await send({ headers: { ...json, authorization: 'Basic YTpi' }, body: question })
    expect(other.status).toBe(401)
    expect(other.headers.get('www-authenticate')).toContain('Bearer')
  })
})

describe('what works', () => {
  test('a retry with the same key makes one ticket and one comment', async () => {
    const create = `mutation ($key: String!) { createTicket(input: { subject: "Once", body: "Once", clientMutationKey: $key }) { ticket { id rowId reference } } }`
    const key = crypto.randomUUID()
    const answers = await Promise.all([1, 2, 3].map(() => ask(desk, desk.acme.customer, create, { key })))
    for (const answer of answers) expect(answer.errors).toEqual([])
    expect(new Set(answers.map(({ data }) => data.createTicket.ticket.rowId)).size).toBe(1)

    const { rowId } = answers[0]!.data.createTicket.ticket
    const comment = `mutation ($ticketId: UUID!, $key: String!) { addComment(input: { ticketId: $ticketId, body: "Once", clientMutationKey: $key }) { comment { id author { name } } } }`
    const comments = await Promise.all(
      [1, 2].map(() => ask(desk, desk.acme.customer, comment, { ticketId: rowId, key })),
    )
    expect(new Set(comments.map(({ data }) => data.addComment.comment.id)).size).toBe(1)
    const { rows } = await desk.superuser.query('select body from app_public.comments where ticket_id = $1', [
      rowId,
    ])
    expect(rows).toHaveLength(2)
  })

  test('an agent works a ticket from the first look to the last', async () => {
    const { agent, ticketNumber, teamId } = desk.acme
    const found = await ask(
      desk,
      agent,
      `{ ticketByNumber(number: ${ticketNumber}) { id rowId requester { name } comments(orderBy: CREATED_AT_ASC) { nodes { visibility author { name } } } } }`,
    )
    const { id, requester, comments } = found.data.ticketByNumber
    expect(requester).toEqual({ name: 'customer of acme' })
    expect(comments.nodes.map(({ visibility }: { visibility: string }) => visibility)).toEqual([
      'public',
      'public',
      'internal',
    ])
    const changed = await ask(
      desk,
      agent,
      `mutation ($input: UpdateTicketInput!) { updateTicket(input: $input) { ticket { status priority assignee { name } team { name } ticketEvents { nodes { type before after actor { name } } } } } }`,
      { input: { id, patch: { priority: 'urgent', status: 'resolved', assigneeId: agent.id, teamId } } },
    )
    expect(changed.errors).toEqual([])
    const { ticketEvents, ...ticket } = changed.data.updateTicket.ticket
    expect(ticket).toEqual({
      status: 'resolved',
      priority: 'urgent',
      assignee: { name: 'agent of acme' },
      team: { name: 'Network' },
    })
    expect(ticketEvents.nodes).toContainEqual({
      type: 'priority_changed',
      before: { priority: 'normal' },
      after: { priority: 'urgent' },
      actor: { name: 'agent of acme' },
    })
    const { rows } = await desk.superuser.query<{ role: string; request: string }>(
      `select actor_role as role, request_id as request from app_public.audit_log
       where organization_id = $1 and table_name = 'app_public.tickets' and operation = 'update' order by seq desc limit 1`,
      [desk.acme.id],
    )
    expect(rows[0]).toEqual({ role: 'atum_agent', request: expect.stringMatching(/^[\da-f-]{36}$/) })
  })

  test('pages follow each other without gap or overlap', async () => {
    const { admin, id } = desk.globex
    await desk.superuser.query(
      `insert into app_public.tickets (organization_id, subject, requester_id, created_at, updated_at)
       select $1, 'Page ' || n, $2, now(), '2026-01-01'::timestamptz + (n / 10) * interval '1 hour' from generate_series(1, 70) as n`,
      [id, desk.globex.customer.id],
    )
    const query = `query ($after: Cursor) { tickets(first: 25, after: $after, orderBy: UPDATED_AT_DESC) { totalCount nodes { rowId } pageInfo { hasNextPage endCursor } } }`
    const seen: string[] = []
    let after: string | null = null
    do {
      const { data }: Awaited<ReturnType<typeof ask>> = await ask(desk, admin, query, { after })
      seen.push(...data.tickets.nodes.map(({ rowId }: { rowId: string }) => rowId))
      expect(data.tickets.totalCount).toBe(72)
      after = data.tickets.pageInfo.hasNextPage ? data.tickets.pageInfo.endCursor : null
    } while (after)
    expect(seen).toHaveLength(72)
    expect(new Set(seen).size).toBe(72)
    const unsized = await ask(desk, admin, '{ tickets { nodes { id } } }')
    expect(unsized.data.tickets.nodes).toHaveLength(50)
  })

  test('a request keeps the name that a proxy of ours gave it, and gets one where that is none', async () => {
    const behindProxy = await startServer(
      { ...testEnvironment(desk.database.serverUrl), trustedProxies: 1 },
      createLogger('silent'),
    )
    const nameOf = async (port: number, given: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { 'x-request-id': given } })
      return answer.headers.get('x-request-id')
    }
    const { port } = behindProxy.address
    expect(await nameOf(port, 'nginx-0123456789abcdef')).toBe('nginx-0123456789abcdef')
    for (const given of ['a b', 'x'.repeat(65)]) expect(await nameOf(port, given)).toMatch(/^[\da-f-]{36}$/)
    await behindProxy.stop()
    // Anybody can say anything where no proxy stands in front.
    expect(await nameOf(desk.server.address.port, 'nginx-0123456789abcdef')).toMatch(/^[\da-f-]{36}$/)
  })
})

describe('in production', () => {
  let production: { origin: string; stop(): Promise<void> }

  beforeAll(async () => {
    const server = await startServer(
      { ...testEnvironment(desk.database.serverUrl), production: true },
      createLogger('silent'),
    )
    await server.graphql.ready
    production = { origin: `http://127.0.0.1:${server.address.port}`, stop: () => server.stop() }
  })

  afterAll(() => production.stop())

  test('the schema is told to admins only', async () => {
    for (const query of [
      '{ __schema { types { name } } }',
      '{ __type(name: "Ticket") { name } }',
      'query A { currentUser { ...f } } fragment f on User { name } query B { __schema { queryType { name } } }',
    ]) {
      for (const person of [null, desk.acme.customer, desk.acme.agent]) {
        const answer = await ask(production, person, query)
        expect(answer).toMatchObject({ status: 400, codes: ['INTROSPECTION_DISABLED'], data: null })
      }
    }
    expect((await ask(production, desk.acme.admin, '{ __schema { queryType { name } } }')).errors).toEqual([])
    expect(
      (await ask(production, desk.acme.agent, '{ __typename currentUser { __typename } }')).errors,
    ).toEqual([])
    expect((await ask(desk, desk.acme.agent, '{ __schema { queryType { name } } }')).errors).toEqual([])
  })

  test('names are not suggested', async () => {
    const query = '{ tickts { nodes { id } } currentUser { nam } }'
    expect((await ask(desk, desk.acme.agent, query)).text).toContain('Did you mean')
    const answer = await ask(production, desk.acme.agent, query)
    expect(answer.codes).toEqual(['GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_VALIDATION_FAILED'])
    expect(answer.text).not.toContain('Did you mean')
    const patch = await ask(
      production,
      desk.acme.agent,
      'mutation ($i: UpdateTicketInput!) { updateTicket(input: $i) { ticket { id } } }',
      { i: { id: 'x', patch: { statu: 'open', status: 'opn' } } },
    )
    expect(patch.codes[0]).toBe('INVALID_INPUT')
    expect(patch.text).not.toContain('Did you mean')
  })

  test('there is no GraphiQL, which elsewhere comes wholly from the server', async () => {
    const page = (origin: string) => fetch(`${origin}/graphiql`, { headers: { accept: 'text/html' } })
    expect((await page(production.origin)).status).toBe(404)
    const development = await page(desk.origin)
    expect(development.status).toBe(200)
    expect(await development.text()).not.toMatch(/https?:/)
    expect((await fetch(`${desk.origin}/ruru-static/ruru.js`)).status).toBe(200)
  })
})

test('a fault of ours is told by an id and nothing else', async () => {
  await desk.superuser.query('alter function app_public.inbox_counts() rename to inbox_counts_gone')
  try {
    const answer = await ask(desk, desk.acme.agent, '{ inboxCounts { open } }')
    expect(answer.codes).toEqual(['INTERNAL'])
    expect(answer.errors[0]!.extensions.details).toEqual({ errorId: expect.stringMatching(/^[\da-f-]{36}$/) })
    expect(answer.text).not.toMatch(/inbox_counts|function|exist/)
  } finally {
    await desk.superuser.query('alter function app_public.inbox_counts_gone() rename to inbox_counts')
  }
})

test('a statement that takes too long is given up and said so', async () => {
  await desk.superuser.query(`
    create or replace function app_public.ticket_by_number(number integer) returns app_public.tickets language plpgsql stable as $$
    begin
      perform pg_sleep(5);
      return null;
    end $$`)
  await desk.superuser.query(
    `alter role atum_server in database ${desk.database.name} set statement_timeout = '300ms'`,
  )
  const server = await startServer(testEnvironment(desk.database.serverUrl), createLogger('silent'))
  try {
    await server.graphql.ready
    const answer = await ask(
      { origin: `http://127.0.0.1:${server.address.port}` },
      desk.acme.agent,
      '{ ticketByNumber(number: 1) { id } }',
    )
    expect(answer.codes).toEqual(['TIMEOUT'])
  } finally {
    await server.stop()
  }
})
