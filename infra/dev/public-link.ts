import { dataDirectory } from './data-directory.ts'
import { readLiveRunState } from './run-state.ts'

/**
 * A path as people can follow it: at the address of the run that uses this database, else at ATUM_PUBLIC_URL. Where
 * neither is known the path remains, and says so.
 */
export function publicLink(path: string, connectionString: string): string {
  const state = readLiveRunState(dataDirectory())
  const isItsOwn = state?.ownerUrl !== undefined && sameDatabase(state.ownerUrl, connectionString)
  const address = (isItsOwn && state.address) || process.env.ATUM_PUBLIC_URL?.split(',', 1)[0]?.trim()
  return address && URL.canParse(address)
    ? `${new URL(address).origin}${path}`
    : `${path} (at the address of your ATUM Desk)`
}

function sameDatabase(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)]
  return a.host === b.host && a.pathname === b.pathname
}
