import { once } from 'node:events'
import jwt from 'jsonwebtoken'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createLogger } from './log.ts'
import { startServer } from './server.ts'
import { ask, startTestServer, testEnvironment, TestSocket, type Person, type TestServer } from './testing.ts'

let desk: TestServer
let sockets: TestSocket[] = []

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

beforeEach(() => expect.poll(() => desk.server.notifications.connected).toBe(true))

afterEach(() => {
  for (const socket of sockets) socket.close()
  sockets = []
})

async function open(headers?: Record<string, string>): Promise<TestSocket> {
  const socket = new TestSocket(desk.origin, headers)
  sockets.push(socket)
  return socket.open()
}

const ticketChanged =
  'subscription ($ticketId: UUID!) { ticketChanged(ticketId: $ticketId) { event ticketId eventId } }'
const inboxChanged = 'subscription { inboxChanged { event ticketId eventId } }'

async function follow(person: Person, id: string, query: string, variables?: Record<string, unknown>) {
  const socket = await (await open()).logIn(person)
  socket.subscribe(id, query, variables)
  return socket
}

/** Waits until Postgres is listened to on a channel, which a subscriber is not told. */
const listening = (channel: string) =>
  expect.poll(() => desk.server.notifications.channels).toContain(channel)

const comment = async (person: Person, ticketId: string, visibility = 'public') => {
  const answer = await ask(
    desk,
    person,
    `mutation ($input: AddCommentInput!) { addComment(input: $input) { comment { rowId } } }`,
    { input: { ticketId, body: 'Something', visibility } },
  )
  expect(answer.errors).toEqual([])
}

const events = (socket: TestSocket, id: string, field: string) =>
  socket.messages
    .filter((message) => message.id === id && message.type === 'next')
    .map(
      ({ payload }) =>
        (payload as { data: Record<string, { event: string; ticketId: string }> }).data[field]!,
    )

describe('refuses', () => {
  const statusOf = async (path: string, headers: Record<string, string>) => {
    const webSocket = new WebSocket(`${desk.origin.replace('http', 'ws')}${path}`, 'graphql-transport-ws', {
      headers,
    })
    const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, { statusCode: number }]
    webSocket.on('error', () => {})
    webSocket.terminate()
    return response.statusCode
  }

  test('pages of other sites, also with a good cookie', async () => {
    for (const origin of ['https://evil.test', 'http://desk.test.evil.test', 'http://desk.test:81', 'null']) {
      expect(await statusOf('/graphql', { origin, cookie: 'atum_refresh=x' }), origin).toBe(403)
    }
    await open({ origin: 'http://desk.test' })
    await open({ origin: desk.origin })
    await open()
  })

  test('other paths', async () => {
    expect(await statusOf('/', {})).toBe(404)
    expect(await statusOf('/graphql/x', {})).toBe(404)
  })

  test('more than twenty of one network that do not say who they are, until one does or goes', async () => {
    const strangers = await Promise.all(Array.from({ length: 20 }, () => open()))
    expect(await statusOf('/graphql', {})).toBe(429)
    await strangers[0]!.logIn(desk.acme.agent)
    const next = await open()
    expect(await statusOf('/graphql', {})).toBe(429)
    next.close()
    await next.closed
    await expect.poll(() => open().then(() => true)).toBe(true)
    for (const stranger of strangers) stranger.close()
    await Promise.all(strangers.map(({ closed }) => closed))
  })

  test('other protocols', async () => {
    const webSocket = new WebSocket(`${desk.origin.replace('http', 'ws')}/graphql`, 'graphql-ws')
    webSocket.on('error', () => {})
    await once(webSocket, 'error')
    expect(webSocket.readyState).not.toBe(WebSocket.OPEN)
  })

  test('no token, a changed one, an expired one and one in a header', async () => {
    const [jwtSecret = ''] = desk.environment.jwtSecrets
    const { header, payload } = jwt.decode(desk.acme.agent.token, { complete: true })!
    const expired = jwt.sign({ ...(payload as object), exp: Math.floor(Date.now() / 1000) - 1 }, jwtSecret, {
      keyid: String(header.kid),
    })
    const attempts: [unknown, Record<string, string>][] = [
      [undefined, {}],
      [{}, {}],
      [{ authorization: `Bearer ${desk.acme.agent.token}x` }, {}],
      [{ authorization: `Bearer ${expired}` }, {}],
      [{ authorization: desk.acme.agent.token }, {}],
      [undefined, { authorization: `Bearer ${desk.acme.agent.token}` }],
    ]
    for (const [payload, headers] of attempts) {
      const socket = await open(headers)
      socket.send({ type: 'connection_init', payload })
      expect(await socket.closed).toMatchObject({ code: 4403 })
      expect(socket.messages).toEqual([])
    }
  })

  test('operations before the token', async () => {
    const socket = await open()
    socket.subscribe('1', inboxChanged)
    expect(await socket.closed).toMatchObject({ code: 4401 })
  })

  test('messages of more than 64 kB', async () => {
    const socket = await (await open()).logIn(desk.acme.agent)
    socket.subscribe('1', `{ __typename } # ${'x'.repeat(65 * 1024)}`)
    expect(await socket.closed).toMatchObject({ code: 1009 })
  })

  test('more than fifty operations at once, and only the one too many', async () => {
    const socket = await (await open()).logIn(desk.acme.agent)
    for (let index = 1; index <= 51; index += 1) socket.subscribe(`n${index}`, inboxChanged)
    const refused = await socket.until(({ type }) => type === 'error')
    expect(refused).toMatchObject({ id: 'n51', payload: [{ extensions: { code: 'TOO_MANY_OPERATIONS' } }] })
    expect(socket.messages.filter(({ type }) => type === 'error')).toHaveLength(1)
  })

  test.each([
    ['what is not in the schema', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['what is no query', '{', 'BAD_REQUEST'],
    [
      'what costs too much',
      '{ tickets(first: 100) { nodes { comments(first: 100) { nodes { id body createdAt } } } } }',
      'QUERY_TOO_EXPENSIVE',
    ],
    ['what is too long', `{ ${'__typename '.repeat(3_000)} }`, 'QUERY_TOO_EXPENSIVE'],
  ])('%s, with the codes of HTTP', async (_what, query, code) => {
    const socket = await (await open()).logIn(desk.acme.agent)
    socket.subscribe('1', query)
    const { type, payload } = await socket.until(({ id }) => id === '1')
    expect(type).toBe('error')
    expect((payload as { extensions: unknown }[])[0]!.extensions).toEqual({ code })
  })
})

