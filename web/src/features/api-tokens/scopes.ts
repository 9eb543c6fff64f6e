import { type UserRole } from '../../lib/session.ts'

export const SCOPES = ['read', 'tickets:write', 'admin:read', 'admin:write'] as const
export type Scope = (typeof SCOPES)[number]

/** What a person of this role may let a token do. */
export function scopesFor(role: UserRole): readonly Scope[] {
  return role === 'manager' || role === 'admin' ? SCOPES : ['read', 'tickets:write']
}

/**
 * What is wrong with a choice, if anything. Reading with all rights and writing tickets do not go together: the token
 * would write with all rights.
 */
export function scopeProblem(scopes: readonly Scope[]): 'none' | 'clash' | null {
  if (scopes.length === 0) return 'none'
  const has = (scope: Scope) => scopes.includes(scope)
  return has('admin:read') && has('tickets:write') && !has('admin:write') ? 'clash' : null
}

/** The key of the words for a scope: a colon would be read as the end of a namespace. */
export const SCOPE_WORDS = {
  read: 'read',
  'tickets:write': 'ticketsWrite',
  'admin:read': 'adminRead',
  'admin:write': 'adminWrite',
} as const satisfies Record<Scope, string>

/** A scope that this version knows, or null. */
export function knownScope(scope: string | null): Scope | null {
  return SCOPES.find((candidate) => candidate === scope) ?? null
}
