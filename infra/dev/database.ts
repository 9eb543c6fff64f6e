import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, escapeIdentifier, escapeLiteral } from 'pg'
import { withDatabase, withLogin } from './connection-url.ts'
import { repository } from './repository.ts'
import { runProgram } from './run-program.ts'

/** The logins that connect from outside the database; the other roles are reached by `set role`. */
export const loginRoles = ['atum_owner', 'atum_server', 'atum_worker'] as const

/** A password for each login role. */
export type LoginPasswords = Record<(typeof loginRoles)[number], string>

/** The connection strings of one prepared database. */
export interface DatabaseUrls {
  ownerUrl: string
  serverUrl: string
  workerUrl: string
}

// Roles belong to the whole cluster, and two sessions that alter one at the same moment end in "tuple concurrently
// updated"; so whoever bootstraps holds this lock in the maintenance database.
const bootstrapLock = 4_286_101

/**
 * Makes the database where it is missing, with its roles, extensions, passwords and every migration. Safe to repeat.
 * `superuserUrl` names the maintenance database.
 */
export async function prepareDatabase(options: {
  superuserUrl: string
  database: string
  passwords: LoginPasswords
  signal?: AbortSignal
}): Promise<DatabaseUrls> {
  const { superuserUrl, database, passwords } = options
  await withClient(superuserUrl, async (cluster) => {
    await cluster.query('select pg_advisory_lock($1)', [bootstrapLock])
    const { rowCount } = await cluster.query('select from pg_database where datname = $1', [database])
    if (rowCount === 0) {
      await cluster.query(
        `create database ${escapeIdentifier(database)} template template0 encoding 'UTF8' ${localeClause()}`,
      )
    }
    const bootstrap = await readFile(join(repository, 'db/bootstrap.sql'), 'utf8')
    await withClient(withDatabase(superuserUrl, database), (client) => client.query(bootstrap))
    await cluster.query(
      loginRoles.map((role) => `alter role ${role} password ${escapeLiteral(passwords[role])}`).join(';\n'),
    )
    await cluster.query(`alter database ${escapeIdentifier(database)} owner to atum_owner`)
  })

  const urlOf = (role: keyof LoginPasswords) =>
    withLogin(withDatabase(superuserUrl, database), role, passwords[role])
  const urls = {
    ownerUrl: urlOf('atum_owner'),
    serverUrl: urlOf('atum_server'),
    workerUrl: urlOf('atum_worker'),
  }
  await migrate(urls.ownerUrl, superuserUrl, options.signal)
  return urls
}

/** Brings a bootstrapped database up to the last migration, as its owner. */
export async function migrate(
  ownerUrl: string,
  superuserUrl: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  await runProgram(process.execPath, ['db/migrate.ts', 'migrate'], {
    signal,
    environment: {
      ...process.env,
      DATABASE_URL: ownerUrl,
      ...(superuserUrl ? { ROOT_DATABASE_URL: superuserUrl } : {}),
    },
  })
}

/**
 * Refuses a database that has migrations these sources do not: they were made on another branch, or these sources are
 * older than the data.
 */
export async function refuseNewerDatabase(ownerUrl: string): Promise<void> {
  // The log's files are called 000001-name.sql, and the database remembers them as 000001.sql.
  const known = new Set(
    readdirSync(join(repository, 'db/migrations/committed')).map((name) => parseInt(name, 10)),
  )
  const applied = await withClient(ownerUrl, (client) =>
    client.query<{ filename: string }>('select filename from graphile_migrate.migrations order by filename'),
  )
  const unknown = applied.rows.find(({ filename }) => !known.has(parseInt(filename, 10)))
  if (unknown) {
    throw new Error(
      `The database has the migration ${unknown.filename}, which these sources do not. Check out the sources that do, ` +
        'or start on another ATUM_DATA_DIR.',
    )
  }
}

/** Runs something on a connection of its own and closes it. */
export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'atum-dev' })
  // Without a listener, a server that goes away while we are idle would end this process.
  client.on('error', () => {})
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

function localeClause(): string {
  return process.platform === 'linux'
    ? `locale 'C.UTF-8'`
    : `locale 'C' locale_provider builtin builtin_locale 'C.UTF-8'`
}
