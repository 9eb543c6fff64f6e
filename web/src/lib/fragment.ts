import { createStore, useStore } from './store.ts'

const store = createStore<URLSearchParams>(new URLSearchParams())

/**
 * Takes what stands after the `#` of the address out of it at once: a token there is a key, and an address bar is read
 * by bystanders and kept in the history. It stays in memory until the page goes.
 */
export function takeFragment(): URLSearchParams {
  if (location.hash.includes('=')) {
    store.set(new URLSearchParams(location.hash.slice(1)))
    history.replaceState(history.state, '', location.pathname + location.search)
  }
  return store.get()
}

/** What was taken out of the address; a second link opened in the same tab takes the place of the first. */
export function useFragment(): URLSearchParams {
  return useStore(store)
}

/** Forgets what was taken, once it has been used. */
export function forgetFragment(): void {
  store.set(new URLSearchParams())
}

if (typeof window !== 'undefined') addEventListener('hashchange', () => void takeFragment())
