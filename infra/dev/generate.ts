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
  for (const [file, program] of [
    ['db/schema.sql', 'db/dump.ts'],
    ['docs/ACCESS.md and the grants in docs/SECURITY.md', 'db/print-access.ts'],
  ] as const) {
    await step(file, () =>
      runProgram(process.execPath, [program], { environment: { ...process.env, DATABASE_URL: ownerUrl } }),
    )
  }
})
await step('web/src/generated', () =>
  runProgram(join(repository, 'node_modules/.bin/gql.tada'), ['generate-output', '-c', 'web/tsconfig.json']),
)
print()
