import { useEffect, useState, useSyncExternalStore } from 'react'
import { useLiveState, type LiveState } from '../graphql/live.ts'

/** A socket that is renewed is away for a moment; only a longer absence is worth a word. */
const PATIENCE_MS = 3_000

const subscribe = (listener: () => void) => {
  addEventListener('online', listener)
  addEventListener('offline', listener)
  return () => {
    removeEventListener('online', listener)
    removeEventListener('offline', listener)
  }
}

export type Connection = LiveState | 'offline' | 'renewing'

/** How the browser stands with the server, forgiving short absences. */
export function useConnection(): Connection {
  const isOnline = useSyncExternalStore(subscribe, () => navigator.onLine)
  const live = useLiveState()
  const [isPatient, setIsPatient] = useState(true)
  useEffect(() => {
    setIsPatient(true)
    if (live !== 'lost') return
    const timer = setTimeout(() => setIsPatient(false), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [live])
  if (!isOnline) return 'offline'
  return live === 'lost' && isPatient ? 'renewing' : live
}
