/** Quiet hours and the hour of the mail of the day, as the API has them: minutes after midnight, weekdays from 1 for Monday. */
export interface Schedule {
  quietFrom: number | null
  quietTo: number | null
  quietWeekdays: number[]
  digestHour: number
  timeZone: string
}

/** The same as it is written. */
export interface ScheduleDraft {
  isQuiet: boolean
  from: string
  to: string
  weekdays: string[]
  digestHour: number
}

type Fault = 'timeMissing' | 'same' | 'weekdaysMissing'

/** What is wrong with a draft, by its fields. */
export interface ScheduleFaults {
  from?: Fault
  to?: Fault
  weekdays?: Fault
}

/** Minutes after midnight as a clock shows them; the end of a day as its beginning. */
export function clockTime(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`
}

/** Minutes after midnight, or null for what is no time. */
export function minutesOf(time: string): number | null {
  const [, hours, minutes] = /^(\d\d):(\d\d)/.exec(time) ?? []
  if (hours === undefined || minutes === undefined) return null
  return Number(hours) < 24 && Number(minutes) < 60 ? Number(hours) * 60 + Number(minutes) : null
}

/** What is there to be changed; whoever has no quiet hours is offered a night. */
export function scheduleDraft({ quietFrom, quietTo, quietWeekdays, digestHour }: Schedule): ScheduleDraft {
  return {
    isQuiet: quietFrom !== null,
    from: clockTime(quietFrom ?? 20 * 60),
    to: clockTime(quietTo ?? 7 * 60),
    weekdays: [...quietWeekdays].sort((one, other) => one - other).map(String),
    digestHour,
  }
}

/** Why a draft cannot be kept; nothing when it can. */
export function scheduleFaults({ isQuiet, from, to, weekdays }: ScheduleDraft): ScheduleFaults {
  if (!isQuiet) return {}
  const begins = minutesOf(from)
  const ends = minutesOf(to)
  return {
    ...(begins === null ? { from: 'timeMissing' } : {}),
    // From midnight to midnight is a whole day.
    ...(ends === null ? { to: 'timeMissing' } : begins === ends && ends !== 0 ? { to: 'same' } : {}),
    ...(weekdays.length === 0 ? { weekdays: 'weekdaysMissing' } : {}),
  }
}
