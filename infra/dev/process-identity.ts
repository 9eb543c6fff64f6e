import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** One life of one process. A pid alone is not enough: it comes back after a reboot or a wrap-around. */
export interface ProcessReference {
  pid: number
  /** When that process started, in whatever form the system tells it; only ever compared for equality. */
  started: string
}

/** What tells this life of `pid` from any other process that had or will have the number; undefined when it is gone. */
export function processStart(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The command's name is in parentheses and may itself hold spaces and parentheses.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const [state, startTicks] = [fields[0], fields[19]]
      if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${startTicks}`
    } catch {
      return undefined
    }
  }
  const listed = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
  return listed.status === 0 ? listed.stdout.trim() || undefined : undefined
}

/** The command line of a process with its arguments joined by spaces; empty when it is gone or not ours to read. */
export function commandLine(pid: number): string {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    } catch {
      return ''
    }
  }
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
}

/** A reference to a process that lives now. */
export function referenceTo(pid: number): ProcessReference {
  return { pid, started: processStart(pid) ?? 'gone' }
}

/** Whether exactly that process, not a later one of the same number, still runs. */
export function isRunning(reference: ProcessReference): boolean {
  return processStart(reference.pid) === reference.started
}
