import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { repository } from './repository.ts'
import { runProgram } from './run-program.ts'
import { createTestDatabase } from './testing.ts'

const again = 'run `npm run generate`'

test('server/schema.graphql is what the database gives', async () => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  await runProgram(process.execPath, ['server/print-schema.ts', '--check'], {
    environment: { ...process.env, DATABASE_URL: database.serverUrl },
  })
})

test('docs/ACCESS.md, and the grants in docs/SECURITY.md, are what the database allows', async () => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  await runProgram(process.execPath, ['db/print-access.ts', '--check'], {
    environment: { ...process.env, DATABASE_URL: database.ownerUrl },
  })
})

test('the types of the web are those of server/schema.graphql', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'atum-generated-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const fresh = join(directory, 'graphql-env.d.ts')
  await runProgram(join(repository, 'node_modules/.bin/gql.tada'), [
    'generate-output',
    '-c',
    'web/tsconfig.json',
    '-o',
    fresh,
  ])
  const committed = join(repository, 'web/src/generated/graphql-env.d.ts')
  expect(existsSync(committed), again).toBe(true)
  expect(readFileSync(committed, 'utf8') === readFileSync(fresh, 'utf8'), again).toBe(true)
})
