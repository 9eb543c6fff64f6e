export const SNOOZES = ['later', 'tomorrow', 'next_week'] as const
export type Snooze = (typeof SNOOZES)[number]

const MORNING = 9
/** Three hours from now is "later today" only while the day still has them. */
const LATER_HOURS = 3
const EVENING = 18

/** When a ticket that is put aside comes back, in the time zone of whoever puts it aside; null for what makes no sense any more today. */
export function snoozeTime(snooze: Snooze, now: Date): Date | null {
  const time = new Date(now)
  switch (snooze) {
    case 'later':
      // To the next half hour, as people say it.
      time.setHours(now.getHours() + LATER_HOURS, Math.ceil(now.getMinutes() / 30) * 30, 0, 0)
      return time.getDate() === now.getDate() && (time.getHours() < EVENING || isEvening(time)) ? time : null
    case 'tomorrow':
      time.setDate(now.getDate() + 1)
      break
    case 'next_week':
      // The Monday to come; on a Monday that of the week after.
      time.setDate(now.getDate() + ((8 - now.getDay()) % 7 || 7))
      break
  }
  time.setHours(MORNING, 0, 0, 0)
  return time
}

function isEvening(time: Date): boolean {
  return time.getHours() === EVENING && time.getMinutes() === 0
}

/** A time as a `datetime-local` field writes it, in local time: `2026-03-02T09:00`. */
export function localInputValue(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${date}T${two(time.getHours())}:${two(time.getMinutes())}`
}
