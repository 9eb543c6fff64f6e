import { lstatSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repeatableFiles } from '../../db/stage.ts'
import { withClient } from './database.ts'
import { repository } from './repository.ts'
import { runProgram } from './run-program.ts'

const currentFolder = join(repository, 'db/migrations/current')

/**
 * Brings a migrated database up to the working tree: what is in `db/migrations/current`, then every function and
 * policy, in the order in which a commit would write them. So an edit is tested before it is committed to the log,
 * and nothing in the tree is touched. Does nothing where all is committed.
 */
export async function applyUncommittedSql(ownerUrl: string): Promise<void> {
  const current = (await Promise.all(currentFiles().map(read))).filter(({ text }) => !isBlank(text))
  if (current.length === 0 && (await isCommitted())) return

  const repeatable = await Promise.all(
    repeatableFiles().map(({ path, stagedName }) => read({ path, name: stagedName })),
  )
  const files = [...current, ...repeatable].sort(
    (a, b) => Number.parseInt(a.name, 10) - Number.parseInt(b.name, 10),
  )
  await withClient(ownerUrl, async (client) => {
    // A log without any migration has not called the hook that makes the job queue's tables.
    const { rows } = await client.query<{ missing: boolean }>(
      `select to_regnamespace('graphile_worker') is null as missing`,
    )
    if (rows[0]?.missing) {
      await runProgram(join(repository, 'node_modules/.bin/graphile-worker'), [
        '-c',
        ownerUrl,
        '--schema-only',
      ])
    }
    await client.query('begin')
    for (const { name, text } of files) {
      try {
        await client.query(text)
      } catch (error) {
        throw new Error(
          `${name}: ${error instanceof Error ? error.message : String(error)}${lineOf(error, text)}`,
          {
            cause: error,
          },
        )
      }
    }
    await client.query('commit')
  })
}

function currentFiles(): { name: string; path: string }[] {
  return readdirSync(currentFolder)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => ({ name, path: join(currentFolder, name) }))
    .filter(({ path }) => !lstatSync(path).isSymbolicLink())
}

async function read({ name, path }: { name: string; path: string }): Promise<{ name: string; text: string }> {
  return { name, text: await readFile(path, 'utf8') }
}

function isBlank(text: string): boolean {
  return text.replaceAll(/^\s*--.*$/gm, '').trim() === ''
}

async function isCommitted(): Promise<boolean> {
  try {
    await runProgram(process.execPath, ['db/stage.ts', '--check'])
    return true
  } catch {
    return false
  }
}

function lineOf(error: unknown, text: string): string {
  const position =
    error && typeof error === 'object' && 'position' in error ? Number(error.position) : Number.NaN
  return position > 0 ? ` (line ${text.slice(0, position).split('\n').length})` : ''
}
