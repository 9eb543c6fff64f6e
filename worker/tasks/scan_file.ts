import type { FileHandle } from 'node:fs/promises'
import type { JobHelpers, Task } from 'graphile-worker'
import type { QueryResult } from 'pg'
import { type Scanner, ScannerAwayError, type Verdict } from '../files/clamd.ts'
import type { FilePlaces } from '../files/file-places.ts'
import { largestPackedFile } from '../files/packed-files.ts'
import { placeFile } from '../files/place-file.ts'
import { type Step, steppedOrganizationTask } from '../organization-task.ts'

type Payload = GraphileWorker.Tasks['scan_file']

interface FileToScan {
  size: number
  state: string
}

/**
 * Looks into a file, and has it where it belongs. Whoever dies in between leaves it as it was or one step further:
 * served is what is noted as clean, and that is noted when its content is among those that are served; what is infected
 * is noted before it is moved. Without a scanner, where that is wanted so, files are let through and marked.
 */
export default function scanFile(scanner: Scanner | undefined, places: FilePlaces): Task {
  return steppedOrganizationTask<Payload>(async (step, payload, helpers) => {
    const file = await toScan(step, payload.sha256)
    if (file) {
      if (scanner) await scan({ scanner, places, step, payload, helpers, file })
      else if (file.state === 'pending') await letThrough(step, places, payload)
    }
    await placeFile(step, places, payload, helpers.logger)
  })
}

interface Scan {
  scanner: Scanner
  places: FilePlaces
  step: Step
  payload: Payload
  helpers: JobHelpers
  file: FileToScan
}

async function scan({ scanner, places, step, payload, helpers, file }: Scan): Promise<void> {
  const { organizationId, sha256 } = payload
  const version = await versionOf(scanner, helpers)
  // It waits: when the scanner is back, it is looked for.
  if (version === undefined) return

  let verdict: Verdict
  try {
    verdict = await look(scanner, await places.openWherever(organizationId, sha256), file.size)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    helpers.logger.warn(`the scanner came to no verdict over ${sha256}: ${reason}`)
    await step((client) => client.query('select app_private.scan_failed($1, $2)', [sha256, reason]))
    return
  }

  // What is held back already is no place to serve it from.
  if (verdict.state === 'clean') await places.put('uploads', organizationId, sha256)
  await record(step, sha256, verdict, version)
}

async function look(scanner: Scanner, content: FileHandle | undefined, size: number): Promise<Verdict> {
  if (!content) return { state: 'unscannable', signature: 'Its content is not there' }
  let largest: number
  try {
    largest = await largestPackedFile(content, size)
  } catch (error) {
    await content.close()
    throw error
  }
  // The stream closes it.
  const verdict = await scanner.scan(content.createReadStream({ start: 0 }), size)
  if (verdict.state !== 'clean' || largest <= scanner.maxUnpackedBytes) return verdict
  return { state: 'unscannable', signature: 'Holds a file that is larger than the scanner looks into' }
}

async function letThrough(
  step: Step,
  places: FilePlaces,
  { organizationId, sha256 }: Payload,
): Promise<void> {
  await places.put('uploads', organizationId, sha256)
  await record(step, sha256, { state: 'unscanned' }, null)
}

function toScan(step: Step, sha256: string): Promise<FileToScan | null> {
  return step(async (client) => {
    const { rows }: QueryResult<{ file: FileToScan | null }> = await client.query(
      'select app_private.file_to_scan($1) as file',
      [sha256],
    )
    return rows[0]?.file ?? null
  })
}

const record = (
  step: Step,
  sha256: string,
  { state, signature }: { state: string; signature?: string },
  version: string | null,
) =>
  step((client) =>
    client.query('select app_private.record_verdict($1, $2, $3, $4)', [
      sha256,
      state,
      signature ?? null,
      version,
    ]),
  )

/** The scanner's version where it answers; where not, that is told and nothing else. */
async function versionOf(scanner: Scanner, helpers: JobHelpers): Promise<string | undefined> {
  try {
    return await scanner.version()
  } catch (error) {
    if (!(error instanceof ScannerAwayError)) throw error
    helpers.logger.warn(`the scanner does not answer: ${error.message}`)
    await helpers.query(`select app_private.record_scanner('away', null, $1)`, [error.message])
    return undefined
  }
}
