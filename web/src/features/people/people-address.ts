import type { VariablesOf } from '../../graphql/tada.ts'
import type { UserRole } from '../../lib/session.ts'
import type { PeopleQuery } from './people-table.tsx'
import { PERSON_STATES, type PersonState } from './person-state.ts'
import { ROLES } from './roles.ts'

/** Which people the list shows. */
export interface PeopleSelection {
  search: string
  role: UserRole | 'all'
  state: PersonState | 'all'
}

type Filter = NonNullable<VariablesOf<typeof PeopleQuery>['filter']>

/** Longer than any name or address: what is pasted by mistake is not sent. */
const SEARCH_LIMIT = 254

/** Reads a selection from an address such as `?search=weber&role=agent&state=active`; oddities become "all". */
export function readPeopleAddress(parameters: URLSearchParams): PeopleSelection {
  return {
    search: (parameters.get('search') ?? '').slice(0, SEARCH_LIMIT),
    role: ROLES.find((role) => role === parameters.get('role')) ?? 'all',
    state: PERSON_STATES.find((state) => state === parameters.get('state')) ?? 'all',
  }
}

/** The address of a selection; what is "all" is left out. */
export function writePeopleAddress({ search, role, state }: PeopleSelection): URLSearchParams {
  const parameters = new URLSearchParams()
  if (search !== '') parameters.set('search', search)
  if (role !== 'all') parameters.set('role', role)
  if (state !== 'all') parameters.set('state', state)
  return parameters
}

const STATES: Record<PersonState, Filter> = {
  active: { activatedAt: { isNull: false }, disabledAt: { isNull: true } },
  invited: { activatedAt: { isNull: true }, disabledAt: { isNull: true } },
  disabled: { disabledAt: { isNull: false } },
}

/** What the server is asked for. */
export function peopleFilter({ search, role, state }: PeopleSelection): Filter {
  const words = search.trim()
  return {
    ...(role === 'all' ? {} : { role: { equalTo: role } }),
    ...(state === 'all' ? {} : STATES[state]),
    ...(words === ''
      ? {}
      : { or: [{ name: { includesInsensitive: words } }, { email: { includesInsensitive: words } }] }),
  }
}
