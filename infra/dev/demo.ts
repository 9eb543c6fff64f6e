import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withClient } from './database.ts'
import { repository } from './repository.ts'

/** The people of the demo, as the seed has them. */
export const demo = {
  password: 'atum-demo-2026',
  roles: ['admin', 'manager', 'agent', 'customer'],
  organizations: ['acme.example', 'globex.example'],
}

// The stories of each organization, what plays them, what its agents prepared, and what its customers said in the end.
const seedFiles = [
  'demo-acme.sql',
  'demo-globex.sql',
  'demo.sql',
  'demo-prepared.sql',
  'demo-satisfaction.sql',
]

/**
 * Loads the demo into a database without any organization, as its owner and in one transaction, so that a run that
 * is killed half-way loads it again next time. `countUrl` is the login that counts: row-level security is forced on
 * the owner too, who would find the table empty whatever is in it.
 */
export async function loadDemo(ownerUrl: string, countUrl: string): Promise<'loaded' | 'present'> {
  const isEmpty = await withClient(countUrl, async (client) => {
    const { rows } = await client.query<{ empty: boolean }>(
      'select not exists (select from app_public.organizations) as empty',
    )
    return rows[0]?.empty ?? false
  })
  if (!isEmpty) return 'present'
  await withClient(ownerUrl, async (client) => {
    await client.query('begin')
    for (const file of seedFiles) {
      await client.query(await readFile(join(repository, 'db/seeds', file), 'utf8'))
    }
    await client.query('commit')
  })
  return 'loaded'
}
