import type { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { type Connections, connections } from './connections.ts'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { type Tenant, twoTenants } from './fixture.ts'
import { refusal } from './refusals.ts'
import { type Actor, asRole } from './session.ts'

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

  // The server becomes the request roles as it does in earnest; the others log in themselves.
  const clientOf = ({ role }: Actor) =>
    role === 'atum_worker' || role === 'atum_owner' || role === 'atum_reporting' ? set.superuser : set.server

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
  }
}
