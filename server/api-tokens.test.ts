import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checksumOf, isApiToken, isWellFormed } from './api-tokens.ts'
import { createLogger } from './log.ts'
import { startServer } from './server.ts'
import {
  ask,
  createPerson,
  nodeId,
  startTestServer,
  TestSocket,
  type Person,
  type TestServer,
} from './testing.ts'

let desk: TestServer
let people = 0

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

beforeEach(() => expect.poll(() => desk.server.revocations.isComplete).toBe(true))

const newcomer = (role: Person['role']) => {
  people += 1
  return createPerson(desk.superuser, desk.server, desk.acme, `owner-${people}`, role)
}

async function apiToken(person: { token: string }, scopes: string[], expiresAt: string | null = null) {
  const { data, errors } = await ask(
    desk,
    person,
    `mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { madeApiToken { rowId secret } } }`,
    { input: { name: 'For a test', scopes, expiresAt } },
  )
  expect(errors).toEqual([])
  const { rowId, secret } = data.createApiToken.madeApiToken
  return { id: rowId as string, token: secret as string }
}

const random = () => {
  const text = `atum_${crypto.randomUUID().replaceAll('-', '')}0123456789abcdef`
  return text + checksumOf(text)
}

const createTicket = `mutation { createTicket(input: { subject: "By a program", body: "x" }) { ticket { channel requester { rowId } } } }`
const whoAmI = '{ currentUser { rowId } }'

describe('refuses', () => {
  test('what is not well-formed, so that nobody is asked about a slip of the pen', async () => {
    const { token } = await apiToken(desk.acme.agent, ['read'])
    expect(isWellFormed(token)).toBe(true)
    expect(isWellFormed(random())).toBe(true)
    for (const wrong of [
      '',
      'atum_',
      token.slice(0, -1),
      `${token}0`,
      ` ${token}`,
      token.toUpperCase(),
      token.replace('atum_', 'ATUM_'),
      `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`,
      `atum_${token[5] === '0' ? '1' : '0'}${token.slice(6)}`,
    ]) {
      expect(isWellFormed(wrong), wrong).toBe(false)
    }
    expect(isApiToken('eyJhbGciOiJIUzI1NiJ9.e30.x')).toBe(false)
    const answer = await ask(desk, { token: `${token.slice(0, -1)}x` }, whoAmI)
    expect(answer).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'], data: null })
  })

  test('one that nobody made, one that has ended, and one of a person who has not proved the address', async () => {
    const expired = await apiToken(desk.acme.agent, ['read'])
    await desk.superuser.query(
      `update app_public.api_tokens set expires_at = now() - interval '1 second' where id = $1`,
      [expired.id],
    )
    const invited = await newcomer('agent')
    const early = await apiToken(invited, ['read'])
    await desk.superuser.query('update app_public.users set activated_at = null where id = $1', [invited.id])
    for (const token of [random(), expired.token, early.token]) {
      expect(await ask(desk, { token }, whoAmI)).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] })
      const socket = await new TestSocket(desk.origin).open()
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })
      expect(await socket.closed).toEqual({ code: 4403, reason: 'UNAUTHENTICATED' })
    }
  })

  test('to write by a token that may read, over HTTP and over a socket, and whatever the query is called', async () => {
    const program = await apiToken(desk.acme.agent, ['read'])
    expect((await ask(desk, program, '{ tickets { totalCount } }')).codes).toEqual([])
    expect(await ask(desk, program, createTicket)).toMatchObject({ codes: ['TOKEN_SCOPE_MISSING'] })
    const socket = await (await new TestSocket(desk.origin).open()).logIn(program)
    socket.subscribe('write', createTicket)
    const { payload } = await socket.until(({ id }) => id === 'write')
    expect(payload).toMatchObject({ errors: [{ extensions: { code: 'TOKEN_SCOPE_MISSING' } }] })
    socket.close()
    const { rows } = await desk.superuser.query(
      `select from app_public.tickets where subject = 'By a program' and requester_id = $1`,
      [desk.acme.agent.id],
    )
    expect(rows).toHaveLength(0)
  })

  test('what only a person may do', async () => {
    const person = await newcomer('admin')
    const program = await apiToken(person, ['admin:write'])
    const another = `mutation { createApiToken(input: { name: "Another", scopes: ["read"] }) { madeApiToken { secret } } }`
    expect((await ask(desk, program, another)).codes).toEqual(['SESSION_REQUIRED'])
    const ending = `mutation { endOtherSessions(input: {}) { __typename } }`
    expect((await ask(desk, program, ending)).codes).toEqual(['SESSION_REQUIRED'])
  })

  test('what the person may not, and what the scopes do not give', async () => {
    const admin = await newcomer('admin')
    const byScopes = await apiToken(admin, ['read', 'tickets:write'])
    const byPerson = await apiToken(await newcomer('customer'), ['read', 'tickets:write'])
    expect((await ask(desk, byScopes, '{ auditLogs { totalCount } }')).codes).toEqual(['FORBIDDEN'])
    const rename = await ask(
      desk,
      byScopes,
      `mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { name } } }`,
      { input: { id: nodeId('User', desk.acme.agent.id), patch: { role: 'admin' } } },
    )
    expect(rename.data?.updateUser ?? null).toBeNull()
    expect((await ask(desk, byPerson, '{ tickets { totalCount } }')).data).toEqual({
      tickets: { totalCount: 0 },
    })
  })
})

