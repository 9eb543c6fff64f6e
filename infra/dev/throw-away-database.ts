import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DatabaseUrls, type LoginPasswords, prepareDatabase } from './database.ts'
import { canEnter, canReach, postgresAccount } from './postgres-account.ts'
import { startCluster } from './postgres.ts'
import { applyUncommittedSql } from './uncommitted-sql.ts'

const defaultPort = 25600
// 100 connections would do for the tests on two cores; a worker for each of 32 cores, with a pool of 10 each, would not.
const maxConnections = 400

/** A cluster with one migrated database that nothing is kept of. */
export interface ThrowAwayDatabase extends DatabaseUrls {
  /** Of the maintenance database. */
  superuserUrl: string
  passwords: LoginPasswords
  remove: () => Promise<void>
}

/** Makes a cluster in a temporary directory with one database, as the working tree has it. */
export async function makeThrowAwayDatabase(database: string): Promise<ThrowAwayDatabase> {
  const directory = makeReachableDirectory()
  const cluster = await startCluster({
    dataDir: directory,
    durable: false,
    port: Number(process.env.ATUM_TEST_POSTGRES_PORT ?? defaultPort),
    maxConnections,
    // Whoever uses it may be interrupted and clean nothing up.
    removeWhenKilled: directory,
    log: () => {},
  })
  const remove = async () => {
    await cluster.stop('immediate')
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const passwords = { atum_owner: 'owner', atum_server: 'server', atum_worker: 'worker' }
    const superuserUrl = cluster.superuserUrl()
    const urls = await prepareDatabase({ superuserUrl, database, passwords })
    await applyUncommittedSql(urls.ownerUrl)
    return { ...urls, superuserUrl, passwords, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Makes one for as long as `use` takes. */
export async function withThrowAwayDatabase<T>(use: (database: ThrowAwayDatabase) => Promise<T>): Promise<T> {
  const database = await makeThrowAwayDatabase('atum')
  try {
    return await use(database)
  } finally {
    await database.remove()
  }
}

/** A temporary directory that the account of PostgreSQL can reach too. */
export function makeReachableDirectory(): string {
  const account = postgresAccount({ create: true })
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find(
    (each) => canReach(each, account) && canEnter(each, account),
  )
  if (!parent) throw new Error('PostgreSQL cannot reach any temporary directory; name an open one in TMPDIR.')
  const directory = mkdtempSync(join(parent, 'atum-test-'))
  if (account) chmodSync(directory, 0o711)
  return directory
}
