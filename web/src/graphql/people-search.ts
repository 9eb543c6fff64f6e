import { useQuery } from 'urql'
import { useDebounced } from '../lib/debounced.ts'
import { graphql, type VariablesOf } from './tada.ts'

const PeopleSearchQuery = graphql(`
  query PeopleSearch($filter: UserFilter!) {
    users(first: 20, filter: $filter, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        email
        role
      }
    }
  }
`)

export interface FoundPerson {
  rowId: string
  name: string
  email: string
}

/** People who can be chosen, found by their name as it is typed; however many there are, the server looks. */
export function usePeopleSearch(typed: string, circle: 'staff' | 'everybody', isPaused = false) {
  const words = useDebounced(typed.trim())
  const filter: VariablesOf<typeof PeopleSearchQuery>['filter'] = {
    disabledAt: { isNull: true },
    ...(circle === 'staff' ? { role: { in: ['agent', 'manager', 'admin'] } } : {}),
    ...(words === '' ? {} : { name: { includesInsensitive: words } }),
  }
  const [{ data }] = useQuery({ query: PeopleSearchQuery, variables: { filter }, pause: isPaused })
  return (data?.users.nodes ?? []).filter((node) => node !== null)
}
