export const PERSON_STATES = ['active', 'invited', 'disabled'] as const
export type PersonState = (typeof PERSON_STATES)[number]

/** How an account stands: in use, not yet taken up, or shut. */
export function personState(person: { activatedAt: string | null; disabledAt: string | null }): PersonState {
  if (person.disabledAt !== null) return 'disabled'
  return person.activatedAt === null ? 'invited' : 'active'
}
