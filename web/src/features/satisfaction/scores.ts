export const SCORES = [1, 2, 3, 4, 5] as const
export type Score = (typeof SCORES)[number]

/** A comment on a survey has at most so many characters. */
export const COMMENT_LIMIT = 2_000

/** What somebody wrote or sent as a score, if it is one. */
export function readScore(value: unknown): Score | null {
  return SCORES.find((score) => String(score) === String(value)) ?? null
}

export type Mood = 'bad' | 'even' | 'good'

/** How a score feels, whatever an organization counts as a bad one. */
export function moodOf(score: Score): Mood {
  if (score <= 2) return 'bad'
  return score === 3 ? 'even' : 'good'
}