test('a token that writes acts for its person, and is remembered as used', async () => {
  const person = await newcomer('customer')
  const program = await apiToken(person, ['read', 'tickets:write'])
  const { data } = await ask(desk, program, createTicket)
  expect(data.createTicket.ticket.requester).toEqual({ rowId: person.id })
  const { rows } = await desk.superuser.query(
    'select host(last_used_ip) as ip from app_public.api_tokens where id = $1 and last_used_at is not null',
    [program.id],
  )
  expect(rows).toEqual([{ ip: '127.0.0.1' }])
})

test('a use from a new address is on record: of whom, from where and in which request', async () => {
  const person = await newcomer('agent')
  const { id, token } = await apiToken(person, ['read'])
  const response = await fetch(`${desk.origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: whoAmI }),
  })
  await ask(desk, { token }, whoAmI)
  const { rows } = await desk.superuser.query(
    `select actor_id, host(ip_address) as ip, request_id from app_public.audit_log
     where operation = 'api_token_new_address' and row_id = $1`,
    [id],
  )
  expect(rows).toEqual([
    { actor_id: person.id, ip: '127.0.0.1', request_id: response.headers.get('x-request-id') },
  ])
})

test('follows what happens over a socket, also one that may only read', async () => {
  const program = await apiToken(desk.acme.agent, ['read'])
  const socket = await (await new TestSocket(desk.origin).open()).logIn(program)
  socket.subscribe('1', 'subscription ($t: UUID!) { ticketChanged(ticketId: $t) { event } }', {
    t: desk.acme.ticketId,
  })
  await expect.poll(() => desk.server.notifications.channels).toContain(`ticket:${desk.acme.ticketId}:staff`)
  const comment = `mutation ($t: UUID!) { addComment(input: { ticketId: $t, body: "x" }) { comment { rowId } } }`
  expect((await ask(desk, desk.acme.agent, comment, { t: desk.acme.ticketId })).codes).toEqual([])
  expect(await socket.until(({ id }) => id === '1')).toMatchObject({ type: 'next' })
  socket.close()
})

test('a socket closes when its token ends, and the token is refused from then on', async () => {
  const person = await newcomer('agent')
  const end = Math.ceil(Date.now() / 1_000) + 1
  const program = await apiToken(person, ['read'], new Date(end * 1_000).toISOString())
  const lasting = await apiToken(person, ['read'], '9999-12-31T00:00:00Z')
  const [socket, stays] = await Promise.all(
    [program, lasting].map(async (each) => (await new TestSocket(desk.origin).open()).logIn(each)),
  )
  expect(await socket!.closed).toEqual({ code: 4403, reason: 'Token expired' })
  expect(Date.now()).toBeGreaterThanOrEqual(end * 1_000 - 50)
  expect(Date.now()).toBeLessThan(end * 1_000 + 1_000)
  expect((await ask(desk, program, whoAmI)).codes).toEqual(['UNAUTHENTICATED'])
  // Further ahead than a timer can be set.
  stays!.subscribe('1', whoAmI)
  expect(await stays!.until(({ id }) => id === '1')).toMatchObject({ type: 'next' })
  stays!.close()
})

test('who guesses is slowed down by address, and a token that is known goes on', async () => {
  const server = await startServer({ ...desk.environment, rateLimits: true }, createLogger('silent'))
  try {
    await server.graphql.ready
    await expect.poll(() => server.revocations.isComplete).toBe(true)
    const origin = `http://127.0.0.1:${server.address.port}`
    const program = await apiToken(desk.acme.agent, ['read'])
    expect((await ask({ origin }, program, whoAmI)).codes).toEqual([])
    const guesses = await Promise.all(
      Array.from({ length: 12 }, () => ask({ origin }, { token: random() }, whoAmI)),
    )
    const codes = guesses.flatMap((guess) => guess.codes)
    expect(codes.filter((code) => code === 'UNAUTHENTICATED').length).toBeLessThanOrEqual(6)
    expect(codes.filter((code) => code === 'RATE_LIMITED').length).toBeGreaterThanOrEqual(6)
    expect((await ask({ origin }, program, whoAmI)).codes).toEqual([])
  } finally {
    await server.stop()
  }
})
