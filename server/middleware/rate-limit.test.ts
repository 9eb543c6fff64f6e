import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../log.ts'
import { startServer, type RunningServer } from '../server.ts'
import { startTestServer, TestSocket, type Person, type TestServer } from '../testing.ts'

let desk: TestServer
let other: RunningServer
let origins: string[]

beforeAll(async () => {
  // Behind a proxy of ours, which says where each request comes from.
  desk = await startTestServer({ rateLimits: true, trustedProxies: 1 })
  other = await startServer(desk.environment, createLogger('silent'))
  await other.graphql.ready
  origins = [desk.origin, `http://127.0.0.1:${other.address.port}`]
})

afterAll(async () => {
  await other.stop()
  await desk.close()
})

let addresses = 0
const newAddress = () => {
  addresses += 1
  return `198.51.100.${addresses}`
}

const ask = (person: Person | null, address: string, origin = desk.origin) =>
  fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': address,
      ...(person ? { authorization: `Bearer ${person.token}` } : {}),
    },
    body: JSON.stringify({ query: '{ currentUser { name } }' }),
  })

const post = (path: string, address: string, body?: object) =>
  fetch(`${desk.origin}/api/v1/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-atum-request': '1', 'x-forwarded-for': address },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })

const statuses = async (requests: Promise<Response>[]) => {
  const answers = await Promise.all(requests)
  return {
    passed: answers.filter(({ status }) => status !== 429).length,
    refused: answers.filter(({ status }) => status === 429),
  }
}

const times = <T>(count: number, work: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => work(index))

describe('the API', () => {
  test('of one session at two servers: its burst and what came back meanwhile, then 429 with when to come again', async () => {
    const started = performance.now()
    const { passed, refused } = await statuses(
      times(50, (index) => ask(desk.acme.agent, newAddress(), origins[index % 2])),
    )
    const elapsed = (performance.now() - started) / 1_000
    expect(passed).toBeGreaterThanOrEqual(20)
    expect(passed).toBeLessThanOrEqual(20 + 10 * elapsed)
    expect(refused[0]!.headers.get('retry-after')).toBe('1')
    expect(await refused[0]!.json()).toEqual({
      errors: [
        {
          message: 'These are too many requests; wait a moment',
          extensions: { code: 'RATE_LIMITED', details: { retryAfterSeconds: 1 } },
        },
      ],
    })
    // Somebody else at the same place is not concerned.
    expect((await ask(desk.acme.manager, '198.51.100.1')).status).toBe(200)
  })

  test('of strangers by address', async () => {
    const [one, two] = [newAddress(), newAddress()]
    const { refused } = await statuses(times(40, () => ask(null, one)))
    expect(refused.length).toBeGreaterThan(0)
    expect((await ask(null, two)).status).toBe(200)
    expect((await ask(desk.acme.manager, one)).status).toBe(200)
  })

  test('of one address however many people are there', async () => {
    const address = newAddress()
    const { acme, globex } = desk
    const people = [acme, globex].flatMap(({ customer, neighbour, agent, manager, admin }) => [
      customer,
      neighbour,
      agent,
      manager,
      admin,
    ])
    const started = performance.now()
    const { passed } = await statuses(people.flatMap((person) => times(18, () => ask(person, address))))
    const elapsed = (performance.now() - started) / 1_000
    expect(passed).toBeLessThanOrEqual(100 + 50 * elapsed)
    expect(passed).toBeLessThan(180)
  })
})

describe('what is guessed at', () => {
  test('logging in, and asking for a new password, by address', async () => {
    const address = newAddress()
    const guess = { email: 'nobody@acme.test', password: 'wrong' }
    const { passed, refused } = await statuses(
      times(12, (index) => post(index % 2 ? 'login' : 'forgot', address, guess)),
    )
    expect(passed).toBeGreaterThanOrEqual(5)
    expect(passed).toBeLessThanOrEqual(8)
    expect(refused[0]!.headers.get('retry-after')).toBe('1')
    expect(await refused[0]!.json()).toMatchObject({ error: { code: 'RATE_LIMITED' } })
    expect((await post('login', newAddress(), guess)).status).toBe(401)
  })

  test('staying logged in and logging out count as the API', async () => {
    const address = newAddress()
    const { refused } = await statuses(times(12, (index) => post(index % 2 ? 'refresh' : 'logout', address)))
    expect(refused).toEqual([])
  })
})

test('to open a socket counts as a request of the address', async () => {
  const address = newAddress()
  await desk.superuser.query(
    `insert into app_private.rate_buckets (key, level, filled_at) values ($1, -500, clock_timestamp())`,
    [`address:${address}`],
  )
  const { webSocket } = new TestSocket(desk.origin, { 'x-forwarded-for': address })
  const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, IncomingMessage]
  expect([response.statusCode, Number(response.headers['retry-after'])]).toEqual([
    429,
    expect.closeTo(10, -1),
  ])
  webSocket.terminate()
  const other = await new TestSocket(desk.origin, { 'x-forwarded-for': newAddress() }).open()
  other.close()
})

test('over a socket each operation counts, and so does the first message', async () => {
  const { globex } = desk
  await expect.poll(() => desk.server.notifications.connected).toBe(true)
  const headers = { 'x-forwarded-for': newAddress() }
  // What the test before spent is back after two seconds.
  const socket = await new TestSocket(desk.origin, headers).open()
  await expect
    .poll(async () => (await ask(globex.admin, newAddress())).status, { timeout: 5_000, interval: 300 })
    .toBe(200)
  await socket.logIn(globex.admin)
  for (let index = 0; index < 30; index += 1) socket.subscribe(`n${index}`, '{ currentUser { name } }')
  const refused = await socket.until(({ type }) => type === 'error')
  expect(refused.payload).toEqual([
    {
      message: 'These are too many requests; wait a moment',
      extensions: { code: 'RATE_LIMITED', details: { retryAfterSeconds: 1 } },
    },
  ])
  const second = await new TestSocket(desk.origin, headers).open()
  second.send({ type: 'connection_init', payload: { authorization: `Bearer ${globex.admin.token}` } })
  expect(await second.closed).toEqual({ code: 1013, reason: 'RATE_LIMITED' })
  expect(socket.webSocket.readyState).toBe(socket.webSocket.OPEN)
  socket.close()
})
