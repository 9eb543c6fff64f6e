import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRunning, type ProcessReference, referenceTo } from './process-identity.ts'

/** What a run tells about itself in `state.json`: to `npm run db:url`, and to the next run. */
export interface RunState {
  launcher: ProcessReference
  /** Known once the server is up. */
  address?: string
  port?: number
  postgres?: { pid: number; port: number }
  /** Server, worker and whatever else runs beside them, by name. */
  children: Record<string, ProcessReference>
  /** The names of the encryption keys that the server was given when it started, the newest first. */
  encryptionKeyIds?: readonly string[]
  ownerUrl?: string
  superuserUrl?: string
}

/** Another run has this data directory, and lives. */
export class AlreadyRunningError extends Error {
  constructor(state: RunState, dataDir: string) {
    const where = state.address ? `at ${state.address}` : 'and is still starting'
    super(
      `ATUM Desk already runs on ${dataDir}, ${where} (pid ${state.launcher.pid}). ` +
        'Stop it with Ctrl-C there, or start a second one with ATUM_DATA_DIR and PORT set.',
    )
    this.name = 'AlreadyRunningError'
  }
}

/** The state of the run on `dataDir`, or undefined where none has been or it is unreadable. */
export function readRunState(dataDir: string): RunState | undefined {
  try {
    const state: RunState = JSON.parse(readFileSync(stateFile(dataDir), 'utf8'))
    return state.launcher ? state : undefined
  } catch {
    return undefined
  }
}

/** The state of the run that lives on `dataDir` now. */
export function readLiveRunState(dataDir: string): RunState | undefined {
  const state = readRunState(dataDir)
  return state && isRunning(state.launcher) ? state : undefined
}

/** This process's claim on a data directory. */
export interface RunClaim {
  /** What the previous run left behind when it was killed. */
  leftover: RunState | undefined
  update: (changes: Partial<RunState>) => void
  release: () => void
}

/** Takes the data directory for this process, or throws AlreadyRunningError. */
export function claimDataDirectory(dataDir: string): RunClaim {
  const file = stateFile(dataDir)
  let state: RunState = { launcher: referenceTo(process.pid), children: {} }
  let leftover: RunState | undefined
  for (let attempt = 1; ; attempt += 1) {
    const draft = write(file, state)
    try {
      // A link fails where the file is: of two runs that start at once, one gets it.
      linkSync(draft, file)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 5) throw error
      const live = readLiveRunState(dataDir)
      if (live) throw new AlreadyRunningError(live, dataDir)
      leftover = setAside(dataDir)
    } finally {
      rmSync(draft, { force: true })
    }
  }
  return {
    leftover,
    update(changes) {
      state = { ...state, ...changes }
      renameSync(write(file, state), file)
    },
    release() {
      rmSync(file, { force: true })
    },
  }
}

function stateFile(dataDir: string): string {
  return join(dataDir, 'state.json')
}

// Between our look and this rename another run may have put its own, living state there: then it goes back.
function setAside(dataDir: string): RunState | undefined {
  const file = stateFile(dataDir)
  const aside = `${file}.${process.pid}.aside`
  try {
    renameSync(file, aside)
    const state: RunState = JSON.parse(readFileSync(aside, 'utf8'))
    if (!isRunning(state.launcher)) return state
    linkSync(aside, file)
    throw new AlreadyRunningError(state, dataDir)
  } catch (error) {
    if (error instanceof AlreadyRunningError) throw error
    return undefined
  } finally {
    rmSync(aside, { force: true })
  }
}

function write(file: string, state: RunState): string {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  return draft
}
