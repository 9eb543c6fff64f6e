import type { UserRole } from '../../lib/session.ts'

/** From the fewest rights to the most. */
export const ROLES = ['customer', 'agent', 'manager', 'admin'] as const satisfies readonly UserRole[]

/** What one may do here, and from which role on. */
export const RIGHTS = [
  { right: 'ask', from: 'customer' },
  { right: 'colleagues', from: 'customer' },
  { right: 'work', from: 'agent' },
  { right: 'note', from: 'agent' },
  { right: 'people', from: 'agent' },
  { right: 'everyTeam', from: 'manager' },
  { right: 'administer', from: 'admin' },
  { right: 'audit', from: 'admin' },
] as const satisfies readonly { right: string; from: UserRole }[]

/** Whether a role has what `from` has: each role may also do what those before it may. */
export function includes(role: UserRole, from: UserRole): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(from)
}
