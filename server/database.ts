import pg, { type Pool, type PoolClient } from 'pg'
import type { Logger } from './log.ts'

/** How long a request waits for a connection before it is told that the service is not available. */
const connectMilliseconds = 1_500
/** How many connections there are for what, each in a line of its own. */
const poolSizes = {
  // With two cores more connections than this only queue inside Postgres instead of here.
  requests: 10,
  // Each login keeps a connection and a core busy with bcrypt for a tenth of a second: a flood of them leaves the
  // requests of those who are logged in alone.
  logins: 2,
  // What is asked before a request is answered, such as who it is from and whether there are too many, takes a
  // fraction of a millisecond and must not wait behind what does not.
  questions: 2,
}

/** Connections to the database for one purpose. */
export function createPool(
  connectionString: string,
  logger: Logger,
  purpose: keyof typeof poolSizes = 'requests',
): Pool {
  const pool = new pg.Pool({
    connectionString,
    max: poolSizes[purpose],
    connectionTimeoutMillis: connectMilliseconds,
    keepAlive: true,
    application_name: 'atum-server',
  })
  // An idle connection that breaks is replaced by the next request; unheard, it would end the process.
  pool.on('error', (error) => logger.warn({ reason: error.message }, 'an idle database connection broke'))
  pool.on('connect', (client) => {
    client.on('error', (error) => logger.warn({ reason: error.message }, 'a database connection broke'))
  })
  return pool
}

/** Runs `use` in a transaction that is told `settings` with `set local`. */
export async function withTransaction<T>(
  pool: Pool,
  settings: Record<string, string>,
  use: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken = false
  try {
    await client.query('begin')
    if (Object.keys(settings).length > 0) {
      await client.query('select set_config(key, value, true) from jsonb_each_text($1)', [settings])
    }
    const result = await use(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {
      broken = true
    })
    throw error
  } finally {
    client.release(broken)
  }
}
