import { hostname } from 'node:os'
import type { Pool } from 'pg'
import type { Logger } from 'pino'

const beatMilliseconds = 10_000

/** Tells the database every few seconds that this worker lives, until stopped. The health page reads it. */
export function startHeartbeat(pool: Pool, logger: Logger): () => void {
  const workerId = `${hostname()}:${process.pid}`
  const startedAt = new Date()
  const beat = () =>
    pool
      .query('select app_private.record_heartbeat($1, $2)', [workerId, startedAt])
      .catch((error: Error) =>
        logger.warn({ error: error.message }, 'the heartbeat did not reach the database'),
      )
  void beat()
  const timer = setInterval(() => void beat(), beatMilliseconds)
  return () => clearInterval(timer)
}
