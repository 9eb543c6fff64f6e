import { createHash } from 'node:crypto'

/** Shorter keys can be guessed. */
export const shortestKeyBytes = 32

/** Keys that live side by side: the first makes what is new, all of them read what one of them made. */
export interface KeyRing<Key> {
  current: { id: string; key: Key }
  find(id: string): Key | undefined
}

/** The keys of a variable or a file, where they stand with spaces or line ends between. */
export const parseKeys = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean)

/** A key's name, derived from it: what a key made says so, and a new key is known to be another. */
export const keyId = (key: string): string =>
  createHash('sha256').update(`atum key id:${key}`).digest('base64url').slice(0, 11)

/** Makes each key once into what it is used as. */
export function createKeyRing<Key>(keys: readonly string[], make: (key: string) => Key): KeyRing<Key> {
  const byId = new Map(keys.map((key) => [keyId(key), make(key)]))
  const [first] = byId
  if (!first) throw new Error('There is no key')
  const [id, key] = first
  return { current: { id, key }, find: (wanted) => byId.get(wanted) }
}
