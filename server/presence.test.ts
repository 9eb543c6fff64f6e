import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Client } from 'pg'
import { compileCache } from '../infra/dev/compile-cache.ts'
import { createEncryption, placeOf } from './encryption.ts'
import { createLogger } from './log.ts'
import { startServer, type RunningServer } from './server.ts'
import {
  ask,
  createPerson,
  startTestServer,
  testEnvironment,
  TestSocket,
  type Person,
  type TestServer,
} from './testing.ts'

let desk: TestServer
/** Another server on the same database. */
let other: RunningServer
let elsewhere: { origin: string }
let sockets: TestSocket[] = []
let people = 0
/** Of the test that runs: who was at another's may be on their way out of it for a while. */
let ticketId: string

beforeAll(async () => {
  desk = await startTestServer()
  other = await startServer(testEnvironment(desk.database.serverUrl), createLogger('silent'))
  await other.graphql.ready
  elsewhere = { origin: `http://127.0.0.1:${other.address.port}` }
})

afterAll(async () => {
  await other.stop()
  await desk.close()
})

beforeEach(async () => {
  await expect.poll(() => [desk.server, other].every(({ presence }) => presence.isListening)).toBe(true)
  ticketId = await newTicket()
})

afterEach(({ task }) => {
  // Tests that run side by side leave that to the next that runs alone.
  if (task.concurrent) return
  for (const socket of sockets) socket.webSocket.terminate()
  sockets = []
})

/** Made on the connection that also counts what is written, whose own writes it knows at once. */
const newTicket = async () => {
  const { superuser, acme } = desk
  const results = (await superuser.query(
    `begin;
     select set_config('role', 'atum_customer', true),
       set_config('atum.organization_id', '${acme.id}', true), set_config('atum.user_id', '${acme.customer.id}', true);
     select id from app_public.create_ticket('A place', 'To meet');
     commit`,
  )) as unknown as { rows: { id: string }[] }[]
  return results[2]!.rows[0]!.id
}

/** Nobody is kept who is gone: the last of them may have been at a socket that went without a word. */
const nobodyIsLeft = () =>
  expect
    .poll(() => [desk.server, other].map(({ presence }) => presence.size), { timeout: 12_000 })
    .toEqual([0, 0])

const newcomer = (role: Person['role'] = 'agent') => {
  people += 1
  return createPerson(desk.superuser, desk.server, desk.acme, `present-${people}`, role)
}

const presence = `subscription ($ticketId: UUID!) {
  ticketPresence(ticketId: $ticketId) { ticketId people { userId state since } }
}`

interface Seen {
  userId: string
  state: string
  since: string
}

class Visit {
  readonly socket: TestSocket
  constructor(socket: TestSocket) {
    this.socket = socket
  }

  get told(): Seen[][] {
    return this.socket.messages
      .filter(({ id, type }) => id === 'presence' && type === 'next')
      .map(
        ({ payload }) =>
          (payload as { data: { ticketPresence: { people: Seen[] } } }).data.ticketPresence.people,
      )
  }

  /** Who is there, as this visitor was last told: by name of state. */
  get others(): Record<string, string> {
    return Object.fromEntries((this.told.at(-1) ?? []).map(({ userId, state }) => [userId, state]))
  }

  sees(others: Record<string, string>, timeout = 2_000) {
    return expect.poll(() => this.others, { timeout, interval: 10 }).toEqual(others)
  }
}

async function visit(
  person: { token: string },
  at: { origin: string } = desk,
  place: string = ticketId,
): Promise<Visit> {
  const socket = await (await new TestSocket(at.origin).open()).logIn(person)
  sockets.push(socket)
  socket.subscribe('presence', presence, { ticketId: place })
  await socket.until(({ id }) => id === 'presence')
  return new Visit(socket)
}

const showTyping = (
  person: { token: string },
  isTyping = true,
  at: { origin: string } = desk,
  place: string = ticketId,
) =>
  ask(at, person, 'mutation ($input: ShowTypingInput!) { showTyping(input: $input) { ticketId } }', {
    input: { ticketId: place, isTyping },
  })

