import { join } from 'node:path'
import {
  type DatabaseUrls,
  loginRoles,
  type LoginPasswords,
  migrate,
  prepareDatabase,
  refuseNewerDatabase,
} from './database.ts'
import { loadDemo } from './demo.ts'
import { type Cluster, startCluster } from './postgres.ts'
import { readOrCreateSecret } from './secrets.ts'
import { colour, print, step } from './terminal.ts'

const database = 'atum'

/** The database that a run of the whole product uses. */
export interface StackDatabase extends DatabaseUrls {
  /** Only of the embedded PostgreSQL. */
  superuserUrl?: string
  /** One line for the screen: which database this is and where. */
  description: string
  hasDemo: boolean
}

/** Prepares the database that DATABASE_URL names, or the embedded one in `dataDir`. */
export async function openDatabase(
  dataDir: string,
  signal: AbortSignal,
  onCluster: (cluster: Cluster) => void,
): Promise<StackDatabase> {
  const external = externalUrls()
  return external ? openExternal(external, signal) : openEmbedded(dataDir, signal, onCluster)
}

/** Starts the embedded PostgreSQL of `dataDir`; `port` is the one it had when it is only being started again. */
export function startEmbedded(dataDir: string, port?: number): Promise<Cluster> {
  const named = Number(process.env.ATUM_POSTGRES_PORT)
  const wanted = port ?? (named > 0 ? named : undefined)
  return startCluster({
    dataDir: join(dataDir, 'postgres'),
    durable: true,
    log: (line) => print(`  ${colour.yellow('!')} ${line}`),
    ...(wanted === undefined ? {} : { port: wanted }),
  })
}

async function openEmbedded(
  dataDir: string,
  signal: AbortSignal,
  onCluster: (cluster: Cluster) => void,
): Promise<StackDatabase> {
  const cluster = await step(
    'PostgreSQL',
    () => startEmbedded(dataDir),
    ({ version, port }) => `version ${version} on 127.0.0.1:${port}`,
  )
  onCluster(cluster)
  signal.throwIfAborted()
  const superuserUrl = cluster.superuserUrl()
  const passwords = Object.fromEntries(
    loginRoles.map((role) => [role, readOrCreateSecret(join(dataDir, 'secrets', `${role}.password`))]),
  ) as LoginPasswords
  const urls = await step('Database', async () => {
    const prepared = await prepareDatabase({ superuserUrl, database, passwords, signal })
    await refuseNewerDatabase(prepared.ownerUrl)
    return prepared
  })
  await seed(urls.ownerUrl, cluster.superuserUrl(database))
  return {
    ...urls,
    superuserUrl,
    hasDemo: true,
    description: `${cluster.superuserUrl(database).replace(/^.*@/, '')} (npm run -s db:url)`,
  }
}

async function openExternal(urls: DatabaseUrls, signal: AbortSignal): Promise<StackDatabase> {
  await step('Database', async () => {
    await migrate(urls.ownerUrl, process.env.ROOT_DATABASE_URL, signal)
    await refuseNewerDatabase(urls.ownerUrl)
  })
  const hasDemo = process.env.ATUM_DEMO === '1'
  if (hasDemo) await seed(urls.ownerUrl, process.env.ROOT_DATABASE_URL ?? urls.ownerUrl)
  const { host, pathname } = new URL(urls.ownerUrl)
  return { ...urls, description: `${host}${pathname} (DATABASE_URL)`, hasDemo }
}

async function seed(ownerUrl: string, countUrl: string): Promise<void> {
  await step(
    'Demo data',
    () => loadDemo(ownerUrl, countUrl),
    (result) => (result === 'present' ? 'already there' : 'loaded'),
  )
}

function externalUrls(): DatabaseUrls | undefined {
  const {
    DATABASE_URL: ownerUrl,
    ATUM_SERVER_DATABASE_URL: serverUrl,
    ATUM_WORKER_DATABASE_URL: workerUrl,
  } = process.env
  if (!ownerUrl) return undefined
  if (!serverUrl || !workerUrl) {
    throw new Error(
      'DATABASE_URL names a PostgreSQL of your own, as its owner atum_owner. Name the other two logins too: ' +
        'ATUM_SERVER_DATABASE_URL (as atum_server) and ATUM_WORKER_DATABASE_URL (as atum_worker). ' +
        'db/bootstrap.sql, run once by a superuser, makes the roles. Without DATABASE_URL an embedded PostgreSQL is used.',
    )
  }
  for (const [name, url] of Object.entries({ DATABASE_URL: ownerUrl, serverUrl, workerUrl })) {
    if (!URL.canParse(url))
      throw new Error(`${name} is not an address like postgres://login:password@host:5432/database`)
  }
  return { ownerUrl, serverUrl, workerUrl }
}
