import { useCallback, useEffect, useRef, useState } from 'react'
import { readKept, writeKept } from './kept.ts'
import { PERSONAL_PREFIX, useSessionUser } from './session.ts'

/** Typing is kept this soon after the last key; leaving the page keeps it at once. */
const KEEP_AFTER_MS = 300

/** Reads a draft back; one from another version of the app, or a broken one, is none. */
export function parseDraft<Draft extends object>(text: string | null, blank: Draft): Draft {
  if (text === null) return blank
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null) return blank
    const entries = Object.entries(blank).map(([name, value]: [string, unknown]) => {
      const kept = (parsed as Record<string, unknown>)[name]
      return [name, value === null || kept === null || typeof kept === typeof value ? (kept ?? value) : value]
    })
    return Object.fromEntries(entries) as Draft
  } catch {
    return blank
  }
}

/**
 * What is being written, kept in this browser until it was sent: a reload, a crash or a failed send loses nothing.
 * `name` tells drafts apart, for example by the ticket. `blank` must not change between renders.
 */
export function useDraft<Draft extends object>(name: string, blank: Draft) {
  const { id } = useSessionUser()
  const key = `${PERSONAL_PREFIX}${id}.draft.${name}`
  const [state, setState] = useState(() => ({ key, draft: parseDraft(readKept(key), blank) }))
  const draft = state.key === key ? state.draft : parseDraft(readKept(key), blank)
  const pending = useRef<{ timer: ReturnType<typeof setTimeout>; write: () => void } | null>(null)

  const flush = useCallback(() => {
    if (!pending.current) return
    clearTimeout(pending.current.timer)
    pending.current.write()
    pending.current = null
  }, [])

  useEffect(() => {
    addEventListener('pagehide', flush)
    return () => {
      removeEventListener('pagehide', flush)
      flush()
    }
  }, [flush, key])

  const change = useCallback(
    (next: Draft) => {
      setState({ key, draft: next })
      if (pending.current) clearTimeout(pending.current.timer)
      const isBlank = JSON.stringify(next) === JSON.stringify(blank)
      const write = () => writeKept(key, isBlank ? null : JSON.stringify(next))
      pending.current = {
        write,
        timer: setTimeout(() => {
          write()
          pending.current = null
        }, KEEP_AFTER_MS),
      }
    },
    [key, blank],
  )

  const clear = useCallback(() => {
    if (pending.current) clearTimeout(pending.current.timer)
    pending.current = null
    writeKept(key, null)
    setState({ key, draft: blank })
  }, [key, blank])

  return { draft, change, clear }
}