describe('is told to nobody but staff who see the ticket', () => {
  const codesOf = async (person: { token: string }, place: string) => {
    const { socket } = await visit(person, desk, place)
    const { payload } = await socket.until(({ id }) => id === 'presence')
    const { errors = [] } = payload as { errors?: { extensions: { code: string } }[] }
    return errors.map(({ extensions }) => extensions.code)
  }

  test('by role and organization', async () => {
    const { acme, globex } = desk
    expect(await codesOf(acme.customer, acme.ticketId)).toEqual(['FORBIDDEN'])
    expect(await codesOf(acme.agent, globex.ticketId)).toEqual(['NOT_FOUND'])
    expect(await codesOf(acme.agent, crypto.randomUUID())).toEqual(['NOT_FOUND'])
    expect(await codesOf(acme.agent, acme.ticketId)).toEqual([])
    for (const [person, place, code] of [
      [acme.customer, acme.ticketId, 'FORBIDDEN'],
      [acme.agent, globex.ticketId, 'NOT_FOUND'],
      [acme.agent, crypto.randomUUID(), 'NOT_FOUND'],
    ] as const) {
      expect((await showTyping(person, true, desk, place)).codes).toEqual([code])
    }
    expect(
      (await ask(desk, null, 'mutation { showTyping(input: {ticketId: "x", isTyping: true}) { ticketId } }'))
        .codes,
    ).not.toEqual([])
  })

  test('to an agent who is restricted: of the own teams, and only for as long as that is so', async () => {
    const person = await newcomer()
    const { acme, superuser } = desk
    await superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [person.id])
    expect(await codesOf(person, acme.ticketId)).toEqual(['NOT_FOUND'])
    await superuser.query(
      'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)',
      [acme.id, acme.teamId, person.id],
    )
    const move = (teamId: string | null) =>
      superuser.query('update app_public.tickets set team_id = $2 where id = $1', [
        acme.neighbourTicketId,
        teamId,
      ])
    await move(acme.teamId)
    const theirs = await visit(person, desk, acme.neighbourTicketId)
    const watching = await visit(acme.manager, elsewhere, acme.neighbourTicketId)
    await watching.sees({ [person.id]: 'viewing' })
    await move(null)
    await theirs.socket.until(({ type }) => type === 'complete')
    await watching.sees({}, 4_000)
  }, 20_000)
})

describe('people at a ticket', () => {
  test('see each other and not themselves, at one server and at two', async () => {
    const [ann, bob, cleo] = [await newcomer(), await newcomer(), await newcomer('manager')]
    const visits = [await visit(ann), await visit(bob, elsewhere), await visit(cleo)]
    await visits[0]!.sees({ [bob.id]: 'viewing', [cleo.id]: 'viewing' })
    await visits[1]!.sees({ [ann.id]: 'viewing', [cleo.id]: 'viewing' })
    await visits[2]!.sees({ [ann.id]: 'viewing', [bob.id]: 'viewing' })
    const since = new Date(visits[1]!.told.at(-1)![0]!.since).getTime()
    expect(Math.abs(Date.now() - since)).toBeLessThan(5_000)
    // Who comes to another ticket, or to one of another organization, hears nothing of it.
    const away = await visit(await newcomer(), desk, await newTicket())
    const abroad = await visit(desk.globex.agent, elsewhere, desk.globex.ticketId)
    expect([away.others, abroad.others]).toEqual([{}, {}])
  })

  test('are one with two tabs, also at two servers, until the last is closed', async () => {
    await nobodyIsLeft()
    const [ann, bob] = [await newcomer(), await newcomer()]
    const watching = await visit(bob)
    const tabs = [await visit(ann), await visit(ann), await visit(ann, elsewhere)]
    await watching.sees({ [ann.id]: 'viewing' })
    const { length } = watching.told
    await expect.poll(() => tabs.map((tab) => tab.others)).toEqual(tabs.map(() => ({ [bob.id]: 'viewing' })))
    tabs[0]!.socket.close()
    tabs[2]!.socket.close()
    // More than the grace.
    await expect.poll(() => other.presence.size, { timeout: 4_000 }).toBe(2)
    expect(watching.others).toEqual({ [ann.id]: 'viewing' })
    tabs[1]!.socket.close()
    await watching.sees({}, 4_000)
    expect(watching.told.length).toBeLessThanOrEqual(length + 3)
  }, 30_000)

  test('type, where others see it at once, and stop by themselves', async () => {
    const [ann, bob, cleo] = [await newcomer(), await newcomer(), await newcomer()]
    await visit(ann)
    const [far, near] = [await visit(bob, elsewhere), await visit(cleo)]
    const annIs = async (state: string, timeout?: number) => {
      await far.sees({ [ann.id]: state, [cleo.id]: 'viewing' }, timeout)
      // Also where she is, before the contrary is said there: a server passes on what changes something for itself.
      await near.sees({ [ann.id]: state, [bob.id]: 'viewing' }, timeout)
    }
    await annIs('viewing')
    // The mutation may reach any server.
    expect((await showTyping(ann, true, elsewhere)).codes).toEqual([])
    await annIs('typing')
    await showTyping(ann, false)
    await annIs('viewing')
    await showTyping(ann, true)
    await annIs('typing')
    await annIs('viewing', 8_000)
  }, 15_000)

  test('are not those who only type, and no programs', async () => {
    const [ann, bob] = [await newcomer(), await newcomer()]
    const watching = await visit(bob)
    await showTyping(ann)
    const { data } = await ask(
      desk,
      ann,
      `mutation { createApiToken(input: {name: "For a test", scopes: ["read", "tickets:write"]}) { madeApiToken { secret } } }`,
    )
    const program = { token: data.createApiToken.madeApiToken.secret as string }
    const following = await visit(program)
    await following.sees({ [bob.id]: 'viewing' })
    expect((await showTyping(program)).codes).toEqual(['SESSION_REQUIRED'])
    const cleo = await newcomer()
    await visit(cleo)
    await watching.sees({ [cleo.id]: 'viewing' })
  })

  test('who load the page again were there all the time', async () => {
    const [ann, bob] = [await newcomer(), await newcomer()]
    const watching = await visit(bob, elsewhere)
    const first = await visit(ann)
    await watching.sees({ [ann.id]: 'viewing' })
    const { length } = watching.told
    first.socket.close()
    await first.socket.closed
    await visit(ann)
    // Somebody who leaves after that is gone when the grace of both is over.
    const cleo = await newcomer()
    const brief = await visit(cleo)
    await watching.sees({ [ann.id]: 'viewing', [cleo.id]: 'viewing' })
    brief.socket.close()
    await watching.sees({ [ann.id]: 'viewing' }, 4_000)
    for (const present of watching.told.slice(length))
      expect(present.map(({ userId }) => userId)).toContain(ann.id)
  }, 10_000)
})