describe('a ticket that cannot be seen is not followed', () => {
  test.each<[string, () => Person, () => string]>([
    ['of another tenant, by staff', () => desk.acme.admin, () => desk.globex.ticketId],
    ['of another tenant, by a customer', () => desk.acme.customer, () => desk.globex.ticketId],
    ['of another customer', () => desk.acme.customer, () => desk.acme.neighbourTicketId],
    ['that never was', () => desk.acme.agent, () => crypto.randomUUID()],
  ])('%s', async (_what, person, ticketId) => {
    const socket = await follow(person(), '1', ticketChanged, { ticketId: ticketId() })
    const { payload } = await socket.until(({ id }) => id === '1')
    const error = Array.isArray(payload) ? payload[0] : (payload as { errors: unknown[] }).errors[0]
    expect(error).toMatchObject({ message: 'There is no such ticket', extensions: { code: 'NOT_FOUND' } })
    expect(desk.server.notifications.channels.filter((channel) => channel.includes(ticketId()))).toEqual([])
  })
})

test('an event reaches those it concerns and nobody else', async () => {
  const { acme, globex } = desk
  const followers = {
    agent: await follow(acme.agent, '1', ticketChanged, { ticketId: acme.ticketId.toUpperCase() }),
    customer: await follow(acme.customer, '1', ticketChanged, { ticketId: acme.ticketId }),
    inbox: await follow(acme.manager, '1', inboxChanged),
    own: await follow(acme.customer, '1', inboxChanged),
    neighbour: await follow(acme.neighbour, '1', inboxChanged),
    otherInbox: await follow(globex.admin, '1', inboxChanged),
    otherCustomer: await follow(globex.customer, '1', inboxChanged),
  }
  for (const channel of [
    `ticket:${acme.ticketId}:staff`,
    `inbox:${acme.id}`,
    `inbox:${globex.id}`,
    `requester:${acme.customer.id}`,
    `requester:${acme.neighbour.id}`,
    `requester:${globex.customer.id}`,
  ]) {
    await listening(channel)
  }

  await comment(acme.agent, acme.ticketId, 'internal')
  await comment(acme.agent, acme.ticketId)
  // What comes last in every channel: when it is there, all before it is.
  await comment(acme.neighbour, acme.neighbourTicketId)
  await comment(globex.customer, globex.ticketId)
  await comment(acme.customer, acme.ticketId)
  const arrived = (socket: TestSocket, field: string, count: number) =>
    expect.poll(() => events(socket, '1', field).length).toBe(count)
  await arrived(followers.agent, 'ticketChanged', 3)
  await arrived(followers.customer, 'ticketChanged', 2)
  await arrived(followers.inbox, 'inboxChanged', 4)
  await arrived(followers.own, 'inboxChanged', 2)
  await arrived(followers.neighbour, 'inboxChanged', 1)
  await arrived(followers.otherInbox, 'inboxChanged', 1)
  await arrived(followers.otherCustomer, 'inboxChanged', 1)

  expect(events(followers.agent, '1', 'ticketChanged')[0]).toEqual({
    event: 'comment_added',
    ticketId: acme.ticketId,
    eventId: expect.stringMatching(/^[\da-f-]{36}$/),
  })
  for (const socket of [followers.otherInbox, followers.otherCustomer]) {
    expect(JSON.stringify(socket.messages)).not.toContain(acme.ticketId)
  }
  for (const socket of [followers.customer, followers.own]) {
    expect(JSON.stringify(socket.messages)).not.toContain(acme.neighbourTicketId)
  }
})

