import { isLoopback } from '../../caller.ts'
import { RequestError } from '../../errors.ts'
import type { Ask, Exchange } from './asking.ts'
import { isUuid } from './fields.ts'

interface Provider {
  id: string
  organizationId: string
  /** The organization's short name. */
  organizationSlug: string
  /** The claim or attribute that lists a person's groups. */
  roleClaim: string | null
  /** The client secret or the bind password, encrypted. */
  secret: string | null
}

export interface OpenIdProvider extends Provider {
  kind: 'oidc'
  issuer: string
  clientId: string
  scopes: string[]
}

export interface Directory extends Provider {
  kind: 'ldap'
  url: string
  baseDn: string
  /** Has `{username}` in it. */
  userFilter: string
  bindDn: string | null
  subjectAttribute: string
  emailAttribute: string
  nameAttribute: string
}

/** A person as an identity provider knows them. */
export interface ProvidedPerson {
  subject: string
  email: string | null
  emailVerified: boolean
  name: string | null
  groups: string[]
}

/** The settings of a provider that lets people in. NOT_FOUND where there is none, or one of the other kind. */
export async function identityProvider<Kind extends 'oidc' | 'ldap'>(
  ask: Ask,
  exchange: Exchange,
  kind: Kind,
  id: string,
): Promise<Extract<OpenIdProvider | Directory, { kind: Kind }>> {
  const provider = isUuid(id)
    ? await ask<OpenIdProvider | Directory | null>(exchange, 'identity_provider', { provider_id: id })
    : null
  if (provider?.kind !== kind) throw new RequestError('NOT_FOUND', 'There is no such identity provider')
  return provider as Extract<OpenIdProvider | Directory, { kind: Kind }>
}

/** Whether a host of a URL is this machine, where nobody listens in on the way. */
export const isThisMachine = (hostname: string): boolean =>
  hostname === 'localhost' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))

/** Says that a provider failed. Why is in the log, without anything it sent: that may be somebody's token. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure'
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}
