import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { UserRole } from './access-token.ts'
import { createLogger } from './log.ts'
import { startServer, type RunningServer } from './server.ts'
import {
  ask,
  createPerson,
  nodeId,
  openSession,
  startTestServer,
  testEnvironment,
  TestSocket,
  type Person,
  type TestServer,
} from './testing.ts'

const withinMilliseconds = 1_000

/** Where things are taken back. */
let desk: TestServer
/** Another server on the same database, which is to know. */
let other: RunningServer
let otherOrigin: string
let sockets: TestSocket[] = []
let people = 0

beforeAll(async () => {
  desk = await startTestServer()
  other = await startServer(testEnvironment(desk.database.serverUrl), createLogger('silent'))
  await other.graphql.ready
  otherOrigin = `http://127.0.0.1:${other.address.port}`
})

afterAll(async () => {
  await other.stop()
  await desk.close()
})

beforeEach(() =>
  expect.poll(() => [desk.server, other].every(({ revocations }) => revocations.isComplete)).toBe(true),
)

afterEach(() => {
  for (const socket of sockets) socket.close()
  sockets = []
})

const newcomer = (role: UserRole) => {
  people += 1
  return createPerson(desk.superuser, desk.server, desk.acme, `newcomer-${people}`, role)
}

/** A socket at the other server with a subscription that runs. */
async function follow(person: { token: string }): Promise<TestSocket> {
  const socket = await (await new TestSocket(otherOrigin).open()).logIn(person)
  sockets.push(socket)
  socket.subscribe('running', 'subscription { inboxChanged { ticketId } }')
  socket.subscribe('answered', '{ currentUser { name } }')
  const answer = await socket.until(({ id }) => id === 'answered')
  expect(answer).toMatchObject({ type: 'next', payload: { data: { currentUser: expect.anything() } } })
  return socket
}

const isOpen = ({ webSocket }: TestSocket) => webSocket.readyState === WebSocket.OPEN

const codesAtOther = async (person: { token: string }) => {
  const { status, codes } = await ask({ origin: otherOrigin }, person, '{ currentUser { name } }')
  return [status, ...codes]
}

