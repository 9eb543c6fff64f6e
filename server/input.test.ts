import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, nodeId, startTestServer, type TestServer } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

test('a filter that asks for nothing, and a time that is none, are no faults of ours', async () => {
  const answer = (filter: string) =>
    ask(desk, desk.acme.agent, `{ tickets(filter: ${filter}) { totalCount } }`)
  for (const filter of ['{}', 'null', '{ status: {} }', '{ status: null }', '{ or: [{}] }', '{ not: {} }']) {
    expect((await answer(filter)).codes, filter).toEqual([])
  }
  for (const time of ['2026-11-22T01:33:32+99:99', 'noon', '2026-13-01T00:00:00Z']) {
    expect((await answer(`{ createdAt: { greaterThan: "${time}" } }`)).codes, time).toEqual(['INVALID_INPUT'])
  }
})

describe('limits', () => {
  const codesOf = async (query: string, variables?: Record<string, unknown>) =>
    (await ask(desk, desk.acme.agent, query, variables)).codes

  test('depth', async () => {
    const deep = (levels: number) =>
      `{ tickets(first: 1) { nodes { ${'comments(first: 1) { nodes { ticket { '.repeat(levels)} id ${'} } }'.repeat(levels)} } } }`
    expect(await codesOf(deep(3))).toEqual([])
    expect(await codesOf(deep(4))).toEqual(['QUERY_TOO_DEEP'])
    const byFragments = `{ tickets(first: 1) { nodes { ...a } } }
      ${['a', 'b', 'c', 'd'].map((name, index, all) => `fragment ${name} on Ticket { comments(first: 1) { nodes { ticket { ${all[index + 1] ? `...${all[index + 1]}` : 'id'} } } } }`).join('\n')}`
    expect(await codesOf(byFragments)).toEqual(['QUERY_TOO_DEEP'])
  })

  test('cost, with lists as long as they may get', async () => {
    const nested = (first: string) =>
      `query ${first === '$n' ? '($n: Int)' : ''} { tickets(first: ${first}) { nodes { comments(first: ${first}) { nodes { id rowId body createdAt } } } } }`
    expect(await codesOf(nested('20'))).toEqual([])
    expect(await codesOf(nested('100'))).toEqual(['QUERY_TOO_EXPENSIVE'])
    // What a variable holds is not known when a query is checked, so it counts as the most.
    expect(await codesOf(nested('$n'), { n: 1 })).toEqual(['QUERY_TOO_EXPENSIVE'])
    const aliases = Array.from(
      { length: 60 },
      (_, index) => `a${index}: tickets { nodes { id subject number status priority createdAt updatedAt } }`,
    )
    expect(await codesOf(`{ ${aliases.join('\n')} }`)).toEqual(['QUERY_TOO_EXPENSIVE'])
    const fragments = Array.from(
      { length: 14 },
      (_, index) => `fragment f${index} on User { ...f${index + 1} ...f${index + 1} }`,
    )
    expect(
      await codesOf(`{ currentUser { ...f0 } } ${fragments.join('\n')} fragment f14 on User { id }`),
    ).toEqual(['QUERY_TOO_EXPENSIVE'])
    const changes = Array.from(
      { length: 30 },
      (_, index) =>
        `m${index}: addComment(input: { ticketId: "${desk.acme.ticketId}", body: "x" }) { comment { id } }`,
    )
    expect(await codesOf(`mutation { ${changes.join('\n')} }`)).toEqual(['QUERY_TOO_EXPENSIVE'])
  })

  test('pages', async () => {
    for (const first of [101, -1, 2_147_483_647]) {
      const answer = await ask(
        desk,
        desk.acme.agent,
        'query ($n: Int) { tickets(first: $n) { nodes { id } } }',
        { n: first },
      )
      expect(answer.errors[0]).toMatchObject({
        message: 'first must be between 0 and 100',
        extensions: { code: 'INVALID_INPUT', details: { field: 'first' } },
      })
    }
    expect(
      await codesOf('{ tickets(first: 1) { nodes { comments(first: 1000) { nodes { id } } } } }'),
    ).toContain('INVALID_INPUT')
    expect(await codesOf('{ tickets(first: 100) { nodes { id } } }')).toEqual([])
    expect(await codesOf('{ tickets(last: 1) { nodes { id } } }')).toEqual(['GRAPHQL_VALIDATION_FAILED'])
    expect(await codesOf('{ tickets(offset: 1) { nodes { id } } }')).toEqual(['GRAPHQL_VALIDATION_FAILED'])
  })

  test('a query that would take long to check is refused before it is', async () => {
    for (const query of [
      `{ currentUser { ${'name '.repeat(40_000)} } }`,
      `{ ${'inboxCounts { open } '.repeat(61)} }`,
      `{ currentUser { name } } ${Array.from({ length: 51 }, (_, index) => `fragment f${index} on User { name }`).join(' ')}`,
    ]) {
      expect(await codesOf(query)).toEqual(['QUERY_TOO_EXPENSIVE'])
    }
    expect(await codesOf(`{ ${'inboxCounts { open } '.repeat(40)} }`)).toEqual([])
    // Each took seconds to plan, and nobody else was served meanwhile.
    const aliases = (field: string) =>
      `{ ${Array.from({ length: 58 }, (_, index) => `a${index}: ${field}`).join(' ')} }`
    for (const field of [
      'node(id: "x") { ... on Ticket { requester { name } } ... on User { name } }',
      'ticketByNumber(number: 1) { id subject }',
    ]) {
      expect(await codesOf(aliases(field)), field).toEqual(['QUERY_TOO_EXPENSIVE'])
    }
    const filter = Array.from({ length: 3_000 }, () => ({ number: { equalTo: 1 } }))
    expect(
      await codesOf('query ($f: TicketFilter) { tickets(filter: $f) { nodes { id } } }', {
        f: { or: filter },
      }),
    ).toEqual(['QUERY_TOO_EXPENSIVE'])
  })
})

