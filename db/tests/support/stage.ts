import type { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { type Connections, connections, value } from './connections.ts'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { type Tenant, twoTenants } from './fixture.ts'
import { refusal } from './refusals.ts'
import { type Actor, asRole, asRoleForGood } from './session.ts'

/** A database with two organizations for one test file, and the ways to look at it as somebody. */
export interface Stage {
  readonly database: TestDatabase
  /** The web server's login, which may become the request roles. */
  readonly server: Client
  /** Sees everything; for looking at what others cannot. */
  readonly superuser: Client
  readonly acme: Tenant
  readonly globex: Tenant
  open: Connections['open']
  /** What a query shows to somebody: the values of its first column. */
  sees: (actor: Actor, sql: string, values?: unknown[]) => Promise<unknown[]>
  /** The SQLSTATE with which a statement of somebody is refused, or 'accepted'. Nothing stays. */
  refuses: (actor: Actor, sql: string, values?: unknown[]) => Promise<string>
  /** How many rows a statement of somebody touches. Nothing stays. */
  touches: (actor: Actor, sql: string, values?: unknown[]) => Promise<number>
  /** What a statement of somebody answers: the first value of its first row. What it did stays. */
  does: <T>(actor: Actor, sql: string, values?: unknown[]) => Promise<T>
  /** What a function of `app_private` answers the server, which asks it by the names of its arguments. What it did stays. */
  ask: <T>(question: string, values: Record<string, unknown>, asking?: Asking) => Promise<T>
}

/** For whom the server asks, and on which connection. */
export interface Asking {
  actor?: Omit<Actor, 'role'>
  client?: Client
}

export function setStage(): Stage {
  const opened = connections()
  let set: Pick<Stage, 'database' | 'server' | 'superuser' | 'acme' | 'globex'>

  beforeAll(async () => {
    const database = await createTestDatabase()
    const superuser = await opened.open(database.superuserUrl)
    const server = await opened.open(database.serverUrl)
    set = { database, superuser, server, ...(await twoTenants(superuser)) }
  })

  afterAll(async () => {
    await opened.close()
    await set.database.drop()
  })

  const outsideServer = new Set<string>(['atum_worker', 'atum_owner', 'atum_operator', 'atum_reporting'])
  // The server becomes the request roles as it does in earnest; the others log in themselves.
  const clientOf = ({ role }: Actor) => (outsideServer.has(role) ? set.superuser : set.server)

  return {
    get database() {
      return set.database
    },
    get server() {
      return set.server
    },
    get superuser() {
      return set.superuser
    },
    get acme() {
      return set.acme
    },
    get globex() {
      return set.globex
    },
    open: opened.open,
    sees: (actor, sql, values = []) =>
      asRole(clientOf(actor), actor, async () => {
        const { rows } = await clientOf(actor).query({ text: sql, values, rowMode: 'array' })
        return (rows as unknown[][]).map(([first]) => first)
      }),
    refuses: (actor, sql, values) =>
      asRole(clientOf(actor), actor, () => refusal(clientOf(actor), sql, values)),
    touches: (actor, sql, values = []) =>
      asRole(clientOf(actor), actor, async () => (await clientOf(actor).query(sql, values)).rowCount ?? 0),
    does: (actor, sql, values) =>
      asRoleForGood(clientOf(actor), actor, () => value(clientOf(actor), sql, values)),
    ask: (question, values, { actor = {}, client = set.server } = {}) =>
      asRoleForGood(
        client,
        { ipAddress: '192.0.2.7', requestId: 'a request', ...actor, role: 'atum_server' },
        () => value(client, callOf(question, values), Object.values(values)),
      ),
  }
}

/** A call of a function by the names of its arguments. */
export const callOf = (question: string, values: Record<string, unknown>): string =>
  `select app_private.${question}(${Object.keys(values)
    .map((name, position) => `${name} => $${position + 1}`)
    .join(', ')})`
