import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** The account that PostgreSQL runs as when it cannot be ours. */
export interface Account {
  uid: number
  gid: number
}

/**
 * PostgreSQL refuses to run as root, so root hands it to the account `postgres`, which is made where it is missing.
 * Anyone else runs it as themselves: undefined.
 */
export function postgresAccount({ create }: { create: boolean }): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const existing = lookUp()
  if (existing || !create) return existing
  try {
    execFileSync(
      'useradd',
      ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', 'postgres'],
      {
        stdio: 'pipe',
      },
    )
  } catch (error) {
    throw new Error(
      'PostgreSQL cannot run as root, and the account "postgres" that would run it could not be made ' +
        `(${error instanceof Error ? error.message.trim() : String(error)}). ` +
        'Make it yourself, or run this as an ordinary user.',
      { cause: error },
    )
  }
  const made = lookUp()
  if (!made) throw new Error('useradd made no account "postgres".')
  return made
}

function lookUp(): Account | undefined {
  const ask = (flag: string) =>
    Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe', encoding: 'utf8' }))
  try {
    return { uid: ask('-u'), gid: ask('-g') }
  } catch {
    return undefined
  }
}

/** Whether `account` may pass through every directory on the way to `path`. Without an account: whether we may. */
export function canReach(path: string, account: Account | undefined): boolean {
  const parent = dirname(resolve(path))
  return parent === resolve(path) || (canEnter(parent, account) && canReach(parent, account))
}

/** Whether `account` may pass through a directory, or run a program. What is not there yet will be made by us. */
export function canEnter(path: string, account: Account | undefined): boolean {
  if (!account) return true
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return true
  const bit = stat.uid === account.uid ? 0o100 : stat.gid === account.gid ? 0o010 : 0o001
  return (stat.mode & bit) !== 0
}