describe('input that is wrong', () => {
  const create =
    'mutation ($input: CreateTicketInput!) { createTicket(input: $input) { ticket { subject } } }'
  const comment = 'mutation ($input: AddCommentInput!) { addComment(input: $input) { comment { id } } }'
  const update = 'mutation ($input: UpdateTicketInput!) { updateTicket(input: $input) { ticket { id } } }'
  const errorOf = async (query: string, variables: Record<string, unknown>) => {
    const { errors, status, text } = await ask(desk, desk.acme.agent, query, variables)
    expect(text).not.toMatch(/violates|constraint|syntax|app_public|app_private/)
    expect(status).toBeLessThan(500)
    expect(errors).toHaveLength(1)
    const { code, details } = errors[0]!.extensions
    return details ? { code, details } : { code }
  }

  test('names the field', async () => {
    const own = nodeId('Ticket', desk.acme.ticketId)
    expect(await errorOf(create, { input: { subject: '', body: 'x' } })).toEqual({
      code: 'INVALID_INPUT',
      details: { field: 'subject' },
    })
    expect(await errorOf(create, { input: { subject: ' \n', body: 'x' } })).toEqual({
      code: 'INVALID_INPUT',
      details: { field: 'subject' },
    })
    expect(await errorOf(create, { input: { subject: 'x'.repeat(201), body: 'x' } })).toEqual({
      code: 'INVALID_INPUT',
      details: { field: 'subject' },
    })
    expect(await errorOf(create, { input: { subject: 'x', body: '' } })).toEqual({
      code: 'INVALID_INPUT',
      details: { field: 'body' },
    })
    expect(await errorOf(create, { input: { subject: 'x', body: 'x'.repeat(100_000) } })).toEqual({
      code: 'INVALID_INPUT',
      details: { field: 'body' },
    })
    expect(await errorOf(create, { input: { subject: 'x', body: 'x', clientMutationKey: 'short' } })).toEqual(
      { code: 'INVALID_INPUT', details: { field: 'clientMutationKey' } },
    )
    expect(await errorOf(comment, { input: { ticketId: desk.acme.ticketId, body: ' ' } })).toEqual({
      code: 'INVALID_INPUT',
      details: { field: 'body' },
    })
    expect(await errorOf(update, { input: { id: own, patch: { subject: null } } })).toEqual({
      code: 'INVALID_INPUT',
      details: { field: 'subject' },
    })
    expect(await errorOf(update, { input: { id: own, patch: { status: null } } })).toEqual({
      code: 'INVALID_INPUT',
      details: { field: 'status' },
    })
  })

  test.each<[string, string, Record<string, unknown>, string]>([
    ['a NUL', create, { input: { subject: 'a\0b', body: 'x' } }, 'INVALID_INPUT'],
    ['no subject', create, { input: { body: 'x' } }, 'INVALID_INPUT'],
    ['an id that is none', comment, { input: { ticketId: 'x', body: 'x' } }, 'INVALID_INPUT'],
    ['an id of nothing', comment, { input: { ticketId: crypto.randomUUID(), body: 'x' } }, 'NOT_FOUND'],
    ['an unknown status', update, { input: { id: 'x', patch: { status: 'gone' } } }, 'INVALID_INPUT'],
    [
      'a change of nothing',
      update,
      { input: { id: nodeId('Ticket', crypto.randomUUID()), patch: {} } },
      'INVALID_INPUT',
    ],
    [
      'a column that is not to be changed',
      update,
      { input: { id: 'x', patch: { number: 1 } } },
      'INVALID_INPUT',
    ],
    [
      'a number that is too large',
      'query ($n: Int!) { ticketByNumber(number: $n) { id } }',
      { n: 2 ** 40 },
      'INVALID_INPUT',
    ],
    [
      'a date that is none',
      'query ($d: Datetime!) { tickets(filter: { createdAt: { lessThan: $d } }) { totalCount } }',
      { d: 'soon' },
      'INVALID_INPUT',
    ],
    [
      'a cursor that is none',
      'query ($c: Cursor!) { tickets(after: $c) { nodes { id } } }',
      { c: 'garbage' },
      'INVALID_INPUT',
    ],
    [
      'a cursor of another list',
      'query ($c: Cursor!) { tickets(after: $c) { nodes { id } } }',
      { c: Buffer.from('["x","y"]').toString('base64') },
      'INVALID_INPUT',
    ],
  ])('%s', async (_what, query, variables, code) => {
    expect((await errorOf(query, variables)).code).toBe(code)
  })

  test('rules of the desk keep their own codes', async () => {
    const own = nodeId('Ticket', desk.acme.ticketId)
    expect(
      await errorOf(update, { input: { id: own, patch: { assigneeId: desk.acme.customer.id } } }),
    ).toEqual({ code: 'ASSIGNEE_NOT_STAFF' })
    expect(
      await errorOf(create, { input: { subject: 'x', body: 'x', serviceId: desk.acme.archivedServiceId } }),
    ).toEqual({ code: 'SERVICE_ARCHIVED' })
    expect(
      (await ask(desk, desk.acme.agent, update, { input: { id: own, patch: { status: 'open' } } })).errors,
    ).toEqual([])
    expect(await errorOf(update, { input: { id: own, patch: { status: 'new' } } })).toEqual({
      code: 'STATUS_MOVE_REFUSED',
    })
  })

  test.each([
    'not base64',
    nodeId('Ticket', 'x'),
    nodeId('Nothing', crypto.randomUUID()),
    Buffer.from('null').toString('base64'),
    Buffer.from('["Ticket"]').toString('base64'),
    '',
  ])('the global id %j is the id of nothing', async (id) => {
    const answer = await ask(
      desk,
      desk.acme.agent,
      'query ($id: ID!) { ticket(id: $id) { id } node(id: $id) { id } }',
      { id },
    )
    expect(answer).toMatchObject({ status: 200, errors: [], data: { ticket: null, node: null } })
  })
})

test('a name that is taken is a conflict, in the own organization only', async () => {
  const create = (person: { token: string }) =>
    ask(desk, person, 'mutation { createCompany(input: { name: "Initech" }) { company { name } } }')
  expect((await create(desk.acme.admin)).errors).toEqual([])
  expect(await create(desk.acme.admin)).toMatchObject({ codes: ['CONFLICT'], data: { createCompany: null } })
  expect((await create(desk.globex.admin)).errors).toEqual([])
})
