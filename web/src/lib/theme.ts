import { readKept, writeKept } from './kept.ts'
import { createStore, useStore } from './store.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** The same key as in public/theme.js, which applies it before the first paint. */
const KEY = 'atum.theme'

const store = createStore<Theme>(THEMES.find((theme) => theme === readKept(KEY)) ?? 'system')

/** The theme a person chose. */
export function useTheme(): Theme {
  return useStore(store)
}

/** Chooses a theme; `system` follows the system again. */
export function chooseTheme(theme: Theme): void {
  writeKept(KEY, theme === 'system' ? null : theme)
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  store.set(theme)
}
