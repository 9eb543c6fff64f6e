import { useEffect, useRef } from 'react'
import { onResync } from './live.ts'

/** Two hundred open desks hear of a change in the same millisecond; they need not ask in the same one. */
const JITTER_MS = 120

/**
 * Returns a function that re-reads soon: calls within the same moment become one read. Re-reads by itself after the
 * socket was away and when the page is seen again after a while in the background.
 */
export function useReread(reread: () => void): () => void {
  const latest = useRef(reread)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => {
    latest.current = reread
  }, [reread])
  const soon = useRef(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      latest.current()
    }, Math.random() * JITTER_MS)
  })
  useEffect(() => {
    const stop = onResync(soon.current)
    return () => {
      stop()
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [])
  return soon.current
}
