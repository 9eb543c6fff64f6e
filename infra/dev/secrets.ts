import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** How many random bytes a key is made of. */
export const secretBytes = 48

/** A secret that nobody knows yet. */
export const makeSecret = (bytes = secretBytes): string => randomBytes(bytes).toString('base64url')

/** The secret in `file`; the first caller makes it, at random, readable by its owner alone. */
export function readOrCreateSecret(file: string, bytes = 24): string {
  const existing = readSecret(file)
  if (existing !== undefined) return existing
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${makeSecret(bytes)}\n`, { mode: 0o600, flag: 'w' })
  try {
    // A link never overwrites and never shows half a file, so of two that come at once both read the same secret.
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const secret = readSecret(file)
  if (secret === undefined) throw new Error(`${file} is empty; remove it and start again.`)
  return secret
}

/** The secret in `file`, or undefined where there is none. */
export function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Puts another secret into `file`: whole or not at all, and on the disk before this returns. */
export function replaceSecret(file: string, secret: string): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${secret}\n`, { mode: 0o600, flag: 'w', flush: true })
  renameSync(draft, file)
  const directory = openSync(dirname(file), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
