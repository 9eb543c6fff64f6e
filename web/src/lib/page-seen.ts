import { useSyncExternalStore } from 'react'

const subscribe = (listener: () => void) => {
  document.addEventListener('visibilitychange', listener)
  return () => document.removeEventListener('visibilitychange', listener)
}

/** Whether this page can be seen: not in another tab, not minimised. */
export const isPageSeen = (): boolean => document.visibilityState === 'visible'

/** Follows whether this page can be seen. */
export function usePageSeen(): boolean {
  return useSyncExternalStore(subscribe, isPageSeen)
}
