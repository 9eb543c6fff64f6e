export type DeadlineTone = 'calm' | 'near' | 'overdue'

/** The last stretch in which a deadline asks for attention when nothing is known of how long it was in all. */
const NEAR_SECONDS = 3_600

/**
 * How a due time should look now: overdue from the due second on, near in the last hour or, where the target's whole
 * length is known, in its last fifth but never earlier than a day before.
 */
export function deadlineTone(dueAt: number, now: number, targetSeconds?: number): DeadlineTone {
  const left = (dueAt - now) / 1000
  if (left <= 0) return 'overdue'
  const near = targetSeconds === undefined ? NEAR_SECONDS : Math.min(Math.max(targetSeconds / 5, 300), 86_400)
  return left <= near ? 'near' : 'calm'
}

export interface ClockParts {
  /** Which two units are worth showing; the key of the sentence that shows them. */
  scale: 'days' | 'hours' | 'minutes'
  days: number
  hours: number
  minutes: string
  seconds: string
}

/** A length of time for its two largest units, seconds only in the last hour: 2d 4h, 1h 05m, 12m 09s. */
export function clockParts(milliseconds: number): ClockParts {
  const total = Math.floor(Math.abs(milliseconds) / 1000)
  const days = Math.floor(total / 86_400)
  const hours = Math.floor((total % 86_400) / 3_600)
  const minutes = Math.floor((total % 3_600) / 60)
  const scale = days > 0 ? 'days' : hours > 0 ? 'hours' : 'minutes'
  return {
    scale,
    days,
    hours,
    minutes: scale === 'hours' ? String(minutes).padStart(2, '0') : String(minutes),
    seconds: String(total % 60).padStart(2, '0'),
  }
}
