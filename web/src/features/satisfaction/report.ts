/** What customers said of something, or in some time. */
export interface Answers {
  sent: number
  answered: number
  satisfied: number
  /** How many gave each score, from 1 to 5. */
  distribution: readonly (number | null)[]
}

/** What several said together: shares of sums, not means of shares. */
export function sumOf(rows: readonly Answers[]): Answers {
  return rows.reduce<Answers>(
    (sum, row) => ({
      sent: sum.sent + row.sent,
      answered: sum.answered + row.answered,
      satisfied: sum.satisfied + row.satisfied,
      distribution: sum.distribution.map((count, place) => (count ?? 0) + (row.distribution[place] ?? 0)),
    }),
    { sent: 0, answered: 0, satisfied: 0, distribution: [0, 0, 0, 0, 0] },
  )
}

/** One number as a share of another, 0 to 1; null of nothing. */
export const shareOf = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)

/** The mean score; null without an answer. */
export function averageOf({ distribution, answered }: Answers): number | null {
  const points = distribution.reduce<number>((sum, count, place) => sum + (count ?? 0) * (place + 1), 0)
  return answered > 0 ? points / answered : null
}
