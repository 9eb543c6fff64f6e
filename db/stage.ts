/**
 * Joins the two truths of the database: `db/functions` and `db/policies` are edited in place, the committed
 * migrations are replayed. A file whose text is not the one last committed is linked into `migrations/current`, where
 * graphile-migrate runs it on save (`npm run db:watch`) and freezes it into the log (`npm run db:commit`).
 * With `--check` nothing is linked: the exit status says whether an edited file still waits to be committed.
 */
import { lstatSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join, relative } from 'node:path'

const directory = import.meta.dirname
const committedFolder = join(directory, 'migrations/committed')
const currentFolder = join(directory, 'migrations/current')
const splitMarker = /^--! split: (.+)$/

/** A file one edits, and the name it bears in the migration log: functions run before policies, by domain number. */
interface RepeatableFile {
  path: string
  stagedName: string
}

/** Every function and policy file, in the order in which they run. */
export function repeatableFiles(): RepeatableFile[] {
  return [
    { folder: 'functions', base: 1000 },
    { folder: 'policies', base: 2000 },
  ].flatMap(({ folder, base }) =>
    readdirSync(join(directory, folder))
      .filter((name) => name.endsWith('.sql'))
      .sort()
      .map((name) => ({
        path: join(directory, folder, name),
        stagedName: `${base + Number.parseInt(name, 10)}-${folder}-${name}`,
      })),
  )
}

/** The text each file had when it was last committed, by the name it bears in the log. */
function committedSnapshots(): Map<string, string> {
  const snapshots = new Map<string, string>()
  for (const migration of readdirSync(committedFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort()) {
    let name = ''
    for (const line of readFileSync(join(committedFolder, migration), 'utf8').split('\n')) {
      const split = splitMarker.exec(line)?.[1]
      if (split) {
        name = split.trim()
        snapshots.set(name, '')
      } else if (name) {
        snapshots.set(name, `${snapshots.get(name)}${line}\n`)
      }
    }
  }
  return snapshots
}

/** Whether a file says something besides comments; graphile-migrate leaves a blank one after each commit. */
const hasStatements = (path: string) => /^(?!\s*--).*\S/m.test(readFileSync(path, 'utf8'))

const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false

function stage({ check }: { check: boolean }): number {
  const snapshots = committedSnapshots()
  const files = repeatableFiles()
  const changed = files.filter(
    ({ path, stagedName }) => snapshots.get(stagedName)?.trim() !== readFileSync(path, 'utf8').trim(),
  )

  const waiting = readdirSync(currentFolder).filter((name) => name.endsWith('.sql'))
  if (check) {
    const uncommitted = [
      ...changed.map(({ path }) => relative(process.cwd(), path)),
      ...waiting.filter(
        (name) => !isLink(join(currentFolder, name)) && hasStatements(join(currentFolder, name)),
      ),
    ]
    for (const name of uncommitted) console.error(`Edited but not committed to the migration log: ${name}`)
    return uncommitted.length === 0 ? 0 : 1
  }

  for (const name of waiting) {
    // A copy that `uncommit` left behind would hide the file one edits.
    if (isLink(join(currentFolder, name)) || files.some(({ stagedName }) => stagedName === name)) {
      rmSync(join(currentFolder, name))
    }
  }
  for (const { path, stagedName } of changed) {
    symlinkSync(relative(currentFolder, path), join(currentFolder, stagedName))
    console.log(`staged ${basename(path)} as ${stagedName}`)
  }
  return 0
}

if (import.meta.main) process.exitCode = stage({ check: process.argv.includes('--check') })
