/**
 * Small things kept in this browser. Storage may be forbidden or full; then they live in memory until the page
 * goes, and nothing that calls this fails.
 */
const memory = new Map<string, string>()

/** Reads what was kept under `key`, or null. */
export function readKept(key: string): string | null {
  try {
    return localStorage.getItem(key) ?? memory.get(key) ?? null
  } catch {
    return memory.get(key) ?? null
  }
}

/** Keeps `value` under `key`; null forgets it. */
export function writeKept(key: string, value: string | null): void {
  if (value === null) memory.delete(key)
  else memory.set(key, value)
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Memory has it.
  }
}

/** Forgets everything whose key starts with `prefix`: what one person typed is not for the next one. */
export function forgetKept(prefix: string): void {
  for (const key of [...memory.keys()]) if (key.startsWith(prefix)) memory.delete(key)
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key)
  } catch {
    // Nothing was stored where nothing may be.
  }
}
