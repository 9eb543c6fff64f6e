export interface TimeZoneChoice {
  value: string
  label: string
  description: string
}

/** Every time zone the browser knows, and `current` too where an older browser does not, with how far each is from UTC now. */
export function timeZoneChoices(current: string | null, locale: string, now: Date): TimeZoneChoice[] {
  const known = new Set([...Intl.supportedValuesOf('timeZone'), 'Etc/UTC'])
  if (current) known.add(current)
  return [...known].sort().flatMap((value) => {
    const description = offsetOf(value, locale, now)
    return description === null ? [] : [{ value, label: value.replaceAll('_', ' '), description }]
  })
}

/** "UTC+05:30", or null for a zone that the browser cannot compute with. */
function offsetOf(timeZone: string, locale: string, now: Date): string | null {
  try {
    const parts = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'longOffset' }).formatToParts(now)
    const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? ''
    // Greenwich itself is written with zeros by some and without by others.
    return name.replace('GMT', 'UTC').replace(/[+-]00:00$/, '')
  } catch {
    return null
  }
}
