import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { putOnLeash } from './leash.ts'
import { rotateLog } from './log-file.ts'
import { isPortFree, nextFreePort } from './ports.ts'
import { type Account, canReach, postgresAccount } from './postgres-account.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { stopLeftoverPostmaster } from './postgres-leftover.ts'
import { readOrCreateSecret } from './secrets.ts'
import { settlesWithin } from './settles-within.ts'

const defaultPort = 25432
const superuser = 'postgres'

// PostgreSQL answers SIGINT with "fast shutdown" (sessions are ended, a checkpoint is written) and SIGQUIT with
// "immediate shutdown" (the next start replays the log): nothing committed is lost either way.
const fastShutdownMilliseconds = 2_000
const immediateShutdownMilliseconds = 1_000

export interface ClusterOptions {
  /** A directory of ours; the data, the superuser's password and the log live in it. */
  dataDir: string
  /** The port to take; where it is busy, the next free one. Without it, the one of the last run. */
  port?: number
  /** False gives up safety against power loss for speed: for what is thrown away afterwards. */
  durable: boolean
  maxConnections?: number
  /** Goes with the cluster when this process is killed. */
  removeWhenKilled?: string
  log: (line: string) => void
}

/** A running PostgreSQL that belongs to this process. */
export interface Cluster {
  port: number
  pid: number
  version: string
  superuserUrl: (database?: string) => string
  /** Settles when PostgreSQL is gone, asked or not. */
  exited: Promise<void>
  /** Stops it, at once with `immediate`; does nothing when it is gone already. */
  stop: (how?: 'fast' | 'immediate') => Promise<void>
}

