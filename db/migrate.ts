/**
 * Runs graphile-migrate with the connection strings it needs.
 *
 * `migrate` brings the database in DATABASE_URL (as atum_owner) up to the last committed migration; `watch` also
 * runs what is in `migrations/current` on every save. `commit`, `uncommit` and `reset` replay the whole log, so they
 * do it on a throw-away cluster and never touch a database that somebody uses.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { withDatabase } from '../infra/dev/connection-url.ts'
import { prepareDatabase } from '../infra/dev/database.ts'
import { startCluster } from '../infra/dev/postgres.ts'
import { makeReachableDirectory } from '../infra/dev/throw-away-database.ts'

const repository = join(import.meta.dirname, '..')

interface Connections {
  databaseUrl: string
  rootUrl: string
  shadowUrl: string
}

function graphileMigrate(args: string[], { databaseUrl, rootUrl, shadowUrl }: Connections): number {
  const { status } = spawnSync(
    process.execPath,
    [join(repository, 'node_modules/graphile-migrate/dist/cli.js'), ...args],
    {
      cwd: repository,
      stdio: 'inherit',
      env: {
        ...process.env,
        // The hooks call graphile-worker by name.
        PATH: `${join(repository, 'node_modules/.bin')}:${process.env.PATH}`,
        DATABASE_URL: databaseUrl,
        ROOT_DATABASE_URL: rootUrl,
        SHADOW_DATABASE_URL: shadowUrl,
      },
    },
  )
  return status ?? 1
}

async function onThrowAwayCluster(args: string[]): Promise<number> {
  const dataDir = makeReachableDirectory()
  const cluster = await startCluster({
    dataDir,
    durable: false,
    port: 25700,
    removeWhenKilled: dataDir,
    log: console.error,
  })
  try {
    const passwords = { atum_owner: 'owner', atum_server: 'server', atum_worker: 'worker' }
    const prepare = (database: string) =>
      prepareDatabase({ superuserUrl: cluster.superuserUrl(), database, passwords })
    const { ownerUrl } = await prepare('atum_desk')
    await prepare('atum_shadow')
    return graphileMigrate(args, {
      databaseUrl: ownerUrl,
      rootUrl: cluster.superuserUrl(),
      shadowUrl: withDatabase(ownerUrl, 'atum_shadow'),
    })
  } finally {
    await cluster.stop('immediate')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const [command = 'migrate', ...rest] = process.argv.slice(2)

if (command === 'commit' || command === 'uncommit' || command === 'reset') {
  process.exitCode = await onThrowAwayCluster([command, ...rest])
} else {
  const databaseUrl = process.env.DATABASE_URL
  if (!databaseUrl) {
    console.error(
      'DATABASE_URL must name the database, as its owner. `npm run -s db:url` prints the running one.',
    )
    process.exit(2)
  }
  // graphile-migrate refuses to start without a root connection that differs, even where it never uses it.
  const unused = withDatabase(databaseUrl, 'postgres')
  process.exitCode = graphileMigrate([command, ...rest], {
    databaseUrl,
    rootUrl: process.env.ROOT_DATABASE_URL ?? unused,
    shadowUrl: unused,
  })
}
