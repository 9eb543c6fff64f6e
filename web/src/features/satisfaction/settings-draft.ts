export const NUMBERS = [
  { name: 'samplePercent', least: 1, most: 100 },
  { name: 'expiresDays', least: 1, most: 90 },
] as const
export type NumberName = (typeof NUMBERS)[number]['name']

export const QUESTION_LIMIT = 300

/** After how many minutes one asks, as one chooses it: at once, up to a week. */
export const DELAYS = [0, 15, 60, 240, 1440, 4320, 10_080] as const
export const LOW_SCORES = [1, 2, 3] as const

/** What was typed for a number: a whole one in its bounds. */
export function readNumber(name: NumberName, typed: string): number | 'fault' {
  const { least, most } = NUMBERS.find((each) => each.name === name)!
  const number = /^\d{1,3}$/.test(typed.trim()) ? Number(typed.trim()) : Number.NaN
  return number >= least && number <= most ? number : 'fault'
}

/** What was typed for the question: one line, or null for the usual one. */
export function readQuestion(typed: string): string | null | 'long' {
  const text = typed.trim().replaceAll(/\s+/g, ' ')
  if (text === '') return null
  return [...text].length > QUESTION_LIMIT ? 'long' : text
}

/** A length in the largest unit that tells it without a fraction. */
export function lengthOf(minutes: number): { unit: 'minutes' | 'hours' | 'days'; count: number } {
  if (minutes % 1440 === 0) return { unit: 'days', count: minutes / 1440 }
  if (minutes % 60 === 0) return { unit: 'hours', count: minutes / 60 }
  return { unit: 'minutes', count: minutes }
}
