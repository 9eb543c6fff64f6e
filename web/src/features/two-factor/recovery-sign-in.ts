import { createStore, useStore } from '../../lib/store.ts'

const store = createStore(false)

/** Somebody has just come in by a recovery code: the first screen inside says how many are left. */
export function tellCodesLeft(): void {
  store.set(true)
}

/** It was said. */
export function codesLeftAreTold(): void {
  store.set(false)
}

/** Whether there is something to say. */
export function useTellsCodesLeft(): boolean {
  return useStore(store)
}
