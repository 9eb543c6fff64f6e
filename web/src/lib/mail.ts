import { useEffect } from 'react'
import { getJson } from './rest.ts'
import { createStore, useStore } from './store.ts'

/** Null until the server has said it. */
const store = createStore<boolean | null>(null)
let asking: Promise<boolean> | null = null

/** Asks whether this installation sends mail. Where that cannot be found out, nothing says that it does not. */
export function readSendsMail(): Promise<boolean> {
  asking ??= getJson('/auth/methods').then(
    (methods) => {
      const sends = (methods as { mail?: unknown }).mail !== false
      store.set(sends)
      return sends
    },
    () => {
      asking = null
      return true
    },
  )
  return asking
}

/** Whether this installation sends mail; taken for granted until the server has said that it does not. */
export function useSendsMail(): boolean {
  useEffect(() => void readSendsMail(), [])
  return useStore(store) ?? true
}