describe('gone within ten seconds is who', () => {
  const goneWithin = async (
    leave: (ann: Person, visit: Visit) => unknown,
    at = desk as { origin: string },
  ) => {
    const [ann, bob] = [await newcomer(), await newcomer()]
    const place = await newTicket()
    const watching = await visit(bob, elsewhere, place)
    const visiting = await visit(ann, at, place)
    await watching.sees({ [ann.id]: 'viewing' })
    const started = performance.now()
    await leave(ann, visiting)
    await watching.sees({}, 10_000)
    return performance.now() - started
  }

  test('closes the tab', async () => {
    expect(await goneWithin((_ann, { socket }) => socket.close())).toBeLessThan(4_000)
  })

  test('leaves the ticket and keeps the socket', async () => {
    expect(
      await goneWithin((_ann, { socket }) => socket.send({ id: 'presence', type: 'complete' })),
    ).toBeLessThan(4_000)
  })

  // Both wait for most of the ten seconds, so they wait together.
  test.concurrent(
    'does not answer any more',
    async () => {
      const took = await goneWithin((_ann, { socket }) => {
        // A cable that was pulled: nothing is read, nothing is closed.
        ;(socket.webSocket as unknown as { _socket: { pause(): void } })._socket.pause()
      })
      expect(took).toBeLessThan(10_000)
    },
    20_000,
  )

  test.concurrent(
    'was at a server that was killed',
    async () => {
      const { child, origin } = await spawnServer()
      try {
        const took = await goneWithin(
          async () => {
            child.kill('SIGKILL')
            await once(child, 'exit')
          },
          { origin },
        )
        expect(took).toBeLessThan(10_000)
      } finally {
        child.kill('SIGKILL')
      }
    },
    40_000,
  )

  test('has the session ended', async () => {
    const end = (ann: Person) =>
      desk.superuser.query('update app_private.sessions set revoked_at = now() where id = $1', [
        ann.sessionId,
      ])
    expect(await goneWithin(end)).toBeLessThan(5_000)
  })

  test('was at a server that stops', async () => {
    const third = await startServer(testEnvironment(desk.database.serverUrl), createLogger('silent'))
    await third.graphql.ready
    const took = await goneWithin(() => third.stop(), { origin: `http://127.0.0.1:${third.address.port}` })
    expect(took).toBeLessThan(4_000)
  }, 20_000)
})

test('twenty people on one ticket see each other, and nothing is written', async () => {
  const crowd = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => ({
      person: await newcomer(),
      at: index % 2 ? elsewhere : desk,
    })),
  )
  const before = await tableWrites()
  const visits = await Promise.all(crowd.map(({ person, at }) => visit(person, at)))
  await expect
    .poll(() => visits.map((each) => Object.keys(each.others).length), { timeout: 5_000, interval: 10 })
    .toEqual(crowd.map(() => 19))
  await showTyping(crowd[0]!.person)
  const id = crowd[0]!.person.id
  await expect
    .poll(() => visits.slice(1).every((each) => each.others[id] === 'typing'), {
      timeout: 2_000,
      interval: 5,
    })
    .toBe(true)
  expect(await tableWrites()).toEqual(before)
}, 15_000)

