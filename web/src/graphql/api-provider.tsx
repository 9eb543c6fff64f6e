import type { ReactNode } from 'react'
import { Provider } from 'urql'
import { currentSession, subscribeToSession, useSessionUser } from '../lib/session.ts'
import { createApiClient, type ApiClient } from './client.ts'

let held: { userId: string; api: ApiClient } | null = null

/** One client for as long as the same person is signed in, whichever layouts come and go. */
function clientOf(userId: string): ApiClient {
  if (held?.userId !== userId) {
    held?.api.close()
    held = { userId, api: createApiClient() }
  }
  return held.api
}

subscribeToSession(() => {
  if (currentSession().status !== 'signed-out') return
  held?.api.close()
  held = null
})

/** Gives the screens below it the API as the signed-in user. */
export function ApiProvider({ children }: { children: ReactNode }) {
  const user = useSessionUser()
  return <Provider value={clientOf(user.id).client}>{children}</Provider>
}
