import { useRef } from 'react'

/**
 * The key that makes a retry safe: the same content keeps its key through every try, so a reply whose answer was lost
 * on the way is not written twice. Changed content is another thing and gets a key of its own; `done` ends it.
 */
export function useMutationKey(): { keyFor: (content: unknown) => string; done: () => void } {
  const held = useRef<{ key: string; content: string } | null>(null)
  const handle = useRef({
    keyFor: (content: unknown) => {
      const text = JSON.stringify(content)
      if (held.current?.content !== text) held.current = { key: randomKey(), content: text }
      return held.current.key
    },
    done: () => {
      held.current = null
    },
  })
  return handle.current
}

/** `crypto.randomUUID` exists on secure origins only, and a desk may be tried out over plain HTTP in its own network. */
export function randomKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
