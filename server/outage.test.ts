import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { prepareDatabase, withClient } from '../infra/dev/database.ts'
import { nextFreePort } from '../infra/dev/ports.ts'
import { startCluster, type Cluster } from '../infra/dev/postgres.ts'
import { applyUncommittedSql } from '../infra/dev/uncommitted-sql.ts'
import { createAccessTokens } from './access-token.ts'
import {
  answerOf,
  ask,
  openSession,
  startTestServer,
  testEnvironment,
  TestSocket,
  type TestServer,
} from './testing.ts'

const passwords = { atum_owner: 'owner', atum_server: 'server', atum_worker: 'worker' }
const answersWithin = 2_000

async function timed<T>(work: Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work
  expect(performance.now() - started).toBeLessThan(answersWithin)
  return result
}

describe('the process, with a Postgres that comes and goes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'atum-outage-'))
  let cluster: Cluster
  let server: ChildProcess
  let origin: string
  const lines: string[] = []

  const { jwtSecrets, encryptionKeys } = testEnvironment('')
  const [jwtSecret = '', encryptionKey = ''] = [jwtSecrets[0], encryptionKeys[0]]
  // Before there is a database, somebody who will be in it.
  const somebody = { token: '' }

  beforeAll(async () => {
    const port = await nextFreePort(25_700)
    // Made, migrated, and away again before the server starts.
    cluster = await startCluster({ dataDir: directory, durable: false, port, log: () => {} })
    const { serverUrl, ownerUrl } = await prepareDatabase({
      superuserUrl: cluster.superuserUrl(),
      database: 'atum',
      passwords,
    })
    await applyUncommittedSql(ownerUrl)
    await withClient(ownerUrl, async (client) => {
      const { rows } = await client.query<{ organizationId: string; userId: string }>(
        `insert into app_public.users (organization_id, email, name, role)
         values (app_private.create_organization('acme', 'Acme'), 'agent@acme.test', 'Agent', 'agent')
         returning organization_id as "organizationId", id as "userId"`,
      )
      const { organizationId, userId } = rows[0]!
      const sessionId = await openSession(client, organizationId, userId)
      const claims = { userId, organizationId, role: 'agent', sessionId } as const
      somebody.token = createAccessTokens(jwtSecrets).sign(claims)
    })
    await cluster.stop()

    const httpPort = await nextFreePort(18_350)
    origin = `http://127.0.0.1:${httpPort}`
    server = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: serverUrl,
        ATUM_JWT_SECRET: jwtSecret,
        ATUM_ENCRYPTION_KEY: encryptionKey,
        ATUM_PUBLIC_URL: origin,
        PORT: String(httpPort),
        LOG_LEVEL: 'debug',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [server.stdout!, server.stderr!]) {
      stream.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)))
    }
    await vi.waitUntil(() => lines.some((line) => line.includes('"listening"')), { timeout: 10_000 })
  })

  afterAll(async () => {
    server.kill('SIGKILL')
    await cluster.stop('immediate')
    rmSync(directory, { recursive: true, force: true })
  })

  const readiness = async () => {
    const response = await fetch(`${origin}/readyz`)
    const { checks } = (await response.json()) as { checks: Record<string, { status: string }> }
    return [response.status, checks.database?.status]
  }
  const comeBack = async () => {
    cluster = await startCluster({ dataDir: directory, durable: false, log: () => {} })
  }
  const question = '{ tickets { totalCount } }'

  test('it lives without one, and says what is missing', async () => {
    expect((await fetch(`${origin}/healthz`)).status).toBe(200)
    expect(await timed(readiness())).toEqual([503, 'down'])
    expect(await timed(ask({ origin }, somebody, question))).toMatchObject({
      status: 503,
      codes: ['SERVICE_UNAVAILABLE'],
    })
    const login = await timed(
      fetch(`${origin}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'a@b.test', password: 'x' }),
      }),
    )
    expect(login.status).toBe(503)
    expect(await login.json()).toMatchObject({ error: { code: 'SERVICE_UNAVAILABLE' } })
    const socket = await new TestSocket(origin).open()
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${somebody.token}` } })
    expect(await socket.closed).toMatchObject({ code: 1013 })
  })

  test('it answers as soon as there is one', async () => {
    await comeBack()
    await expect
      .poll(async () => (await ask({ origin }, somebody, question)).codes, { timeout: 10_000 })
      .toEqual([])
    await expect.poll(readiness, { timeout: 3_000 }).toEqual([200, 'ok'])
  })

  test('it survives a restart: sockets are cut off, everything comes back by itself', async () => {
    const logIn = async () => {
      const socket = await new TestSocket(origin).open()
      return socket.logIn(somebody)
    }
    await expect
      .poll(
        () =>
          logIn().then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true)
    const socket = await logIn()
    socket.subscribe('1', 'subscription { inboxChanged { ticketId } }')
    socket.subscribe('2', question)
    await socket.until(({ id }) => id === '2')

    await cluster.stop()
    expect(await socket.closed).toMatchObject({ code: 1012 })
    expect(await timed(ask({ origin }, somebody, question))).toMatchObject({
      status: 503,
      codes: ['SERVICE_UNAVAILABLE'],
    })
    // The answer from before is good for a second.
    await expect.poll(() => timed(readiness()), { timeout: 3_000 }).toEqual([503, 'down'])

    await comeBack()
    await expect
      .poll(async () => (await ask({ origin }, somebody, question)).codes, { timeout: 10_000 })
      .toEqual([])
    await expect
      .poll(
        () =>
          logIn().then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true)
    await expect.poll(readiness, { timeout: 3_000 }).toEqual([200, 'ok'])
    expect(server.exitCode).toBeNull()
  })

  // Here and not beside the other tests of this address: a role belongs to the whole cluster, and theirs is shared.
  test('it reports a role that passes row-level security', async () => {
    const report = async () => (await fetch(`${origin}/internal/rls/health`)).json()
    const alter = (options: string) =>
      withClient(cluster.superuserUrl(), (client) => client.query(`alter role ${options}`))
    expect(await report()).toMatchObject({ status: 'healthy' })
    await alter('atum_reporting bypassrls')
    await alter('atum_agent superuser')
    expect(await report()).toMatchObject({
      status: 'unhealthy',
      faults: expect.arrayContaining([
        'The role atum_reporting passes row-level security',
        'The role atum_agent passes row-level security',
      ]),
    })
    await alter('atum_reporting nobypassrls')
    await alter('atum_agent nosuperuser')
    expect(await report()).toMatchObject({ status: 'healthy' })
  })

  test('it wrote no token, password or query into its log', async () => {
    await fetch(`${origin}/tickets?token=hunter2`, {
      headers: { authorization: 'Bearer hunter2', cookie: 'atum_refresh=hunter2' },
    })
    await expect.poll(() => lines.some((line) => line.includes('"/tickets"'))).toBe(true)
    const log = lines.join('\n')
    for (const secret of [
      somebody.token,
      jwtSecret,
      encryptionKey,
      'hunter2',
      passwords.atum_server + '@',
      'totalCount',
    ]) {
      expect(log).not.toContain(secret)
    }
  })

  test('it ends within three seconds when it is told to, with sockets open', async () => {
    const socket = await (await new TestSocket(origin).open()).logIn(somebody)
    const started = performance.now()
    server.kill('SIGTERM')
    const [[code]] = await Promise.all([once(server, 'exit'), socket.closed])
    expect(await socket.closed).toMatchObject({ code: 1001 })
    expect(code).toBe(0)
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})

