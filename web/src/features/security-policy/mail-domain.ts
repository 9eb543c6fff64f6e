const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})+$`)
const DOMAIN_LIMIT = 253

/** What the server takes at most. */
export const DOMAINS_LIMIT = 100

/** A mail domain as it is kept, from `Example.COM`, `@example.com` or a whole address; null for what is none. */
export function readMailDomain(text: string): string | null {
  const domain = text.trim().toLowerCase().replace(/^.*@/, '').replace(/\.$/, '')
  return DOMAIN.test(domain) && domain.length <= DOMAIN_LIMIT ? domain : null
}
