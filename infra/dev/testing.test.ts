import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { withDatabase } from './connection-url.ts'
import { withClient } from './database.ts'
import { createTestDatabase, type TestDatabase } from './testing.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})

afterAll(() => database.drop())

test('refuses connections to the template', async () => {
  const { superuserUrl } = inject('testCluster')
  await expect(withClient(withDatabase(superuserUrl, 'atum_template'), async () => {})).rejects.toThrow(
    /not currently accepting connections/,
  )
})

test('refuses the database to a role that was not granted it, as in the original', async () => {
  await withClient(database.superuserUrl, async (client) => {
    const { rows } = await client.query<{ role: string; granted: boolean }>(
      `select role, has_database_privilege(role, current_database(), 'connect') as granted
       from unnest(array['atum_anonymous', 'atum_server', 'atum_worker', 'atum_owner']) as role`,
    )
    expect(Object.fromEntries(rows.map(({ role, granted }) => [role, granted]))).toEqual({
      atum_anonymous: false,
      atum_server: true,
      atum_worker: true,
      atum_owner: true,
    })
  })
})

test('gives each login its connection', async () => {
  for (const [url, role] of [
    [database.ownerUrl, 'atum_owner'],
    [database.serverUrl, 'atum_server'],
    [database.workerUrl, 'atum_worker'],
  ] as const) {
    await withClient(url, async (client) => {
      const { rows } = await client.query<{ role: string; name: string }>(
        'select session_user::text as role, current_database()::text as name',
      )
      expect(rows).toEqual([{ role, name: database.name }])
    })
  }
})

test('makes many at once, each migrated and alone', async () => {
  const databases = await Promise.all(Array.from({ length: 4 }, createTestDatabase))
  expect(new Set(databases.map(({ name }) => name)).size).toBe(4)
  for (const { superuserUrl, drop } of databases) {
    await withClient(superuserUrl, async (client) => {
      const { rows } = await client.query<{ count: string }>('select count(*) from app_public.organizations')
      expect(rows).toEqual([{ count: '0' }])
    })
    await drop()
  }
})
