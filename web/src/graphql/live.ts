import { createClient, type Client } from 'graphql-ws'
import { accessToken, replaceToken } from '../lib/session.ts'
import { createStore, useStore } from '../lib/store.ts'

export type LiveState = 'idle' | 'connecting' | 'connected' | 'lost'

/** The close code of a socket whose token ran out. */
const TOKEN_EXPIRED = 4403
const FIRST_RETRY_MS = 400
const LONGEST_RETRY_MS = 20_000

const state = createStore<LiveState>('idle')
const resyncListeners = new Set<() => void>()

/** Whether changes arrive by themselves at the moment. */
export function useLiveState(): LiveState {
  return useStore(state)
}

/** Calls back after the socket was away and is there again: whatever happened meanwhile was not told. */
export function onResync(listener: () => void): () => void {
  resyncListeners.add(listener)
  return () => {
    resyncListeners.delete(listener)
  }
}

/**
 * The socket for subscriptions: opened with the first one, closed with the last, given a fresh token each time, and
 * retried for as long as the page is open, with a random part so that a restarted server is not met by all at once.
 */
export function createLiveClient(): Client {
  let wasConnected = false
  let lastToken: string | null = null
  let tokenRefused = false
  return createClient({
    url: () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    lazy: true,
    // Leaving one screen for another closes the last subscription and opens the next: keep the socket across that.
    lazyCloseTimeout: 5_000,
    keepAlive: 15_000,
    connectionParams: async () => {
      lastToken = tokenRefused ? await replaceToken(lastToken) : await accessToken()
      tokenRefused = false
      return lastToken ? { authorization: `Bearer ${lastToken}` } : {}
    },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      const ceiling = Math.min(FIRST_RETRY_MS * 2 ** retries, LONGEST_RETRY_MS)
      const wait = tokenRefused && retries === 0 ? 0 : ceiling * (0.5 + Math.random() / 2)
      await new Promise<void>((resolve) => {
        const go = () => {
          clearTimeout(timer)
          removeEventListener('online', go)
          resolve()
        }
        const timer = setTimeout(go, wait)
        addEventListener('online', go)
      })
    },
    on: {
      connecting: () => state.set(wasConnected ? 'lost' : 'connecting'),
      connected: () => {
        state.set('connected')
        if (wasConnected) for (const listener of [...resyncListeners]) listener()
        wasConnected = true
      },
      closed: (event) => {
        const { code, wasClean } = event as CloseEvent
        tokenRefused = code === TOKEN_EXPIRED
        if (wasClean && code === 1000) {
          // Nothing on screen asks for changes any more.
          wasConnected = false
          state.set('idle')
        } else {
          state.set('lost')
        }
      },
    },
  })
}
