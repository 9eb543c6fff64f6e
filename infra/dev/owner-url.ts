import { dataDirectory } from './data-directory.ts'
import { readLiveRunState } from './run-state.ts'

/**
 * The database that a command works on, as its owner: the one that DATABASE_URL names, else the running one. Ends the
 * process with status 2 and a message where there is neither.
 */
export function requireOwnerUrl(): string {
  const url = process.env.DATABASE_URL ?? readLiveRunState(dataDirectory())?.ownerUrl
  if (url) return url
  console.error(
    "No database: set DATABASE_URL to the owner's connection string, or start ATUM Desk (one with an ATUM_DATA_DIR of its own is found by the same).",
  )
  process.exit(2)
}
