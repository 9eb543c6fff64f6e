import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './repository.ts'
import { runProgram } from './run-program.ts'
import { print, step } from './terminal.ts'
import { withThrowAwayDatabase } from './throw-away-database.ts'

// Everything generated and committed, each from what was made before it: database → API → types of the web.
print()
await withThrowAwayDatabase(async ({ ownerUrl, serverUrl }) => {
  await step('server/schema.graphql', () =>
    runProgram(process.execPath, ['server/print-schema.ts', '--write'], {
      environment: { ...process.env, DATABASE_URL: serverUrl },
    }),
  )
  if (existsSync(join(repository, 'db/dump.ts'))) {
    await step('db/schema.sql', () =>
      runProgram(process.execPath, ['db/dump.ts'], {
        environment: { ...process.env, DATABASE_URL: ownerUrl },
      }),
    )
  }
})
await step('web/src/generated', () =>
  runProgram(join(repository, 'node_modules/.bin/gql.tada'), ['generate-output', '-c', 'web/tsconfig.json']),
)
print()
