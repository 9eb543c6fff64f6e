export type ClockState = 'running' | 'paused' | 'met' | 'missed' | 'breached'

export interface Clock {
  startedAt: string
  dueAt: string | null
  metAt: string | null
  breachedAt: string | null
  pausedAt: string | null
}

/**
 * What a clock shows now. A target is breached at the due second, whether or not the server has got round to saying
 * so; one that was met afterwards stays missed.
 */
export function clockState(clock: Clock, now: number): ClockState {
  if (clock.metAt !== null) {
    const isLate =
      clock.breachedAt !== null || (clock.dueAt !== null && Date.parse(clock.metAt) > Date.parse(clock.dueAt))
    return isLate ? 'missed' : 'met'
  }
  if (clock.breachedAt !== null) return 'breached'
  if (clock.pausedAt !== null) return 'paused'
  return clock.dueAt !== null && Date.parse(clock.dueAt) <= now ? 'breached' : 'running'
}

/** How much of the way from start to due has gone, 0 to 1: the length of the bar. */
export function clockProgress(clock: Clock, now: number): number {
  if (clock.dueAt === null) return 0
  const started = Date.parse(clock.startedAt)
  const due = Date.parse(clock.dueAt)
  const until =
    clock.metAt !== null
      ? Date.parse(clock.metAt)
      : clock.pausedAt !== null
        ? Date.parse(clock.pausedAt)
        : now
  if (due <= started) return 1
  return Math.min(1, Math.max(0, (until - started) / (due - started)))
}
