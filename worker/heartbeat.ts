import { hostname } from 'node:os'
import type { Pool, QueryResult } from 'pg'
import type { Logger } from 'pino'

const beatMilliseconds = 10_000

/**
 * Frees the jobs of the workers that ran on this machine and do not any more, so that after a crash they are taken up
 * again at once; those of other machines are freed when they were silent for long enough.
 */
export async function buryDeadWorkers(pool: Pool, logger: Logger): Promise<void> {
  const { rows }: QueryResult<{ worker_id: string }> = await pool.query(
    'select worker_id from app_private.workers_on($1) as worker_id',
    [hostname()],
  )
  for (const { worker_id: workerId } of rows) {
    const processId = Number(workerId.slice(hostname().length + 1))
    if (!Number.isInteger(processId) || processId === process.pid || isRunning(processId)) continue
    await pool.query('select app_private.bury_worker($1)', [workerId])
    logger.warn({ workerId }, 'a worker ended without a word; its jobs are free again')
  }
}

/**
 * Tells the database every few seconds that this worker lives, until stopped. The health page reads it, and other
 * workers leave the jobs alone that are locked under one of `lockNames`.
 */
export function startHeartbeat(pool: Pool, logger: Logger, lockNames: readonly string[]): () => void {
  const workerId = `${hostname()}:${process.pid}`
  const startedAt = new Date()
  const beat = () =>
    pool
      .query('select app_private.record_heartbeat($1, $2, $3)', [workerId, startedAt, lockNames])
      .catch((error: Error) =>
        logger.warn({ error: error.message }, 'the heartbeat did not reach the database'),
      )
  void beat()
  const timer = setInterval(() => void beat(), beatMilliseconds)
  return () => clearInterval(timer)
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // Somebody else's process is there all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
