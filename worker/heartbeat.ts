import { hostname } from 'node:os'
import type { Pool, QueryResult } from 'pg'
import type { Logger } from 'pino'

const beatMilliseconds = 10_000
const ownName = `${hostname()}:${process.pid}`

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
    if (!Number.isInteger(processId)) continue
    // This one has not said anything yet: who is known by its name had its process id before.
    if (workerId !== ownName && isRunning(processId)) continue
    await pool.query('select app_private.bury_worker($1)', [workerId])
    logger.warn({ workerId }, 'a worker ended without a word; its jobs are free again')
  }
}

/**
 * Tells the database every few seconds that this worker lives. The health page reads it, and other workers leave the
 * jobs alone that are locked under a name of one that lives.
 */
export class Heartbeat {
  readonly #pool: Pool
  readonly #logger: Logger
  readonly #startedAt = new Date()
  readonly #timer: NodeJS.Timeout
  /** Since when the database knows each name that jobs are locked under. */
  readonly #introductions = new Map<string, Promise<void>>()
  #lastBeat = Promise.resolve()

  constructor(pool: Pool, logger: Logger) {
    this.#pool = pool
    this.#logger = logger
    this.#timer = setInterval(() => void this.#beat(), beatMilliseconds)
  }

  /** Holds back the first job until the name it is locked under is known: else nobody would miss its worker. */
  readonly plugin: GraphileConfig.Plugin = {
    name: 'HeartbeatPlugin',
    worker: {
      hooks: { startWorker: (_context, { worker }) => this.#introduce(worker.workerPool.id) },
    },
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Takes this worker out of those that are looked for, once it is at nothing any more. */
  async leave(): Promise<void> {
    this.stop()
    // A beat that is still on its way would bring it back.
    await this.#lastBeat
    await this.#pool.query('select app_private.bury_worker($1)', [ownName])
  }

  #introduce(lockName: string): Promise<void> {
    const known = this.#introductions.get(lockName)
    if (known) return known
    // There before the beat reads the names.
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#introductions.set(lockName, promise)
    void this.#beat().then(resolve)
    return promise
  }

  /** One after the other, so that an earlier one never takes back the names of a later one. */
  #beat(): Promise<void> {
    this.#lastBeat = this.#lastBeat.then(async () => {
      try {
        await this.#pool.query('select app_private.record_heartbeat($1, $2, $3)', [
          ownName,
          this.#startedAt,
          [...this.#introductions.keys()],
        ])
      } catch (error) {
        this.#logger.warn({ error: (error as Error).message }, 'the heartbeat did not reach the database')
      }
    })
    return this.#lastBeat
  }
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
