import { defineConfig } from 'vitest/config'
import { closingLineReporter } from './infra/dev/closing-line-reporter.ts'

const rooms = {
  db: ['db/**/*.test.ts'],
  server: ['server/**/*.test.ts'],
  worker: ['worker/**/*.test.ts'],
  infra: ['infra/**/*.test.ts'],
  web: ['web/src/**/*.test.{ts,tsx}'],
}

export default defineConfig({
  test: {
    globalSetup: ['infra/dev/test-database.ts'],
    reporters: ['default', closingLineReporter()],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      ...Object.entries(rooms).map(([name, include]) => ({
        extends: true as const,
        test: { name, include, globalSetup: [] },
      })),
      {
        extends: true as const,
        // A browser on a machine that is busy with the other suites is a browser that times out.
        test: {
          name: 'e2e',
          include: ['web/e2e/**/*.test.ts'],
          globalSetup: [],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
        },
      },
    ],
  },
})
