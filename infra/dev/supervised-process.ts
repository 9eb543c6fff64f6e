import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { compactLogLine } from './child-log.ts'
import { type Leash, putOnLeash } from './leash.ts'
import { rotateLog } from './log-file.ts'
import { type ProcessReference, referenceTo } from './process-identity.ts'
import { repository } from './repository.ts'
import { settlesWithin } from './settles-within.ts'

const stopMilliseconds = 2_500
const killMilliseconds = 500
const quickDeathMilliseconds = 10_000
const patience = 5
const firstPauseMilliseconds = 250
const keptLines = 20

export interface SupervisedOptions {
  name: string
  args: string[]
  environment: NodeJS.ProcessEnv
  /** Whether all it says goes to the terminal: for what talks to whoever edits. Otherwise warnings and errors do. */
  talks?: boolean
  logFile: string
  print: (line: string) => void
  onStart: (reference: ProcessReference) => void
  /** It died again and again right after it was started; `lastLines` is what it said last. */
  onGiveUp: (lastLines: string[]) => void
}

/** A process of ours that is started again when it dies. */
export interface SupervisedProcess {
  name: string
  lastLines: () => string[]
  stop: () => Promise<void>
  kill: () => void
}

/** Runs `node …args`, logs what it says, and starts it again with growing pauses when it dies. */
export function supervise(options: SupervisedOptions): SupervisedProcess {
  const { name, print } = options
  rotateLog(options.logFile)
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 })
  let lastLines: string[] = []
  let stopping = false
  let quickDeaths = 0
  let child: ChildProcess | undefined
  let exited = Promise.resolve()
  let pause: NodeJS.Timeout | undefined

  const hear = (stream: 'stdout' | 'stderr') => (line: string) => {
    log.write(`${line}\n`)
    lastLines = [...lastLines, line].slice(-keptLines)
    if (stopping) return
    const shown = compactLogLine(name, line, options.talks ? 'stderr' : stream)
    if (shown) print(shown)
  }

  const start = () => {
    const started = performance.now()
    const current = spawn(process.execPath, options.args, {
      cwd: repository,
      env: options.environment,
      // Its own group: Ctrl-C in the terminal reaches only us, and we decide the order in which all stop.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = current
    for (const stream of ['stdout', 'stderr'] as const) {
      createInterface({ input: current[stream] }).on('line', hear(stream))
    }
    let leash: Leash | undefined
    if (current.pid !== undefined) {
      leash = putOnLeash({ target: -current.pid, signal: 'SIGTERM', escalation: 'SIGKILL' })
      options.onStart(referenceTo(current.pid))
    }
    exited = new Promise((resolve) => {
      const end = (how: string) => {
        if (child !== current) return
        child = undefined
        leash?.release()
        resolve()
        if (!stopping) startAgain(how, performance.now() - started)
      }
      // What it started itself goes with it, and lets go of the pipes.
      current.once('exit', () => signalGroup(current, 'SIGKILL'))
      // `close`, not `exit`: only then has everything it said been read.
      current.once('close', (code, signal) => end(signal ?? `exit status ${code}`))
      current.once('error', (error) => end(error.message))
    })
  }

  const startAgain = (how: string, lived: number) => {
    quickDeaths = lived < quickDeathMilliseconds ? quickDeaths + 1 : 1
    if (quickDeaths >= patience) {
      stopping = true
      options.onGiveUp(lastLines)
      return
    }
    const wait = firstPauseMilliseconds * 2 ** (quickDeaths - 1)
    print(
      `The ${name} died (${how}) after ${(lived / 1000).toFixed(1)} s; starting it again in ${wait / 1000} s`,
    )
    pause = setTimeout(start, wait)
  }

  start()
  return {
    name,
    lastLines: () => lastLines,
    async stop() {
      stopping = true
      clearTimeout(pause)
      if (child) {
        signalGroup(child, 'SIGTERM')
        if (!(await settlesWithin(exited, stopMilliseconds)) && child) signalGroup(child, 'SIGKILL')
        await settlesWithin(exited, killMilliseconds)
      }
      log.end()
    },
    kill() {
      stopping = true
      clearTimeout(pause)
      if (child) signalGroup(child, 'SIGKILL')
    },
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The whole group is gone.
  }
}
