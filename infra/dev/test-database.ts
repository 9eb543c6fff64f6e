import type { TestProject } from 'vitest/node'
import { withDatabase } from './connection-url.ts'
import { type LoginPasswords, withClient } from './database.ts'
import { makeThrowAwayDatabase } from './throw-away-database.ts'

/** The migrated database that every test's own database is a copy of. */
export const templateDatabase = 'atum_template'

/** What a test room is told about the throw-away cluster. */
export interface TestCluster {
  superuserUrl: string
  passwords: LoginPasswords
}

declare module 'vitest' {
  export interface ProvidedContext {
    testCluster: TestCluster
  }
}

const projectsWithoutDatabase = new Set(['web'])

/** The one global setup: a throw-away cluster with the migrated template, for the whole run. */
export default async function setUpTestDatabase(
  root: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  // `projects` are those that the command line chose.
  if (root.vitest.projects.every(({ name }) => projectsWithoutDatabase.has(name))) return undefined
  const { superuserUrl, passwords, remove } = await makeThrowAwayDatabase(templateDatabase)
  try {
    await withClient(withDatabase(superuserUrl, templateDatabase), (client) => client.query('vacuum analyze'))
    await withClient(superuserUrl, (client) =>
      // Nobody may connect to the template: it could not be copied while they do.
      client.query(`alter database ${templateDatabase} with is_template true allow_connections false`),
    )
    root.provide('testCluster', { superuserUrl, passwords })
    return remove
  } catch (error) {
    await remove()
    throw error
  }
}
