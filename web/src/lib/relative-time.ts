const STEPS = [
  { unit: 'year', seconds: 31_557_600 },
  { unit: 'month', seconds: 2_629_800 },
  { unit: 'week', seconds: 604_800 },
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3_600 },
  { unit: 'minute', seconds: 60 },
] as const satisfies readonly { unit: Intl.RelativeTimeFormatUnit; seconds: number }[]

/** In words beside a conversation, or as short as a deadline ("3m ago") in a dense table. There is no third. */
export type AgeLength = 'long' | 'short'

/** German's narrow form of three minutes, "vor 3 m", reads as three metres. */
const SHORT_STYLES: Record<string, Intl.RelativeTimeFormatStyle> = { en: 'narrow' }

const formats = new Map<string, Intl.RelativeTimeFormat>()

function format(
  locale: string,
  length: AgeLength,
  numeric: Intl.RelativeTimeFormatNumeric,
): Intl.RelativeTimeFormat {
  const key = `${locale} ${length} ${numeric}`
  let found = formats.get(key)
  if (!found) {
    const style = length === 'long' ? 'long' : (SHORT_STYLES[locale] ?? 'short')
    formats.set(key, (found = new Intl.RelativeTimeFormat(locale, { numeric, style })))
  }
  return found
}

/** The days of the calendar between two moments, where the reader is; a day may be an hour longer or shorter. */
function daysBetween(then: number, now: number): number {
  const [day, today] = [then, now].map((moment) => {
    const date = new Date(moment)
    return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000
  }) as [number, number]
  return day - today
}

/**
 * "3 minutes ago", "in 2 hours", "now": whole units, rounded down, in the reader's language. Days are those of the
 * calendar ("yesterday"); of longer units only their number is told, as eight days ago need not be "last week".
 */
export function relativeTime(then: number, now: number, locale: string, length: AgeLength = 'long'): string {
  const seconds = (then - now) / 1000
  const distance = Math.abs(seconds)
  const step = STEPS.find((candidate) => distance >= candidate.seconds)
  if (!step) return format(locale, length, 'auto').format(0, 'second')
  if (step.unit === 'day') return format(locale, length, 'auto').format(daysBetween(then, now), 'day')
  return format(locale, length, 'always').format(Math.trunc(seconds / step.seconds), step.unit)
}
