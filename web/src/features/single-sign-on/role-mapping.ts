import type { UserRole } from '../../lib/session.ts'

/** Who is in this group of the provider gets this role; the highest counts. */
export interface MappedGroup {
  /** Tells the rows apart while their names are typed. */
  key: string
  group: string
  role: UserRole
}

export const ROLES = ['customer', 'agent', 'manager', 'admin'] as const satisfies readonly UserRole[]

let made = 0

/** A row to fill in. */
export function newGroup(group = '', role: UserRole = 'agent'): MappedGroup {
  made += 1
  return { key: `group-${made}`, group, role }
}

/** The rows of a mapping such as `{"helpdesk": "agent"}`; what is not one is left out. */
export function groupsOf(mapping: unknown): MappedGroup[] {
  if (typeof mapping !== 'object' || mapping === null) return []
  return Object.entries(mapping).flatMap(([group, value]: [string, unknown]) => {
    const role = ROLES.find((candidate) => candidate === value)
    return role ? [newGroup(group, role)] : []
  })
}

/** The mapping of the rows. */
export function mappingOf(groups: readonly MappedGroup[]): Record<string, UserRole> {
  return Object.fromEntries(groups.map(({ group, role }) => [group.trim(), role]))
}

/** What is wrong with a row. */
export function groupFault(groups: readonly MappedGroup[], row: MappedGroup): 'missing' | 'twice' | null {
  const name = row.group.trim()
  if (name === '') return 'missing'
  const first = groups.find(({ group }) => group.trim() === name)
  return first === undefined || first.key === row.key ? null : 'twice'
}
