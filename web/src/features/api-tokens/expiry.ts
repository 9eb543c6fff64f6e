export const EXPIRIES = ['days30', 'days90', 'year', 'never'] as const
export type Expiry = (typeof EXPIRIES)[number]

const DAYS = { days30: 30, days90: 90, year: 365 }

/** The moment a token ends, or null for never. */
export function endOf(expiry: Expiry, now: number): string | null {
  return expiry === 'never' ? null : new Date(now + DAYS[expiry] * 86_400_000).toISOString()
}
