/** The longest time one entry may have. */
export const LONGEST_SECONDS = 86_400

const UNITS: Record<string, number> = { h: 3600, std: 3600, m: 60, min: 60 }

/**
 * How long somebody typed: `90` and `90m` are minutes, `1:30`, `1h 30m`, `1.5h` and `1,5 Std.` an hour and a half.
 * Null for what is no duration.
 */
export function parseDuration(typed: string): number | null {
  const text = typed.trim().toLowerCase().replaceAll(',', '.')
  const clock = /^(\d{1,2}):([0-5]\d)$/.exec(text)
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60
  if (/^\d{1,4}$/.test(text)) return Number(text) * 60
  const parts = [...text.matchAll(/(\d{1,4}(?:\.\d{1,2})?)\s*(h|std|min|m)\.?\s*/gy)]
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return null
  return Math.round(parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit ?? 'm']!, 0))
}

/** As it is typed and read at once: `1:30`. What is shorter than a minute is no nothing. */
export function clockOf(seconds: number): string {
  const minutes = seconds > 0 ? Math.max(1, Math.round(seconds / 60)) : 0
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
}

/** What a timer shows that runs: `0:05:09`. */
export function tickingClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (number: number) => String(number).padStart(2, '0')
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
}
