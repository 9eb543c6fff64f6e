import { getJson } from '../../lib/rest.ts'

export interface LoginProvider {
  id: string
  /** What people read on the button. */
  name: string
  /** `oidc` is asked in the browser, `ldap` by a form of ours. */
  kind: 'oidc' | 'ldap'
}

/** How people of an organization get in. */
export interface LoginMethods {
  /** Null for a name that no organization has. */
  organization: { slug: string; name: string } | null
  localLogin: boolean
  registration: boolean
  providers: LoginProvider[]
  /** Whether this installation sends mail, without which nobody registers. */
  mail: boolean
}

/** Asks how people of an organization get in. Throws a RestError. */
export async function readLoginMethods(slug: string, signal?: AbortSignal): Promise<LoginMethods> {
  return (await getJson(`/auth/methods?organization=${encodeURIComponent(slug)}`, signal)) as LoginMethods
}

/** The address that begins a sign-in at an identity provider; a page, not a request of ours. */
export function providerAddress(providerId: string, next: string): string {
  return `/api/v1/auth/sso/${encodeURIComponent(providerId)}/start?next=${encodeURIComponent(next)}`
}
