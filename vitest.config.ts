import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { closingLineReporter } from './infra/dev/closing-line-reporter.ts'

const together = {
  db: ['db/**/*.test.ts'],
  worker: ['worker/**/*.test.ts'],
  infra: ['infra/**/*.test.ts'],
  web: ['web/src/**/*.test.{ts,tsx}'],
}

// After the others and one file at a time: the server's tests change roles, which all databases of the cluster share,
// and a browser on a busy machine is a browser that times out.
const apart = {
  server: ['server/**/*.test.ts'],
  e2e: ['web/e2e/**/*.test.ts'],
}

export default defineConfig({
  test: {
    globalSetup: ['infra/dev/test-database.ts'],
    reporters: ['default', closingLineReporter()],
    // By itself vitest leaves one core free: on a machine of two that is one file at a time, and most of them wait.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      ...Object.entries(together).map(([name, include]) => ({
        extends: true as const,
        test: { name, include, globalSetup: [] },
      })),
      ...Object.entries(apart).map(([name, include]) => ({
        extends: true as const,
        test: {
          name,
          include,
          globalSetup: [],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
        },
      })),
    ],
  },
})