async function change(person: { token: string }, mutation: string, input: Record<string, unknown>) {
  const [name = ''] = mutation.split(' ')
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`
  const answer = await ask(
    desk,
    person,
    `mutation ($input: ${type}) { ${mutation.replace(name, `${name}(input: $input)`)} }`,
    { input },
  )
  expect(answer.errors).toEqual([])
  return answer.data[name]
}

async function apiToken(person: Person, scopes = ['read']): Promise<{ id: string; token: string }> {
  const { madeApiToken } = await change(person, 'createApiToken { madeApiToken { rowId secret } }', {
    name: 'For a test',
    scopes,
  })
  return { id: madeApiToken.rowId, token: madeApiToken.secret }
}

const patchUser = (admin: Person, { id }: Person, patch: Record<string, unknown>) =>
  change(admin, 'updateUser { user { id } }', { id: nodeId('User', id), patch })

/** Takes something back here, and waits until sockets there were closed for it. */
async function closeInTime(those: TestSocket[], takeBack: () => Promise<unknown>, reason: string) {
  expect(those.map(isOpen)).not.toContain(false)
  const started = performance.now()
  await takeBack()
  const closed = await Promise.all(those.map((socket) => socket.closed))
  expect(performance.now() - started).toBeLessThan(withinMilliseconds)
  expect(closed).toEqual(those.map(() => ({ code: 4403, reason })))
}

describe('what is taken back at one server is refused at the other within a second', () => {
  test('a session that its person ended, and no other one', async () => {
    const person = await newcomer('agent')
    const sessionId = await openSession(desk.superuser, desk.acme.id, person.id)
    const elsewhere = {
      token: desk.server.accessTokens.sign({
        userId: person.id,
        organizationId: desk.acme.id,
        role: 'agent',
        sessionId,
      }),
    }
    const [socket, spared] = [await follow(elsewhere), await follow(person)]
    await closeInTime(
      [socket],
      () => change(person, 'endSession { ended }', { sessionId }),
      'UNAUTHENTICATED',
    )
    expect(await codesAtOther(elsewhere)).toEqual([401, 'UNAUTHENTICATED'])
    expect(await codesAtOther(person)).toEqual([200])
    expect(isOpen(spared)).toBe(true)
  })

  test('a person who was disabled: sessions and API tokens', async () => {
    const person = await newcomer('agent')
    const program = await apiToken(person)
    const closing = [await follow(person), await follow(program)]
    const disable = () => patchUser(desk.acme.admin, person, { disabledAt: new Date().toISOString() })
    await closeInTime(closing, disable, 'UNAUTHENTICATED')
    expect(await codesAtOther(person)).toEqual([401, 'UNAUTHENTICATED'])
    expect(await codesAtOther(program)).toEqual([401, 'UNAUTHENTICATED'])
  })

  test('a role that was changed, also in what an API token may', async () => {
    const person = await newcomer('admin')
    const program = await apiToken(person, ['admin:read'])
    const auditLog = () => ask({ origin: otherOrigin }, program, '{ auditLogs { totalCount } }')
    expect((await auditLog()).codes).toEqual([])
    const closing = [await follow(person), await follow(program)]
    const demote = () => patchUser(desk.acme.admin, person, { role: 'agent' })
    await closeInTime(closing, demote, 'UNAUTHENTICATED')
    expect(await codesAtOther(person)).toEqual([401, 'UNAUTHENTICATED'])
    expect(await codesAtOther(program)).toEqual([200])
    expect((await auditLog()).codes).toEqual(['FORBIDDEN'])
  })

  test('an organization that was suspended, until it is open again', async () => {
    const { globex, acme, superuser } = desk
    const program = await apiToken(globex.agent)
    const closing = [await follow(globex.agent), await follow(program)]
    const spared = await follow(acme.agent)
    const suspend = (suspended: boolean) =>
      superuser.query('select app_private.suspend_organization($1, $2)', ['globex', suspended])
    await closeInTime(closing, () => suspend(true), 'ORGANIZATION_SUSPENDED')
    expect(await codesAtOther(globex.agent)).toEqual([403, 'ORGANIZATION_SUSPENDED'])
    expect(await codesAtOther(program)).toEqual([403, 'ORGANIZATION_SUSPENDED'])
    expect(await codesAtOther(acme.agent)).toEqual([200])
    expect(isOpen(spared)).toBe(true)
    await suspend(false)
    await expect.poll(() => codesAtOther(globex.agent)).toEqual([200])
    expect(await codesAtOther(program)).toEqual([200])
  })

  test('an address that is no longer allowed to a role, until it is again', async () => {
    const { acme } = desk
    const program = await apiToken(acme.manager)
    const closing = [await follow(acme.manager), await follow(program)]
    const spared = await follow(acme.agent)
    let ruleId = ''
    const narrow = async () => {
      const rule = { network: '198.51.100.0/24', role: 'manager' }
      ruleId = (await change(acme.admin, 'addIpRule { ipRule { rowId } }', rule)).ipRule.rowId
    }
    await closeInTime(closing, narrow, 'ADDRESS_NOT_ALLOWED')
    expect(await codesAtOther(acme.manager)).toEqual([403, 'ADDRESS_NOT_ALLOWED'])
    expect(await codesAtOther(program)).toEqual([403, 'ADDRESS_NOT_ALLOWED'])
    expect(await codesAtOther(acme.agent)).toEqual([200])
    expect(isOpen(spared)).toBe(true)
    await change(acme.admin, 'removeIpRule { __typename }', { ruleId })
    await expect.poll(() => codesAtOther(acme.manager)).toEqual([200])
    expect(await codesAtOther(program)).toEqual([200])
  })

  test('an API token that was revoked, and no other one of the person', async () => {
    const person = await newcomer('agent')
    const [program, kept] = [await apiToken(person), await apiToken(person)]
    const [socket, spared] = [await follow(program), await follow(kept)]
    const revoke = () => change(person, 'revokeApiToken { __typename }', { tokenId: program.id })
    await closeInTime([socket], revoke, 'UNAUTHENTICATED')
    expect(await codesAtOther(program)).toEqual([401, 'UNAUTHENTICATED'])
    expect(await codesAtOther(kept)).toEqual([200])
    expect(isOpen(spared)).toBe(true)
  })
})

describe('what is taken back while nobody is heard', () => {
  /** Every connection that listens is gone before `statement` is committed. */
  async function unheard(statement: string, values: unknown[]) {
    const { superuser } = desk
    await superuser.query('begin')
    await superuser.query(statement, values)
    // Its end of the connection tells it, and it listens again no sooner than 50 ms after: looked for from before.
    const noticed = vi.waitUntil(() => !other.revocations.isComplete, { interval: 1, timeout: 10_000 })
    const { rows } = await superuser.query<{ ended: boolean }>(
      `select pg_terminate_backend(pid) as ended from pg_stat_activity
       where datname = current_database() and application_name = 'atum-server listen'`,
    )
    await noticed
    await superuser.query('commit')
    expect(rows).toEqual([{ ended: true }, { ended: true }])
  }

  /** An idle socket: one that subscribes is closed anyway, because it may have missed something. */
  async function idle(person: { token: string }): Promise<TestSocket> {
    const socket = await (await new TestSocket(otherOrigin).open()).logIn(person)
    sockets.push(socket)
    return socket
  }

  test.each<
    [string, () => Promise<[person: { token: string }, statement: string, values: unknown[]]>, string]
  >([
    [
      'a session',
      async () => {
        const person = await newcomer('agent')
        return [
          person,
          'update app_private.sessions set revoked_at = now() where id = $1',
          [person.sessionId],
        ]
      },
      'UNAUTHENTICATED',
    ],
    [
      'the API tokens of a person',
      async () => {
        const person = await newcomer('agent')
        const program = await apiToken(person)
        return [program, 'update app_public.users set disabled_at = now() where id = $1', [person.id]]
      },
      'UNAUTHENTICATED',
    ],
    [
      'an API token',
      async () => {
        const program = await apiToken(await newcomer('agent'))
        return [program, 'update app_public.api_tokens set revoked_at = now() where id = $1', [program.id]]
      },
      'UNAUTHENTICATED',
    ],
    [
      'an address',
      async () => {
        const person = desk.globex.manager
        const rule = `insert into app_public.ip_rules (organization_id, role, network) values ($1, 'manager', '198.51.100.0/24')`
        return [person, rule, [desk.globex.id]]
      },
      'ADDRESS_NOT_ALLOWED',
    ],
  ])('%s is refused all the same, at once and afterwards', async (_what, prepare, code) => {
    const [person, statement, values] = await prepare()
    expect(await codesAtOther(person)).toEqual([200])
    const socket = await idle(person)
    await unheard(statement, values)
    const refused = await codesAtOther(person)
    expect(refused.at(-1)).toBe(code)
    expect(await socket.closed).toEqual({ code: 4403, reason: code })
    await expect.poll(() => other.revocations.isComplete).toBe(true)
    expect(await codesAtOther(person)).toEqual(refused)
  })

  test('a suspended organization is refused all the same', async () => {
    const { globex, superuser } = desk
    const socket = await idle(globex.customer)
    await unheard(`select app_private.suspend_organization('globex')`, [])
    expect((await codesAtOther(globex.customer))[0]).toBeGreaterThan(400)
    expect((await socket.closed).code).toBe(4403)
    await expect.poll(() => codesAtOther(globex.customer)).toEqual([403, 'ORGANIZATION_SUSPENDED'])
    await superuser.query(`select app_private.suspend_organization('globex', false)`)
    await expect.poll(() => codesAtOther(globex.customer)).toEqual([200])
  })

  test('who is still welcome stays', async () => {
    const socket = await idle(desk.acme.agent)
    await unheard('select', [])
    expect(await codesAtOther(desk.acme.agent)).toEqual([200])
    await expect.poll(() => other.revocations.isComplete).toBe(true)
    socket.subscribe('1', '{ currentUser { name } }')
    expect(await socket.until(({ id }) => id === '1')).toMatchObject({ type: 'next' })
  })
})

test('a client that does not close when it is told to gets no answer any more, and is cut off', async () => {
  const person = await newcomer('agent')
  const socket = await follow(person)
  // The client as somebody would write it who wants to stay: it never answers a close.
  const raw = (socket.webSocket as unknown as { _socket: Socket })._socket
  const cutOff = new Promise((resolve) => raw.once('close', resolve))
  socket.webSocket.close = () => {}
  raw.on('data', () => {
    const frame = JSON.stringify({
      id: 'late',
      type: 'subscribe',
      payload: { query: '{ currentUser { name } }' },
    })
    if (raw.writable) socket.webSocket.send(frame, () => {})
  })
  await desk.superuser.query('update app_private.sessions set revoked_at = now() where id = $1', [
    person.sessionId,
  ])
  await cutOff
  expect(socket.messages.filter(({ id }) => id === 'late')).toEqual([])
})

test('a message that cannot be read is passed over, and those after it are heard', async () => {
  const person = await newcomer('customer')
  for (const payload of ['', 'null', '{}', '{"kind":"weather","id":"x"}', '{"kind":"session"}']) {
    await desk.superuser.query(`select pg_notify('atum_revocations', $1)`, [payload])
  }
  const socket = await follow(person)
  const end = () =>
    desk.superuser.query('update app_private.sessions set revoked_at = now() where id = $1', [
      person.sessionId,
    ])
  await closeInTime([socket], end, 'UNAUTHENTICATED')
})

test('a forged notice ends nobody: any login of the database can send one', async () => {
  const person = await newcomer('agent')
  const socket = await follow(person)
  const { rows } = await desk.superuser.query<{ id: string }>(
    `select id from app_public.organizations where slug = 'acme'`,
  )
  const { heard } = other.revocations
  const notices = [
    { kind: 'session', id: person.sessionId },
    { kind: 'organization', id: rows[0]!.id },
    { kind: 'ip_rules', id: rows[0]!.id },
    { kind: 'api_token', id: person.id },
  ]
  for (const notice of notices) {
    await desk.superuser.query(`select pg_notify('atum_revocations', $1)`, [JSON.stringify(notice)])
  }
  await expect.poll(() => other.revocations.heard).toBe(heard + notices.length)
  expect(await codesAtOther(person)).toEqual([200])
  socket.subscribe('after', '{ currentUser { name } }')
  await socket.until(({ id }) => id === 'after')
  expect(isOpen(socket)).toBe(true)
})