describe('a subscription that begins with what was just said', () => {
  const replaying =
    'subscription ($ticketId: UUID!, $seconds: Int) { ticketChanged(ticketId: $ticketId, replaySeconds: $seconds) { event ticketId eventId } }'
  const inboxReplaying = 'subscription { inboxChanged(replaySeconds: 20) { event ticketId eventId } }'

  test('tells it first, to whoever sees it, and goes on', async () => {
    const { acme, globex } = desk
    await comment(globex.customer, globex.ticketId)
    await comment(acme.agent, acme.ticketId, 'internal')
    const variables = { ticketId: acme.ticketId, seconds: 20 }
    const agent = await follow(acme.agent, '1', replaying, variables)
    const customer = await follow(acme.customer, '1', replaying, variables)
    const inbox = await follow(acme.manager, '1', inboxReplaying)
    const without = await follow(acme.agent, '1', replaying, { ...variables, seconds: 0 })
    for (const socket of [agent, customer, inbox]) await socket.until(({ type }) => type === 'next')
    await listening(`ticket:${acme.ticketId}:staff`)
    await comment(acme.agent, acme.ticketId)
    await without.until(({ type }) => type === 'next')
    await expect.poll(() => events(agent, '1', 'ticketChanged').length).toBe(2)
    await expect.poll(() => events(customer, '1', 'ticketChanged').length).toBe(2)
    await expect.poll(() => events(inbox, '1', 'inboxChanged').length).toBe(2)
    const [first, second] = events(agent, '1', 'ticketChanged')
    expect(events(inbox, '1', 'inboxChanged')).toEqual([first, second])
    // Of the note the customer hears nothing, neither then nor afterwards.
    expect(JSON.stringify(customer.messages)).not.toContain((first as { eventId?: string }).eventId)
    expect(events(without, '1', 'ticketChanged')).toEqual([second])
  })

  test.each([-1, 61])('looks back a minute at most, and not %i seconds', async (seconds) => {
    const socket = await follow(desk.acme.agent, '1', replaying, { ticketId: desk.acme.ticketId, seconds })
    const { payload } = await socket.until(({ id }) => id === '1')
    expect(JSON.stringify(payload)).toContain('INVALID_INPUT')
    const channel = `ticket:${desk.acme.ticketId}:staff`
    await expect.poll(() => desk.server.notifications.channels).not.toContain(channel)
  })
})

test('who leaves is no longer listened for', async () => {
  const { acme } = desk
  const channel = `ticket:${acme.neighbourTicketId}:staff`
  const socket = await follow(acme.agent, '1', ticketChanged, { ticketId: acme.neighbourTicketId })
  await listening(channel)
  socket.send({ id: '1', type: 'complete' })
  await expect.poll(() => desk.server.notifications.channels).not.toContain(channel)
  socket.subscribe('2', ticketChanged, { ticketId: acme.neighbourTicketId })
  await listening(channel)
  socket.close()
  await expect.poll(() => desk.server.notifications.channels).not.toContain(channel)
})

