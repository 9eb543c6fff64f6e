/** What came of a run of tests. */
export interface TestTally {
  passed: number
  failed: number
  skipped: { name: string; reason: string }[]
}

/** The plain line that ends every run, for people and for programs that read it. */
export function closingLine({ passed, failed, skipped }: TestTally): string {
  return `${passed} passed, ${failed} failed, ${skipped.length} skipped`
}
