import { readKept, writeKept } from './kept.ts'

/** Where one comes in: the portal for those who ask, the desk for those who answer. */
export type Door = 'portal' | 'desk'

const KEPT = 'atum.organization'

/** The address of a door's sign-in page: the organization's own, where one is known. */
export function signInPath(door: Door, organization: string | null): string {
  if (organization === null) return `/${door}/login`
  return `/o/${encodeURIComponent(organization)}${door === 'desk' ? '/desk' : ''}`
}

/** The address of the page beside it, for those who forgot their password. */
export function forgotPath(door: Door, organization: string | null): string {
  return organization === null ? `/${door}/forgot` : `${signInPath(door, organization)}/forgot`
}

/** Which door an address inside the app is behind. */
export function doorOf(path: string | null): Door {
  return path !== null && /^\/desk(?:[/?]|$)/.test(path) ? 'desk' : 'portal'
}

/**
 * The organization at whose own address this browser last stood: a session that ends leads back there, to the identity
 * provider that only that page offers.
 */
export function keptOrganization(): string | null {
  return readKept(KEPT)
}

/** Remembers the organization of this browser; null forgets it. */
export function keepOrganization(slug: string | null): void {
  writeKept(KEPT, slug)
}