/** Starts the embedded PostgreSQL on the loopback address, after making its data directory where there is none. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { dataDir, durable, log } = options
  const directory = resolve(dataDir)
  const account = postgresAccount({ create: true })
  const binaries = findPostgresBinaries(account, log)
  const data = join(directory, 'data')
  if (!canReach(directory, account)) {
    throw new Error(
      `The account "postgres" cannot reach ${directory} because a directory above it is closed to others. ` +
        'Name another one in ATUM_DATA_DIR.',
    )
  }
  mkdirSync(directory, { recursive: true, mode: 0o711 })
  if (account) chmodSync(directory, 0o711)

  const passwordFile = join(directory, 'superuser-password')
  if (existsSync(data) && !existsSync(passwordFile)) {
    throw new Error(`${passwordFile} is missing, and without it the data beside it cannot be opened.`)
  }
  const password = readOrCreateSecret(passwordFile)
  if (existsSync(data)) {
    const version = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim()
    if (version !== binaries.majorVersion) {
      throw new Error(
        `The data in ${data} were made by PostgreSQL ${version}; this is PostgreSQL ${binaries.majorVersion}. ` +
          'Move the directory away to begin anew.',
      )
    }
    await stopLeftoverPostmaster(data, log)
  } else {
    await initialise({ initdb: binaries.initdb, data, password, account, durable })
  }

  const portFile = join(directory, 'port')
  const wanted = options.port ?? rememberedPort(portFile) ?? defaultPort
  let port = await nextFreePort(wanted)
  const logFile = join(directory, 'log')
  for (let attempt = 1; ; attempt += 1) {
    if (port !== wanted && attempt === 1) log(`Port ${wanted} is busy: PostgreSQL takes ${port}`)
    const started = await launch({
      postgres: binaries.postgres,
      data,
      logFile,
      port,
      account,
      durable,
      maxConnections: options.maxConnections ?? 100,
      removeWhenKilled: options.removeWhenKilled,
    })
    if ('pid' in started) {
      writeFileSync(portFile, `${port}\n`)
      const superuserUrl = (database = 'postgres') =>
        `postgres://${superuser}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`
      return { ...started, port, version: binaries.majorVersion, superuserUrl }
    }
    // Between our look and its start another program may have taken the port.
    if (attempt < 5 && !(await isPortFree(port))) {
      port = await nextFreePort(port + 1)
      continue
    }
    throw new Error(`PostgreSQL did not start. Its last words (${logFile}):\n${started.lastWords}`)
  }
}

interface Initialisation {
  initdb: string
  data: string
  password: string
  account: Account | undefined
  durable: boolean
}

async function initialise({ initdb, data, password, account, durable }: Initialisation): Promise<void> {
  // Made aside and renamed: a half-made directory (killed, disk full) is never taken for a database.
  const draft = `${data}.new`
  const passwordFile = `${data}.password`
  rmSync(draft, { recursive: true, force: true })
  rmSync(passwordFile, { force: true })
  mkdirSync(draft, { mode: 0o700 })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' })
  if (account) {
    chownSync(draft, account.uid, account.gid)
    chownSync(passwordFile, account.uid, account.gid)
  }
  const locale =
    process.platform === 'linux'
      ? ['--locale=C.UTF-8']
      : ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  try {
    const child = spawn(
      initdb,
      [
        `--pgdata=${draft}`,
        `--username=${superuser}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        ...locale,
        '--no-instructions',
        ...(durable ? [] : ['--no-sync']),
      ],
      { ...account, cwd: '/', detached: true, env: childEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
    )
    const leash = child.pid && putOnLeash({ target: -child.pid, signal: 'SIGTERM', escalation: 'SIGKILL' })
    let words = ''
    child.stdout.on('data', (chunk: Buffer) => (words += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
    const [code] = await Promise.race([
      once(child, 'close'),
      once(child, 'error').then(([error]) => Promise.reject(error as Error)),
    ])
    if (leash) leash.release()
    if (code !== 0) throw new Error(`initdb ended with ${code}:\n${words.trim()}`)
  } finally {
    rmSync(passwordFile, { force: true })
  }
  renameSync(draft, data)
}

interface Launch {
  postgres: string
  data: string
  logFile: string
  port: number
  account: Account | undefined
  durable: boolean
  maxConnections: number
  removeWhenKilled: string | undefined
}

type Launched = Pick<Cluster, 'pid' | 'exited' | 'stop'> | { lastWords: string }

async function launch(options: Launch): Promise<Launched> {
  const { data, logFile, port, account, durable } = options
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: options.maxConnections,
    shared_preload_libraries: '',
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable
      ? {}
      : {
          fsync: 'off',
          full_page_writes: 'off',
          synchronous_commit: 'off',
          wal_level: 'minimal',
          max_wal_senders: 0,
          max_wal_size: '4GB',
        }),
  }
  rotateLog(logFile)
  const log = openSync(logFile, 'a', 0o600)
  const logStart = fstatSync(log).size
  const child = spawn(
    options.postgres,
    [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    // Its own session: Ctrl-C in the terminal reaches the whole foreground group, and PostgreSQL must be the last to go.
    { ...account, cwd: '/', detached: true, env: childEnvironment(), stdio: ['ignore', log, log] },
  )
  closeSync(log)
  let gone = false
  const exited = new Promise<void>((resolveExit) => {
    child.once('exit', () => {
      gone = true
      resolveExit()
    })
    child.once('error', () => {
      gone = true
      resolveExit()
    })
  })
  const { pid } = child
  if (pid !== undefined) {
    const leash = putOnLeash({
      target: pid,
      signal: 'SIGINT',
      escalation: 'SIGQUIT',
      ...(options.removeWhenKilled ? { removeDirectory: options.removeWhenKilled } : {}),
    })
    void exited.then(() => leash.release())
    while (!gone) {
      if (isReady(data, pid)) {
        // What is asked to run until it is stopped must not keep this process from ending by itself.
        child.unref()
        return { pid, exited, stop: (how = 'fast') => stop(pid, how, exited, () => gone) }
      }
      await delay(15)
    }
  }
  await exited
  return { lastWords: tail(logFile, logStart) || `It could not be run: ${options.postgres}` }
}

async function stop(
  pid: number,
  how: 'fast' | 'immediate',
  exited: Promise<void>,
  isGone: () => boolean,
): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ['SIGQUIT', immediateShutdownMilliseconds],
    ['SIGKILL', immediateShutdownMilliseconds],
  ]
  if (how === 'fast') steps.unshift(['SIGINT', fastShutdownMilliseconds])
  for (const [signal, patience] of steps) {
    if (isGone()) return
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    await settlesWithin(exited, patience)
  }
}

// The eighth line of postmaster.pid is the state; this is what `pg_ctl start --wait` looks at too.
function isReady(data: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready'
  } catch {
    return false
  }
}

function childEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

function rememberedPort(file: string): number | undefined {
  try {
    const port = Number(readFileSync(file, 'utf8'))
    return Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined
  } catch {
    return undefined
  }
}

function tail(file: string, from: number): string {
  if (!existsSync(file) || statSync(file).size <= from) return ''
  return readFileSync(file).subarray(from).toString().trim().split('\n').slice(-20).join('\n')
}
