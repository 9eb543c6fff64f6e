import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take from 30 to 120 seconds, the longest first. One that is begun when all others are done keeps a core idle
 * for as long as it takes: the tenant fuzz alone did so for a minute and a half.
 */
const longest = [
  'server/fuzz/tenants.test.ts',
  'worker/mail-in/fetching.test.ts',
  'worker/killed-workers.test.ts',
  'server/presence.test.ts',
  'worker/scan-file.test.ts',
]

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = longest.findIndex((file) => moduleId.endsWith(`/${file}`))
  return rank < 0 ? longest.length : rank
}

/** Begins with what takes longest; else as vitest would. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other))
  }
}
