import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { commandLine, processStart } from './process-identity.ts'

/**
 * Stops the PostgreSQL that a killed run left behind on this very data directory. One of another directory, and any
 * other program that happens to have the recorded pid by now, is left alone.
 */
export async function stopLeftoverPostmaster(data: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(data, 'postmaster.pid')
  const pid = recordedPid(pidFile)
  if (pid === undefined) return
  const started = processStart(pid)
  if (started === undefined) return

  if (!commandLine(pid).includes(`-D ${data} `)) {
    // PostgreSQL itself only sees that the pid is alive, and would refuse to start for ever.
    rmSync(pidFile, { force: true })
    return
  }
  log(`Stopping the PostgreSQL that an earlier run left behind (pid ${pid})`)
  const steps: [NodeJS.Signals, number][] = [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 2_000],
  ]
  for (const [signal, patience] of steps) {
    process.kill(pid, signal)
    const deadline = performance.now() + patience
    while (performance.now() < deadline) {
      if (processStart(pid) !== started) return
      await delay(20)
    }
  }
  throw new Error(`The PostgreSQL with pid ${pid}, left behind by an earlier run, cannot be stopped.`)
}

function recordedPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
    return Number.isInteger(pid) && pid > 1 ? pid : undefined
  } catch {
    return undefined
  }
}
