import { useSyncExternalStore } from 'react'

/**
 * One interval for all the ages and countdowns on a screen, however many there are; it stops while the page is
 * hidden and catches up when it is seen again.
 */
function createClock(stepMs: number) {
  let now = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  const listeners = new Set<() => void>()
  const tick = () => {
    now = Date.now()
    for (const listener of [...listeners]) listener()
  }
  const run = () => {
    clearInterval(timer)
    if (listeners.size > 0 && !document.hidden) timer = setInterval(tick, stepMs)
  }
  if (typeof document !== 'undefined') {
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) tick()
      run()
    })
  }
  return {
    read: () => now,
    subscribe(listener: () => void) {
      if (listeners.size === 0) now = Date.now()
      listeners.add(listener)
      run()
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) clearInterval(timer)
      }
    },
  }
}

const clocks = { second: createClock(1000), minute: createClock(15_000) }

/** The time now, moving once a second or, for ages in minutes and more, four times a minute. */
export function useNow(step: keyof typeof clocks): number {
  return useSyncExternalStore(clocks[step].subscribe, clocks[step].read)
}
