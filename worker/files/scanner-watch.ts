import type { Pool } from 'pg'
import type { Logger } from 'pino'
import type { Scanner } from './clamd.ts'

const watchMilliseconds = 10_000

/**
 * Asks the scanner every few seconds whether it is there, until stopped, and tells the database: the health page reads
 * it, and what waited is scanned as soon as the scanner is back.
 */
export function startScannerWatch(scanner: Scanner | undefined, pool: Pool, logger: Logger): () => void {
  let wasThere: boolean | undefined
  const look = async () => {
    const [state, version, reason] = await seen(scanner)
    if (wasThere !== (state !== 'away')) {
      wasThere = state !== 'away'
      if (state === 'away') logger.warn({ reason }, 'the scanner does not answer: files wait for it')
      else logger.info({ version }, scanner ? 'the scanner answers' : 'files are let through unscanned')
    }
    await pool
      .query('select app_private.record_scanner($1, $2, $3)', [state, version, reason])
      .catch((error: Error) =>
        logger.warn({ error: error.message }, 'what is known of the scanner did not reach the database'),
      )
  }
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  // One after the other: a scanner that hangs is asked once at a time.
  const go = async () => {
    await look()
    if (!isStopped) timer = setTimeout(() => void go(), watchMilliseconds)
  }
  void go()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}

async function seen(
  scanner: Scanner | undefined,
): Promise<['answering' | 'away' | 'off', string | null, string | null]> {
  if (!scanner) return ['off', null, null]
  try {
    return ['answering', await scanner.version(), null]
  } catch (error) {
    return ['away', null, error instanceof Error ? error.message : String(error)]
  }
}
