/** How long a step may be, in characters; the database holds to the same. */
export const STEP_LIMIT = 500

/** The steps that were typed, one on each line, without blank ones and the marks of a list. */
export function linesOf(typed: string): string[] {
  return typed
    .split(/\r?\n/)
    .map((line) => line.replace(/^\s*(?:[-*•]|\d+[.)]|\[[ x]\])\s+/i, '').trim())
    .filter((line) => line !== '')
}
