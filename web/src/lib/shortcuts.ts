import { useEffect, useRef } from 'react'
import { readKept, writeKept } from './kept.ts'
import { createStore, useStore } from './store.ts'

export interface Shortcut {
  /** As `KeyboardEvent.key` says it: 'j', '?', 'Enter'. */
  key: string
  /** What it does, for the help. */
  label: string
  /** Absent where the key works by itself and only the help has to name it. */
  run?: () => void
}

const KEPT = 'atum.shortcuts'
const active = createStore<readonly Shortcut[]>([])
const enabled = createStore(readKept(KEPT) !== 'off')

/** The shortcuts of what is on the screen, for the help. */
export function useActiveShortcuts(): readonly Shortcut[] {
  return useStore(active)
}

/** Single keys can be in the way of speech input and screen readers, so they can be turned off. */
export function useShortcutsEnabled(): [boolean, (on: boolean) => void] {
  return [
    useStore(enabled),
    (on) => {
      writeKept(KEPT, on ? null : 'off')
      enabled.set(on)
    },
  ]
}

/** Offers shortcuts while the calling component is on the screen. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  const signature = shortcuts.map((shortcut) => `${shortcut.key} ${shortcut.label}`).join('\n')
  useEffect(() => {
    const own = latest.current.map((shortcut, index) =>
      shortcut.run ? { ...shortcut, run: () => latest.current[index]?.run?.() } : shortcut,
    )
    active.set([...active.get(), ...own])
    return () => active.set(active.get().filter((shortcut) => !own.includes(shortcut)))
  }, [signature])
}

/** Listens for the keys; once, in the layout that offers shortcuts. */
export function useShortcutKeys(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!enabled.get() || event.defaultPrevented || event.isComposing) return
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return
      const shortcut = active.get().findLast((candidate) => candidate.key === event.key)
      if (!shortcut?.run) return
      event.preventDefault()
      shortcut.run()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [])
}

/** Whether the key already means something where the focus is. */
function isTaken(event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.closest('input, textarea, select')) return true
  if (target.closest('[role="dialog"], [role="listbox"], [role="menu"]')) return true
  return event.key === 'Enter' && target.closest('a, button, summary') !== null
}
