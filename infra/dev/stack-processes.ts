import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { nextFreePort } from './ports.ts'
import { isRunning, type ProcessReference } from './process-identity.ts'
import { readOrCreateSecret, secretBytes } from './secrets.ts'
import type { StackDatabase } from './stack-database.ts'
import { supervise, type SupervisedProcess } from './supervised-process.ts'
import { colour, print } from './terminal.ts'

const readyMilliseconds = 60_000
const pollMilliseconds = 100
// What lives in the server is 50 MB; without a limit the collector lets 400 MB pile up under load. With these it stays
// below 200 MB, and requests took no more processor time that could be measured.
const frugal = ['--max-semi-space-size=8', '--max-old-space-size=256']

export interface StackOptions {
  dataDir: string
  database: StackDatabase
  /** The port that people use. */
  port: number
  /** What the server opens secrets with. */
  encryptionKeys: string
  watching: boolean
  signal: AbortSignal
  /** Called whenever a process was started, with all that run. */
  onChange: (children: Record<string, ProcessReference>) => void
  onGiveUp: () => void
}

/** Starts server and worker, with `watching` also what follows the sources, and pushes each onto `into` at once. */
export async function startProcesses(options: StackOptions, into: SupervisedProcess[]): Promise<void> {
  const { dataDir, database, port, watching } = options
  const serverPort = watching ? await nextFreePort(port + 1) : port
  const common = commonEnvironment(dataDir, port)
  const children: Record<string, ProcessReference> = {}

  const start = (name: string, args: string[], environment: NodeJS.ProcessEnv, talks = false) => {
    into.push(
      supervise({
        name,
        args,
        talks,
        environment: { ...common, ...environment },
        logFile: join(dataDir, 'log', `${name}.log`),
        print: (line) => print(`  ${line}`),
        onStart(reference) {
          children[name] = reference
          options.onChange({ ...children })
        },
        onGiveUp(lastLines) {
          print(`\n  ${colour.red(`The ${name} dies each time it is started.`)} Its last words:\n`)
          for (const line of lastLines) print(`    ${line}`)
          options.onGiveUp()
        },
      }),
    )
  }

  const watch = [...(watching ? ['--watch', '--watch-preserve-output'] : []), ...frugal]
  start('server', [...watch, 'server/main.ts'], {
    DATABASE_URL: database.serverUrl,
    PORT: String(serverPort),
    // The worker lets nobody in, and so has no such key.
    ATUM_JWT_SECRET: readOrCreateSecret(join(dataDir, 'secrets', 'jwt'), secretBytes),
    ATUM_ENCRYPTION_KEY: options.encryptionKeys,
  })
  start('worker', [...watch, 'worker/main.ts'], {
    DATABASE_URL: database.workerUrl,
    ATUM_ENCRYPTION_KEY: options.encryptionKeys,
  })
  if (watching) {
    const web = { PORT: String(port), ATUM_SERVER_PORT: String(serverPort) }
    start('web', ['infra/dev/web-server.ts'], web, true)
    const owner = {
      DATABASE_URL: database.ownerUrl,
      ...(database.superuserUrl ? { ROOT_DATABASE_URL: database.superuserUrl } : {}),
    }
    start('database', ['infra/dev/database-watch.ts'], owner, true)
  }

  const awaited = ['/healthz', '/readyz'].map((path) => `http://127.0.0.1:${serverPort}${path}`)
  if (watching) awaited.push(`http://127.0.0.1:${port}/`)
  for (const url of awaited) await answers(url, into, options.signal)
}

/** Stops what a killed run left behind, told by its pid and its start from any other process. */
export async function stopLeftovers(leftovers: Record<string, ProcessReference>): Promise<void> {
  for (const [name, reference] of Object.entries(leftovers)) {
    if (!isRunning(reference)) continue
    print(
      `  ${colour.yellow('!')} Stopping the ${name} that an earlier run left behind (pid ${reference.pid})`,
    )
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (isRunning(reference)) process.kill(-reference.pid, signal)
      for (let round = 0; round < 30 && isRunning(reference); round += 1) await delay(pollMilliseconds)
    }
  }
}

/** What each process is given, besides its login. */
export function commonEnvironment(dataDir: string, port: number): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    NODE_ENV: 'development',
    ATTACHMENT_SCANNER: 'off',
    ...process.env,
    ATUM_DATA_DIR: dataDir,
    // Where people come by another address, as through a proxy, the links in mails lead there.
    ATUM_PUBLIC_URL: process.env.ATUM_PUBLIC_URL || `http://localhost:${port}`,
    HOST: '127.0.0.1',
  }
  // Each process gets one login, its own.
  for (const name of [
    'DATABASE_URL',
    'ROOT_DATABASE_URL',
    'ATUM_SERVER_DATABASE_URL',
    'ATUM_WORKER_DATABASE_URL',
    'ATUM_OPERATOR_DATABASE_URL',
    'ATUM_JWT_SECRET',
    'ATUM_ENCRYPTION_KEY',
    'ATUM_OWNER',
    'ATUM_COMMAND_STARTED',
  ]) {
    delete environment[name]
  }
  return environment
}

async function answers(url: string, processes: SupervisedProcess[], signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyMilliseconds
  for (;;) {
    signal.throwIfAborted()
    let answer: string
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
      if (response.ok) return
      answer = `status ${response.status}: ${(await response.text()).slice(0, 300)}`
    } catch (error) {
      answer = error instanceof Error ? error.message : String(error)
    }
    if (performance.now() > deadline) {
      const words = processes.flatMap(({ name, lastLines }) =>
        lastLines().map((line) => `  ${name}: ${line}`),
      )
      throw new Error(
        `${url} did not answer for ${readyMilliseconds / 1000} s (${answer}).\n${words.join('\n')}`,
      )
    }
    await delay(pollMilliseconds)
  }
}
