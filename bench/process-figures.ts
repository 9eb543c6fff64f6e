import { readdirSync, readFileSync } from 'node:fs'

// The kernel counts processor time in ticks of a hundredth of a second on every Linux this runs on.
const millisecondsPerTick = 10

/** A process and all that descend from it. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statFields(Number(entry))
    if (fields) parents.set(Number(entry), Number(fields[1]))
  }
  const family = [pid]
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child)
  }
  return family
}

/** Milliseconds of processor time that processes have used so far, with what their ended children used. */
export function processorMilliseconds(pids: number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const fields = statFields(pid)
    if (fields) ticks += [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0)
  }
  return ticks * millisecondsPerTick
}

/** Megabytes of memory that are a process's own share (PSS). */
export function proportionalMegabytes(pid: number): number {
  const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return Number(line?.[1] ?? NaN) / 1024
}

// After the name in parentheses, which may hold anything: state, parent, … utime is field 11, stime 12.
function statFields(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')
  } catch {
    return undefined
  }
}