describe('what others say in its name', () => {
  const notify = (payload: string) => desk.superuser.query(`select pg_notify('atum_presence', $1)`, [payload])
  const bogus = (userId: string) => ({
    server: crypto.randomUUID(),
    number: 1,
    here: [[ticketId, userId, Date.now()]],
  })

  test('is not believed: not sealed, sealed for another place, sealed with another key, cut off, said before', async () => {
    const [ann, bob] = [await newcomer(), await newcomer()]
    const watching = await visit(bob)
    const text = JSON.stringify(bogus(ann.id))
    const ours = createEncryption(desk.environment.encryptionKeys)
    const theirs = createEncryption(['another-key-for-tests-that-has-32-bytes-and-more'])
    for (const payload of [
      '',
      text,
      ours.encrypt(text, 'totp:x'),
      theirs.encrypt(text, placeOf.presence),
      ours.encrypt(text, placeOf.presence).slice(0, -4),
      ours.encrypt('{"server":1}', placeOf.presence).replace('v1', 'v2'),
    ]) {
      await notify(payload)
    }
    // One that is heard after all of them.
    const cleo = await newcomer()
    await visit(cleo, elsewhere)
    await watching.sees({ [cleo.id]: 'viewing' })
    expect(watching.told.flat().map(({ userId }) => userId)).not.toContain(ann.id)
  })

  test('is not believed a second time', async () => {
    const [ann, bob] = [await newcomer(), await newcomer()]
    const listener = new Client({ connectionString: desk.database.serverUrl })
    await listener.connect()
    const heard: string[] = []
    listener.on('notification', ({ payload = '' }) => heard.push(payload))
    await listener.query('listen atum_presence')
    const watching = await visit(bob, elsewhere)
    const theirs = await visit(ann)
    await watching.sees({ [ann.id]: 'viewing' })
    // What a login of the database hears says nothing.
    expect(heard.length).toBeGreaterThan(0)
    for (const payload of heard)
      for (const id of [ann.id, bob.id, ticketId]) expect(payload).not.toContain(id)
    theirs.socket.close()
    await watching.sees({}, 4_000)
    for (const payload of heard) await notify(payload)
    const cleo = await newcomer()
    await visit(cleo)
    await watching.sees({ [cleo.id]: 'viewing' })
    expect(watching.others).toEqual({ [cleo.id]: 'viewing' })
    await listener.end()
  }, 15_000)
})

test('goes on after the connection that listens was cut off', async () => {
  const [ann, bob] = [await newcomer(), await newcomer()]
  const noticed = [desk.server, other].map(({ presence }) =>
    vi.waitUntil(() => !presence.isListening, { interval: 1, timeout: 10_000 }),
  )
  await desk.superuser.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'atum-server listen'`,
  )
  await Promise.all(noticed)
  await expect
    .poll(() => desk.server.presence.isListening && other.presence.isListening, { timeout: 5_000 })
    .toBe(true)
  const [one, two] = [await visit(ann), await visit(bob, elsewhere)]
  // A server that has not noticed yet that it is deaf misses who comes, and hears of them with the next beat.
  await one.sees({ [bob.id]: 'viewing' }, 6_000)
  await two.sees({ [ann.id]: 'viewing' }, 6_000)
}, 20_000)

test('nobody is kept who left, was cut off, was at a server that died, or was only said to be here', async () => {
  await nobodyIsLeft()
}, 15_000)

const tableWrites = async () => {
  await desk.superuser.query('select pg_stat_force_next_flush()')
  const { rows } = await desk.superuser.query<{ relname: string; writes: string }>(
    `select relname, n_tup_ins + n_tup_upd + n_tup_del as writes from pg_stat_user_tables order by 1`,
  )
  return rows
}

/** A server in a process of its own. */
async function spawnServer(): Promise<{ child: ChildProcess; origin: string }> {
  const { jwtSecrets, encryptionKeys } = desk.environment
  const port = desk.server.address.port + 1_000
  const child = spawn(process.execPath, [new URL('main.ts', import.meta.url).pathname], {
    stdio: 'ignore',
    env: {
      ...compileCache,
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      DATABASE_URL: desk.database.serverUrl,
      PORT: String(port),
      HOST: '127.0.0.1',
      ATUM_JWT_SECRET: jwtSecrets.join(' '),
      ATUM_ENCRYPTION_KEY: encryptionKeys.join(' '),
      ATUM_RATE_LIMITS: 'off',
      LOG_LEVEL: 'silent',
    },
  })
  const origin = `http://127.0.0.1:${port}`
  await expect
    .poll(
      () =>
        ask({ origin }, desk.acme.agent, '{ currentUser { name } }').then(
          ({ status }) => status,
          () => 0,
        ),
      {
        timeout: 20_000,
      },
    )
    .toBe(200)
  return { child, origin }
}
