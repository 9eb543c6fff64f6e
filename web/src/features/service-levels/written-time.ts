export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof WEEKDAYS)[number]
export type Shift = readonly [opens: string, closes: string]

const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/

/** "9:00" as "09:00", "24:00" only where a shift ends; null for what is no time. */
function timeOf(text: string, isEnd: boolean): string | null {
  if (isEnd && text === '24:00') return text
  return clock.test(text) ? text.padStart(5, '0') : null
}

/** The shifts of a day as one writes them, "9:00-12:00, 13:00-17:30"; nothing is a day off, null what cannot be read. */
export function shiftsOf(text: string): Shift[] | null {
  const shifts: Shift[] = []
  for (const part of text.split(/[,;]/).map((each) => each.trim())) {
    if (part === '') continue
    const [opens, closes, ...more] = part.split(/\s*[-–—]\s*/)
    const from = timeOf(opens ?? '', false)
    const to = timeOf(closes ?? '', true)
    if (!from || !to || from === to || more.length > 0) return null
    shifts.push([from, to])
  }
  return shifts
}

export const shiftsText = (shifts: readonly Shift[]): string =>
  shifts.map(([opens, closes]) => `${opens}–${closes}`).join(', ')

/** The hours of each weekday, or null around the clock. */
export function hoursOf(hours: unknown): Record<Weekday, Shift[]> | null {
  if (typeof hours !== 'object' || hours === null) return null
  const days = hours as Partial<Record<Weekday, Shift[]>>
  return Object.fromEntries(WEEKDAYS.map((day) => [day, days[day] ?? []])) as Record<Weekday, Shift[]>
}

/** Working time as one writes it, "4h", "30m", "1h 30m", in seconds; null for what cannot be read or is none. */
export function secondsOf(text: string): number | null {
  const found = /^\s*(?:(\d{1,5})\s*h)?\s*(?:(\d{1,5})\s*m(?:in)?)?\s*$/i.exec(text)
  const seconds = Number(found?.[1] ?? 0) * 3600 + Number(found?.[2] ?? 0) * 60
  return found && seconds > 0 ? seconds : null
}

export function durationText(seconds: number): string {
  const minutes = Math.round(Math.abs(seconds) / 60)
  const parts = [minutes >= 60 && `${Math.floor(minutes / 60)}h`, minutes % 60 > 0 && `${minutes % 60}m`]
  return parts.filter(Boolean).join(' ') || '0m'
}
