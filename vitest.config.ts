import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { closingLineReporter } from './infra/dev/closing-line-reporter.ts'
import { LongestFirst } from './infra/dev/longest-first.ts'

const together = {
  db: ['db/**/*.test.ts'],
  worker: ['worker/**/*.test.ts'],
  infra: ['infra/**/*.test.ts'],
  web: ['web/src/**/*.test.{ts,tsx}'],
}

// After the others: what the server's tests measure is not measured beside the bulk of the database's, and a browser
// on a busy machine is a browser that times out.
const apart = {
  server: { include: ['server/**/*.test.ts'], maxWorkers: 2, groupOrder: 1 },
  e2e: { include: ['web/e2e/**/*.test.ts'], maxWorkers: 1, groupOrder: 2 },
}

export default defineConfig({
  test: {
    globalSetup: ['infra/dev/test-database.ts'],
    sequence: { sequencer: LongestFirst },
    reporters: ['default', closingLineReporter()],
    // By itself vitest leaves one core free: on a machine of two that is one file at a time, and most of them wait.
    maxWorkers: Math.max(2, availableParallelism()),
    // Only what hangs comes here: how long something may take is said where that is tested.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes when it comes: a second is little for a browser on a machine that does other things too.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      ...Object.entries(together).map(([name, include]) => ({
        extends: true as const,
        test: { name, include, globalSetup: [] },
      })),
      ...Object.entries(apart).map(([name, { include, maxWorkers, groupOrder }]) => ({
        extends: true as const,
        test: {
          name,
          include,
          globalSetup: [],
          maxWorkers,
          sequence: { groupOrder },
        },
      })),
    ],
  },
})
