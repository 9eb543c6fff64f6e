import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './repository.ts'
import { runProgram } from './run-program.ts'

const distribution = join(repository, 'web/dist')
// Inside, so that it goes and comes with what it describes; whoever builds by hand leaves none.
const stamp = '.sources'
const otherSources = ['package-lock.json', 'server/schema.graphql']
const notSources = new Set(['dist', 'node_modules', 'e2e'])

/** Builds the web into web/dist unless what is there was built from these very sources. */
export async function buildWeb(signal: AbortSignal): Promise<'built' | 'unchanged'> {
  const wanted = hashSources()
  if (readStamp() === wanted) return 'unchanged'
  // Built aside: a server that runs, or a second build, never meets half a web.
  const draft = join(repository, `node_modules/.cache/atum-web-${process.pid}`)
  const former = `${draft}.former`
  try {
    await runProgram(
      process.execPath,
      [join(repository, 'node_modules/vite/bin/vite.js'), 'build', 'web', '--outDir', draft, '--emptyOutDir'],
      { signal, environment: { ...process.env, NODE_ENV: 'production' } },
    )
    writeFileSync(join(draft, stamp), wanted)
    if (existsSync(distribution)) renameSync(distribution, former)
    renameSync(draft, distribution)
  } finally {
    for (const directory of [draft, former]) rmSync(directory, { recursive: true, force: true })
  }
  return 'built'
}

function hashSources(): string {
  const web = join(repository, 'web')
  const files = readdirSync(web, { withFileTypes: true })
    .filter((entry) => !notSources.has(entry.name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(join(web, entry.name), { recursive: true, withFileTypes: true })
            .filter((inner) => inner.isFile())
            .map((inner) => join(inner.parentPath, inner.name))
        : [join(web, entry.name)],
    )
  const hash = createHash('sha256')
  for (const file of [...files, ...otherSources.map((name) => join(repository, name))].sort()) {
    hash
      .update(`${file.slice(repository.length)}\0`)
      .update(readIfThere(file))
      .update('\0')
  }
  return hash.digest('hex')
}

function readStamp(): string | undefined {
  return readIfThere(join(distribution, stamp)).toString() || undefined
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
