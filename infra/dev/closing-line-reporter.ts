import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'
import { closingLine, type TestTally } from './test-tally.ts'

/**
 * Counts what ran. Under `npm test`, which still has something to say after vitest, the count goes to the file named
 * in ATUM_TEST_TALLY; otherwise the closing line is printed here.
 */
export function closingLineReporter(): Reporter {
  return {
    onTestRunEnd(testModules, unhandledErrors) {
      const tally = count(testModules)
      // An error outside of any test fails the run as much as one inside.
      tally.failed += unhandledErrors.length
      const file = process.env.ATUM_TEST_TALLY
      if (file) writeFileSync(file, JSON.stringify(tally))
      else process.stdout.write(`\n${closingLine(tally)}\n`)
    },
  }
}

function count(testModules: readonly TestModule[]): TestTally {
  const tally: TestTally = { passed: 0, failed: 0, skipped: [] }
  for (const testModule of testModules) {
    // A file that cannot be loaded, and a hook that fails, have no test to be counted by.
    const suites = [testModule, ...testModule.children.allSuites()]
    tally.failed += suites.filter((suite) => suite.errors().length > 0).length
    for (const test of testModule.children.allTests()) {
      const result = test.result()
      if (result.state === 'passed') tally.passed += 1
      else if (result.state === 'failed') tally.failed += 1
      else {
        tally.skipped.push({
          name: `${testModule.project.name} ${testModule.relativeModuleId} › ${test.fullName}`,
          reason: (result.state === 'skipped' ? result.note : 'never ran') ?? test.options.mode,
        })
      }
    }
  }
  return tally
}
