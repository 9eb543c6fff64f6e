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

function format(locale: string, length: AgeLength): Intl.RelativeTimeFormat {
  const key = `${locale} ${length}`
  let found = formats.get(key)
  if (!found) {
    const style = length === 'long' ? 'long' : (SHORT_STYLES[locale] ?? 'short')
    formats.set(key, (found = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style })))
  }
  return found
}

/** "3 minutes ago", "in 2 hours", "now": whole units, rounded down, in the reader's language. */
export function relativeTime(then: number, now: number, locale: string, length: AgeLength = 'long'): string {
  const seconds = (then - now) / 1000
  const distance = Math.abs(seconds)
  const step = STEPS.find((candidate) => distance >= candidate.seconds)
  if (!step) return format(locale, length).format(0, 'second')
  return format(locale, length).format(Math.trunc(seconds / step.seconds), step.unit)
}
