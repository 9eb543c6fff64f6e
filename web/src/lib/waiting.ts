import { useEffect, useState } from 'react'

/** Whether the moment until which the server asks to wait is still to come. */
export function useIsWaiting(until: number | undefined): boolean {
  const [passed, setPassed] = useState<number>()
  useEffect(() => {
    if (until === undefined) return
    const timer = setTimeout(() => setPassed(until), Math.max(0, until - Date.now()))
    return () => clearTimeout(timer)
  }, [until])
  return until !== undefined && passed !== until
}
