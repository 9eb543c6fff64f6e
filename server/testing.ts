import './env.ts'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { WebSocket } from 'ws'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import type { UserRole } from './access-token.ts'
import type { ServerEnvironment } from './env.ts'
import { createLogger } from './log.ts'
import { startServer, type RunningServer } from './server.ts'

/** The password of everybody who can log in. */
export const password = 'correct horse battery staple'

/** Somebody, with a token that is good for the whole test. */
export interface Person {
  id: string
  email: string
  role: UserRole
  sessionId: string
  token: string
}

/** One of two organizations that have the same people, names and numbers. */
export interface Tenant {
  id: string
  slug: string
  customer: Person
  /** Another customer of the same organization. */
  neighbour: Person
  agent: Person
  manager: Person
  admin: Person
  teamId: string
  serviceId: string
  archivedServiceId: string
  /** Of the customer, with a public and an internal comment. */
  ticketId: string
  ticketNumber: number
  /** Of the neighbour. */
  neighbourTicketId: string
}

export interface TestServer {
  origin: string
  server: RunningServer
  database: TestDatabase
  /** A superuser's connection. */
  superuser: Client
  acme: Tenant
  globex: Tenant
  environment: ServerEnvironment
  close(): Promise<void>
}

export function testEnvironment(databaseUrl: string): ServerEnvironment {
  return {
    databaseUrl,
    host: '127.0.0.1',
    port: 0,
    production: false,
    jwtSecrets: ['a-secret-for-tests-that-has-32-bytes-and-more'],
    encryptionKeys: ['a-key-for-tests-that-has-32-bytes-and-more'],
    rateLimits: false,
    trustedDocumentsOnly: false,
    publicOrigins: ['http://desk.test'],
    trustedProxies: 0,
    dataDirectory: '/nonexistent',
    attachmentScanner: 'off',
    smtpConfigured: false,
    ollamaConfigured: false,
    logLevel: 'silent',
    webDirectory: '/nonexistent',
  }
}

/** A server in this process on a database of its own with two tenants. */
export async function startTestServer(
  changes: Partial<ServerEnvironment> = {},
  /** Gives the server another way to its database. */
  detour: (databaseUrl: string) => string = (databaseUrl) => databaseUrl,
): Promise<TestServer> {
  const database = await createTestDatabase()
  const superuser = new Client({ connectionString: database.superuserUrl })
  await superuser.connect()
  const dataDirectory = mkdtempSync(join(tmpdir(), 'atum-files-'))
  const environment = { ...testEnvironment(detour(database.serverUrl)), dataDirectory, ...changes }
  const server = await startServer(environment, createLogger(environment.logLevel))
  await server.graphql.ready
  return {
    origin: `http://127.0.0.1:${server.address.port}`,
    server,
    database,
    superuser,
    environment,
    acme: await createTenant(superuser, server, 'acme'),
    globex: await createTenant(superuser, server, 'globex'),
    async close() {
      await server.stop()
      await superuser.end()
      await database.drop()
      rmSync(dataDirectory, { recursive: true, force: true })
    },
  }
}

async function createTenant(client: Client, server: RunningServer, slug: string): Promise<Tenant> {
  const one = async <T = string>(text: string, values: unknown[]) => {
    const { rows } = await client.query<{ one: T }>(text, values)
    return rows[0]!.one
  }
  const id = await one('select app_private.create_organization($1, $2) as one', [slug, `The ${slug} company`])

  const person = (name: string, role: UserRole) => createPerson(client, server, { id, slug }, name, role)
  const customer = await person('customer', 'customer')
  const neighbour = await person('neighbour', 'customer')
  const agent = await person('agent', 'agent')
  const manager = await person('manager', 'manager')
  const admin = await person('admin', 'admin')
  await one('select app_private.set_password($1, $2, $3) as one', [id, customer.id, password])

  const teamId = await one(
    `insert into app_public.teams (organization_id, name) values ($1, 'Network') returning id as one`,
    [id],
  )
  const service = (name: string, archived: boolean) =>
    one(
      `insert into app_public.services (organization_id, name, team_id, archived_at)
       values ($1, $2, $3, case when $4 then now() end) returning id as one`,
      [id, name, teamId, archived],
    )
  const serviceId = await service('VPN', false)
  const archivedServiceId = await service('Fax', true)

  const as = async <T>(actor: Person, work: () => Promise<T>): Promise<T> => {
    await client.query('begin')
    await client.query(
      `select set_config('role', $1, true), set_config('atum.organization_id', $2, true), set_config('atum.user_id', $3, true)`,
      [`atum_${actor.role}`, id, actor.id],
    )
    const result = await work()
    await client.query('commit')
    return result
  }
  const createTicket = (actor: Person, subject: string) =>
    as(actor, () => one('select id as one from app_public.create_ticket($1, $2)', [subject, `${subject}!`]))
  const ticketId = await createTicket(customer, `Secret of ${slug}`)
  const neighbourTicketId = await createTicket(neighbour, `Neighbour of ${slug}`)
  await as(agent, () => one(`select id as one from app_public.add_comment($1, 'We are on it')`, [ticketId]))
  await as(agent, () =>
    one(`select id as one from app_public.add_comment($1, 'The switch again', 'internal')`, [ticketId]),
  )
  const ticketNumber = await one<number>(
    'select number as one from app_public.tickets where organization_id = $1 and id = $2',
    [id, ticketId],
  )
  return {
    id,
    slug,
    customer,
    neighbour,
    agent,
    manager,
    admin,
    teamId,
    serviceId,
    archivedServiceId,
    ticketId,
    ticketNumber,
    neighbourTicketId,
  }
}

