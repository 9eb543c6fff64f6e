import { renameSync, statSync } from 'node:fs'

const rotateBytes = 10_000_000

/** Sets a log that has grown large aside, as `….1`, before it is opened again. */
export function rotateLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > rotateBytes) renameSync(file, `${file}.1`)
}