describe('a database that does not answer any more', () => {
  let desk: TestServer
  let wire: Server
  let silent = false
  const sockets = new Set<Socket>()

  beforeAll(async () => {
    // Between the server and the database: what goes in may come out, or nowhere.
    let target: URL
    wire = createServer((near) => {
      sockets.add(near)
      const far = connect(Number(target.port), target.hostname)
      sockets.add(far)
      near.on('data', (chunk) => silent || far.write(chunk))
      far.on('data', (chunk) => silent || near.write(chunk))
      near.on('close', () => far.destroy()).on('error', () => far.destroy())
      far.on('close', () => near.destroy()).on('error', () => near.destroy())
    })
    wire.listen(0, '127.0.0.1')
    await once(wire, 'listening')
    desk = await startTestServer({}, (databaseUrl) => {
      target = new URL(databaseUrl)
      const through = new URL(databaseUrl)
      through.port = String((wire.address() as { port: number }).port)
      return through.href
    })
  })

  afterAll(async () => {
    silent = false
    for (const socket of sockets) socket.destroy()
    await desk.close()
    wire.close()
  })

  test('is given up on by who connects to it, and is back as soon as it answers', async () => {
    expect((await ask(desk, desk.acme.agent, '{ tickets { totalCount } }')).codes).toEqual([])
    silent = true
    // New connections only: those that are open wait for an answer as long as a statement may take.
    for (const socket of sockets) socket.destroy()
    const response = fetch(`${desk.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${desk.acme.agent.token}` },
      body: JSON.stringify({ query: '{ tickets { totalCount } }' }),
    })
    expect(await timed(response.then(answerOf))).toMatchObject({
      status: 503,
      codes: ['SERVICE_UNAVAILABLE'],
    })
    expect((await timed(fetch(`${desk.origin}/readyz`))).status).toBe(503)
    silent = false
    for (const socket of sockets) socket.destroy()
    await expect
      .poll(async () => (await ask(desk, desk.acme.agent, '{ tickets { totalCount } }')).codes)
      .toEqual([])
    await expect.poll(() => desk.server.notifications.connected, { timeout: 10_000 }).toBe(true)
  })
})
