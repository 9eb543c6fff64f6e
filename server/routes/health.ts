import { readdir } from 'node:fs/promises'
import { Router } from 'express'
import type { Pool } from 'pg'

/** What a part of the system is doing; `off` is a choice and not a fault. */
export interface Check {
  status: 'ok' | 'degraded' | 'down' | 'off'
  reason?: string
}

const checkMilliseconds = 1_800
// Anybody may ask, and as often as they like.
const rememberedMilliseconds = 1_000
const heartbeatMilliseconds = 30_000
const migrationsDirectory = new URL('../../db/migrations/committed/', import.meta.url)

/** `/healthz` says that the process lives; `/readyz` what it depends on, 503 only where it cannot work without. */
export function healthRoutes(options: {
  pool: Pool
  attachmentScanner: string
  smtpConfigured: boolean
  ollamaConfigured: boolean
}): Router {
  const { pool } = options
  const routes = Router()

  routes.use(['/healthz', '/readyz'], (_request, response, next) => {
    response.set('cache-control', 'no-store')
    next()
  })

  routes.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })

  async function readiness() {
    const fromDatabase = await within(
      checkMilliseconds,
      databaseChecks(pool, options.attachmentScanner),
    ).catch((): DatabaseChecks => ({
      database: { status: 'down', reason: 'The database does not answer' },
      migrations: { status: 'down', reason: 'Unknown without the database' },
      worker: { status: 'down', reason: 'Unknown without the database' },
      mailboxes: { status: 'down', reason: 'Unknown without the database' },
      scanner:
        options.attachmentScanner === 'off'
          ? notScanned
          : { status: 'degraded', reason: 'Unknown without the database' },
    }))
    const checks = {
      ...fromDatabase,
      mail: optional(options.smtpConfigured, 'SMTP_URL is not set: mail is not sent'),
      ai: optional(options.ollamaConfigured, 'OLLAMA_URL is not set'),
    }
    const required = [checks.database, checks.migrations]
    const status = required.some((check) => check.status === 'down')
      ? 'down'
      : Object.values(checks).some((check) => check.status === 'down' || check.status === 'degraded')
        ? 'degraded'
        : 'ok'
    return { status, checks }
  }

  let known: { answer: ReturnType<typeof readiness>; until: number } | undefined
  routes.get('/readyz', async (_request, response) => {
    if (!known || known.until <= performance.now()) {
      known = { answer: readiness(), until: performance.now() + rememberedMilliseconds }
    }
    const { status, checks } = await known.answer
    response.status(status === 'down' ? 503 : 200).json({ status, checks })
  })

  return routes
}

type DatabaseChecks = Record<'database' | 'migrations' | 'worker' | 'mailboxes' | 'scanner', Check>

async function databaseChecks(pool: Pool, attachmentScanner: string): Promise<DatabaseChecks> {
  const { rows } = await pool.query<
    {
      migration: string | null
      heartbeat: Date | null
      now: Date
      enabled: number
      silent: number
    } & ScannerHealth
  >(
    `select app_private.last_migration() as migration, app_private.last_heartbeat_at() as heartbeat, clock_timestamp() as now,
      mailboxes.enabled, mailboxes.silent, scanner.*
    from app_private.mailbox_health() as mailboxes
    cross join app_private.scanner_health() as scanner`,
  )
  const { migration, heartbeat, now, enabled, silent, ...scanner } = rows[0]!
  return {
    database: { status: 'ok' },
    migrations: migrationsCheck(migration, await lastCommitted()),
    // By the database's clock for both, so that a clock of ours that is off does not matter.
    worker: workerCheck(heartbeat, now),
    mailboxes: mailboxCheck(enabled, silent),
    scanner: attachmentScanner === 'off' ? notScanned : scannerCheck(scanner, now),
  }
}

/** A migration is named by its number; what stands behind it in the file's name is for people. */
const numberOf = (migration: string | null | undefined) => /^\d+/.exec(migration ?? '')?.[0]

function migrationsCheck(applied: string | null, expected: string | undefined): Check {
  if (numberOf(applied) === numberOf(expected)) return { status: 'ok' }
  return {
    status: 'down',
    reason: `The database is at ${applied ?? 'nothing'}, this server is made for ${expected ?? 'nothing'}`,
  }
}

function workerCheck(heartbeat: Date | null, now: Date): Check {
  if (heartbeat === null) return { status: 'down', reason: 'No worker was ever heard of' }
  const silentMilliseconds = now.getTime() - heartbeat.getTime()
  if (silentMilliseconds <= heartbeatMilliseconds) return { status: 'ok' }
  return { status: 'down', reason: `No worker was heard of since ${heartbeat.toISOString()}` }
}

function mailboxCheck(enabled: number, silent: number): Check {
  if (enabled === 0) return { status: 'off', reason: 'There is no mailbox: mail is not fetched' }
  return silent === 0
    ? { status: 'ok' }
    : { status: 'degraded', reason: `${silent} of ${enabled} mailboxes are not read` }
}

const notScanned: Check = { status: 'off', reason: 'ATTACHMENT_SCANNER=off: files are not scanned' }

interface ScannerHealth {
  state: 'answering' | 'away' | 'off' | null
  since: Date | null
  checked_at: Date | null
  reason: string | null
  files_waiting: string
}

/** Files are held back while it is not there, so that nothing is down with it; but somebody should look. */
function scannerCheck(scanner: ScannerHealth, now: Date): Check {
  const { state, since, checked_at: checkedAt, reason, files_waiting: waiting } = scanner
  const wait = waiting === '1' ? '1 file waits' : `${waiting} files wait`
  if (!state || !since || !checkedAt)
    return { status: 'degraded', reason: `No worker asked for the scanner yet; ${wait}` }
  if (now.getTime() - checkedAt.getTime() > heartbeatMilliseconds) {
    return {
      status: 'degraded',
      reason: `No worker asked for the scanner since ${checkedAt.toISOString()}; ${wait}`,
    }
  }
  if (state === 'off') {
    return {
      status: 'degraded',
      reason: 'The worker has ATTACHMENT_SCANNER=off and lets files through unscanned; this server has not',
    }
  }
  if (state === 'away') {
    const why = reason ? ` (${reason})` : ''
    return {
      status: 'degraded',
      reason: `Since ${since.toISOString()} the scanner does not answer${why}; ${wait}`,
    }
  }
  return { status: 'ok' }
}

function optional(configured: boolean, reason: string): Check {
  return configured ? { status: 'ok' } : { status: 'off', reason }
}

async function lastCommitted(): Promise<string | undefined> {
  const files = await readdir(migrationsDirectory)
  return files
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .at(-1)
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('too late')), milliseconds)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