/** Somebody new in an organization, logged in. */
export async function createPerson(
  client: Client,
  server: RunningServer,
  organization: { id: string; slug: string },
  name: string,
  role: UserRole,
): Promise<Person> {
  const email = `${name}@${organization.slug}.test`
  const { rows } = await client.query<{ id: string }>(
    'insert into app_public.users (organization_id, email, name, role) values ($1, $2, $3, $4) returning id',
    [organization.id, email, `${name} of ${organization.slug}`, role],
  )
  const { id } = rows[0]!
  const sessionId = await openSession(client, organization.id, id)
  const token = server.accessTokens.sign({ userId: id, organizationId: organization.id, role, sessionId })
  return { id, email, role, sessionId, token }
}

/** Makes a session of somebody, which no refresh token is of. */
export async function openSession(client: Client, organizationId: string, userId: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into app_private.sessions (organization_id, user_id, family, refresh_token_hash, expires_at)
     values ($1, $2, public.gen_random_bytes(16), public.gen_random_bytes(32), now() + interval '1 day') returning id`,
    [organizationId, userId],
  )
  return rows[0]!.id
}

/** The global id of a row. */
export const nodeId = (type: string, id: string) => Buffer.from(JSON.stringify([type, id])).toString('base64')

export interface Answer {
  status: number
  // What came back is what the test is about.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  data: any
  errors: { message: string; path?: unknown[]; extensions: { code: string; details?: unknown } }[]
  /** The codes of the errors, in order. */
  codes: string[]
  text: string
}

/** Asks GraphQL over HTTP. */
export async function ask(
  { origin }: { origin: string },
  person: { token: string } | null,
  query: string,
  variables?: Record<string, unknown>,
): Promise<Answer> {
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(person ? { authorization: `Bearer ${person.token}` } : {}),
    },
    body: JSON.stringify({ query, variables }),
  })
  return answerOf(response)
}

/** Reads an answer of GraphQL. */
export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const { data = null, errors = [] } = JSON.parse(text) as Partial<Answer>
  return {
    status: response.status,
    data,
    errors,
    codes: errors.map(({ extensions }) => extensions.code),
    text,
  }
}

interface Message {
  id?: string
  type: string
  payload?: unknown
}

/** A client of graphql-transport-ws that shows each message. */
export class TestSocket {
  readonly webSocket: WebSocket
  readonly messages: Message[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  #waiting: (() => void)[] = []

  constructor(origin: string, headers: Record<string, string> = {}) {
    this.webSocket = new WebSocket(`${origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers,
    })
    this.webSocket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      this.webSocket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    this.webSocket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as Message)
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  async open(): Promise<this> {
    await once(this.webSocket, 'open')
    return this
  }

  send(message: Message): void {
    this.webSocket.send(JSON.stringify(message))
  }

  async logIn(person: { token: string }): Promise<this> {
    this.send({ type: 'connection_init', payload: { authorization: `Bearer ${person.token}` } })
    await this.until(({ type }) => type === 'connection_ack')
    return this
  }

  subscribe(id: string, query: string, variables?: Record<string, unknown>): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } })
  }

  /** The first message that is as wanted, from those that came or will come. */
  async until(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(wanted)
      if (found) return found
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      await Promise.race([
        promise,
        this.closed.then(({ code, reason }) => Promise.reject(new Error(`closed with ${code} ${reason}`))),
      ])
    }
  }

  close(): void {
    this.webSocket.close()
  }
}
