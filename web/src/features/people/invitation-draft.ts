import type { UserRole } from '../../lib/session.ts'
import type { Company } from './company-field.tsx'

export interface InvitationDraft {
  email: string
  name: string
  role: UserRole
  company: Company | null
  teamIds: string[]
}

export const BLANK_INVITATION: InvitationDraft = {
  email: '',
  name: '',
  role: 'customer',
  company: null,
  teamIds: [],
}

const EMAIL_LIMIT = 254
export const NAME_LIMIT = 120

/** What is wrong with a mail address as far as one can tell here; whether it exists only a mail can tell. */
export function emailFault(email: string): 'missing' | 'odd' | null {
  const address = email.trim()
  if (address === '') return 'missing'
  return /^[^\s@]+@[^\s@]+$/.test(address) && address.length <= EMAIL_LIMIT ? null : 'odd'
}

/** What is wrong with a name. Counted in characters as Postgres counts them. */
export function nameFault(name: string): 'missing' | 'long' | null {
  const length = [...name.trim()].length
  if (length === 0) return 'missing'
  return length > NAME_LIMIT ? 'long' : null
}

/** What the server is asked for: a customer works for a company, the others in teams. */
export function invitationOf({ email, name, role, company, teamIds }: InvitationDraft) {
  const isCustomer = role === 'customer'
  return {
    email: email.trim(),
    name: name.trim(),
    role,
    companyId: isCustomer ? (company?.rowId ?? null) : null,
    teamIds: isCustomer ? [] : teamIds,
  }
}