test('queries and changes work over the socket too', async () => {
  const socket = await (await open()).logIn(desk.acme.customer)
  socket.subscribe('1', '{ currentUser { email } }')
  const { payload } = await socket.until(({ type }) => type === 'next')
  expect(payload).toEqual({ data: { currentUser: { email: desk.acme.customer.email } } })
})

test('a socket is closed when its token expires', async () => {
  const { header, payload } = jwt.decode(desk.acme.agent.token, { complete: true })!
  const exp = Math.floor(Date.now() / 1000) + 2
  const token = jwt.sign({ ...(payload as object), exp }, desk.environment.jwtSecrets[0]!, {
    keyid: String(header.kid),
  })
  const socket = await (await open()).logIn({ token })
  socket.subscribe('1', inboxChanged)
  await listening(`inbox:${desk.acme.id}`)
  expect(await socket.closed).toEqual({ code: 4403, reason: 'Token expired' })
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000 - 50)
  expect(Date.now()).toBeLessThan(exp * 1000 + 1_000)
})

describe('when the connection that listens breaks', () => {
  const breakIt = () =>
    desk.superuser.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'atum-server listen'`,
    )

  test('every subscriber is cut off, and told of changes again after coming back', async () => {
    const { acme } = desk
    // Several of one channel: the library's own listener forgets every second of them.
    const before = await Promise.all([1, 2, 3, 4, 5].map(() => follow(acme.agent, '1', inboxChanged)))
    const idle = await (await open()).logIn(acme.agent)
    await listening(`inbox:${acme.id}`)
    await expect
      .poll(() => before.every(({ webSocket }) => webSocket.readyState === WebSocket.OPEN))
      .toBe(true)
    await comment(acme.agent, acme.ticketId)
    for (const socket of before) await socket.until(({ type }) => type === 'next')

    await breakIt()
    expect((await Promise.all(before.map(({ closed }) => closed))).map(({ code }) => code)).toEqual([
      1012, 1012, 1012, 1012, 1012,
    ])
    expect(idle.webSocket.readyState).toBe(WebSocket.OPEN)

    await expect.poll(() => desk.server.notifications.connected).toBe(true)
    const after = await Promise.all([1, 2, 3].map(() => follow(acme.agent, '1', inboxChanged)))
    await listening(`inbox:${acme.id}`)
    await comment(acme.agent, acme.ticketId)
    for (const socket of after) await socket.until(({ type }) => type === 'next')
  })

  test('the connections of requests break with it and are replaced', async () => {
    await desk.superuser.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await expect
      .poll(async () => (await ask(desk, desk.acme.agent, '{ currentUser { name } }')).codes)
      .toEqual([])
  })
})

test('stopping says goodbye to sockets, finishes what runs and takes nothing new', async () => {
  const server = await startServer(testEnvironment(desk.database.serverUrl), createLogger('silent'))
  await server.graphql.ready
  await expect.poll(() => server.notifications.connected).toBe(true)
  const origin = `http://127.0.0.1:${server.address.port}`
  const socket = await (await new TestSocket(origin).open()).logIn(desk.acme.agent)
  socket.subscribe('1', inboxChanged)
  await expect.poll(() => server.notifications.channels).toContain(`inbox:${desk.acme.id}`)

  // A change that waits for a lock, let go of once the server is stopping.
  const { superuser, acme } = desk
  await superuser.query('begin')
  await superuser.query('select from app_public.tickets where id = $1 for update', [acme.ticketId])
  const running = ask(
    { origin },
    acme.agent,
    `mutation ($t: UUID!) { addComment(input: { ticketId: $t, body: "Last words" }) { comment { body } } }`,
    { t: acme.ticketId },
  )
  await expect
    .poll(async () => {
      // A transaction sees the activity of others as it first looked at it.
      await superuser.query('select pg_stat_clear_snapshot()')
      const { rowCount } = await desk.superuser.query(
        `select from pg_stat_activity where application_name = 'atum-server' and wait_event_type = 'Lock'`,
      )
      return rowCount
    })
    .toBe(1)
  const stopped = server.stop()
  expect(await socket.closed).toMatchObject({ code: 1001 })
  await expect(fetch(`${origin}/healthz`)).rejects.toThrow()
  await superuser.query('commit')
  expect((await running).data).toEqual({ addComment: { comment: { body: 'Last words' } } })
  await stopped
})
