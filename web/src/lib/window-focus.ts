import { useEffect, useRef } from 'react'

/** Calls back whenever somebody comes back to this window: for what changes elsewhere and tells nobody. */
export function useWindowFocus(onFocus: () => void): void {
  const latest = useRef(onFocus)
  useEffect(() => {
    latest.current = onFocus
  }, [onFocus])
  useEffect(() => {
    const call = () => latest.current()
    addEventListener('focus', call)
    return () => removeEventListener('focus', call)
  }, [])
}
