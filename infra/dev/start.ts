import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { keyId, parseKeys } from '../../server/key-ring.ts'
import { readScannerEnvironment } from '../../worker/files/scanner-environment.ts'
import { dataDirectory, makeDataDirectory } from './data-directory.ts'
import { isPortFree, nextFreePort } from './ports.ts'
import type { Cluster } from './postgres.ts'
import { claimDataDirectory, type RunClaim } from './run-state.ts'
import { readOrCreateSecret, secretBytes } from './secrets.ts'
import { openDatabase, startEmbedded } from './stack-database.ts'
import { commonEnvironment, startProcesses, stopLeftovers } from './stack-processes.ts'
import type { SupervisedProcess } from './supervised-process.ts'
import { colour, print, seconds, step } from './terminal.ts'
import { buildWeb } from './web-build.ts'
import { welcome } from './welcome.ts'

const defaultPort = 8000
// The terminal and npm each pass one Ctrl-C on: what comes this close together is one press.
const samePressMilliseconds = 400
const deathsForgottenMilliseconds = 60_000
const deathsAllowed = 4

const commandStarted =
  performance.now() - (Date.now() - Number(process.env.ATUM_COMMAND_STARTED ?? Date.now()))
const aborted = new AbortController()
const processes: SupervisedProcess[] = []
let cluster: Cluster | undefined
let postgresDeaths: number[] = []
let claim: RunClaim | undefined
let stopping: Promise<void> | undefined
let firstSignalAt = 0

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
// Whoever launched us was killed without a word.
process.on('disconnect', onSignal)

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!stopping) {
    print(`\n${error instanceof Error ? error.message : String(error)}\n`)
    await stopAll(1)
  }
}

async function main(argv: string[]): Promise<void> {
  const unknown = argv.filter((argument) => argument !== '--watch')
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(' ')}. The only option is --watch.`)
  if (process.platform === 'win32') throw new Error('ATUM Desk runs on Linux and macOS; on Windows use WSL.')
  const watching = argv.includes('--watch')
  const dataDir = dataDirectory()
  makeDataDirectory(dataDir)
  claim = claimDataDirectory(dataDir)

  print(`\n  ${colour.bold('ATUM Desk')}\n`)
  await stopLeftovers(claim.leftover?.children ?? {})
  const port = await choosePort()
  const { signal } = aborted
  const [database] = await Promise.all([
    openDatabase(dataDir, signal, (started) => {
      cluster = started
      keepRunning(dataDir, started)
    }),
    // With --watch the sources are served as they are.
    watching ? undefined : step('Web', () => buildWeb(signal), String),
  ])
  const encryptionKeys = readOrCreateSecret(join(dataDir, 'secrets', 'encryption'), secretBytes)
  claim.update({
    port,
    encryptionKeyIds: parseKeys(encryptionKeys).map(keyId),
    ownerUrl: database.ownerUrl,
    ...(database.superuserUrl ? { superuserUrl: database.superuserUrl } : {}),
  })

  await step('Server and worker', () =>
    startProcesses(
      {
        dataDir,
        database,
        port,
        encryptionKeys,
        watching,
        signal,
        onChange: (children) => claim?.update({ children }),
        onGiveUp: () => void stopAll(1),
      },
      processes,
    ),
  )
  const address = `http://localhost:${port}`
  claim.update({ address })
  welcome({
    address,
    dataDir,
    database: database.description,
    hasDemo: database.hasDemo,
    scanner: readScannerEnvironment(commonEnvironment(dataDir, port)),
    readyIn: seconds(commandStarted),
  })
}

async function choosePort(): Promise<number> {
  const named = process.env.PORT
  const wanted = named ? Number(named) : defaultPort
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 65535)
    throw new Error(`PORT=${named} is not a port.`)
  if (await isPortFree(wanted)) return wanted
  const port = await nextFreePort(wanted + 1)
  print(`  ${colour.yellow('!')} Port ${wanted} is busy: ATUM Desk takes ${port} (PORT=… names another)`)
  return port
}

function keepRunning(dataDir: string, running: Cluster): void {
  claim?.update({ postgres: { pid: running.pid, port: running.port } })
  void running.exited.then(async () => {
    if (stopping) return
    const now = performance.now()
    postgresDeaths = [...postgresDeaths.filter((death) => now - death < deathsForgottenMilliseconds), now]
    if (postgresDeaths.length > deathsAllowed) {
      print(
        `\n  ${colour.red('PostgreSQL dies again and again.')} Its log: ${join(dataDir, 'postgres/log')}\n`,
      )
      return stopAll(1)
    }
    print(`  ${colour.yellow('!')} PostgreSQL stopped; starting it again`)
    await delay(250 * postgresDeaths.length)
    if (stopping) return
    try {
      cluster = await startEmbedded(dataDir, running.port)
      keepRunning(dataDir, cluster)
    } catch (error) {
      print(`\n${error instanceof Error ? error.message : String(error)}\n`)
      await stopAll(1)
    }
  })
}

function onSignal(): void {
  const now = performance.now()
  if (!stopping) {
    firstSignalAt = now
    print(`\n  Stopping ${colour.dim('(Ctrl-C again: at once)')}`)
    void stopAll(0)
  } else if (now - firstSignalAt > samePressMilliseconds) {
    for (const child of processes) child.kill()
    void Promise.resolve(cluster?.stop('immediate')).then(() => exit(130))
  }
}

function stopAll(code: number): Promise<void> {
  stopping ??= (async () => {
    const started = performance.now()
    aborted.abort()
    await Promise.all(processes.map((child) => child.stop()))
    await cluster?.stop()
    if (code === 0) print(`  Stopped in ${seconds(started)}`)
    exit(code)
  })()
  return stopping
}

function exit(code: number): never {
  claim?.release()
  process.exit(code)
}
