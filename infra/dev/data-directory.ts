import { createHash } from 'node:crypto'
import { accessSync, chmodSync, constants, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { canEnter, canReach, postgresAccount } from './postgres-account.ts'
import { sharedRoot } from './postgres-binaries.ts'
import { repository } from './repository.ts'

/**
 * Where a run keeps its data: ATUM_DATA_DIR, else `.atum` in the repository; root, whose PostgreSQL runs under
 * another account, goes to /var/lib when that account cannot come to the repository.
 */
export function dataDirectory(): string {
  const named = process.env.ATUM_DATA_DIR
  if (named) return resolve(named)
  const account = postgresAccount({ create: false })
  // Before the account is made it has no group of its own to be let in by: judge it as anybody else.
  const judged = account ?? (process.getuid?.() === 0 ? { uid: -1, gid: -1 } : undefined)
  if (canReach(repository, judged) && canEnter(repository, judged)) return join(repository, '.atum')
  return join(sharedRoot, createHash('sha256').update(repository).digest('hex').slice(0, 12))
}

/** Makes the data directory, passable for PostgreSQL's account when that is not ours. */
export function makeDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    mkdirSync(join(directory, 'log'), { recursive: true, mode: 0o700 })
    accessSync(directory, constants.W_OK)
    if (process.getuid?.() === 0) {
      chmodSync(directory, 0o711)
      if (directory.startsWith(`${sharedRoot}/`)) chmodSync(sharedRoot, 0o755)
    }
  } catch (error) {
    throw new Error(
      `Cannot write in ${directory} (${error instanceof Error ? error.message : String(error)}). ` +
        'If another user made it, remove it or name another directory in ATUM_DATA_DIR.',
      { cause: error },
    )
  }
}
