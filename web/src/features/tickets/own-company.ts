import { useQuery } from 'urql'
import { graphql } from '../../graphql/tada.ts'
import { isStaff, useSessionUser } from '../../lib/session.ts'

// Customers are shown one company by the server, the one they work for.
const OwnCompanyQuery = graphql(`
  query OwnCompany {
    companies(first: 1) {
      nodes {
        id
        name
        sharesTickets
      }
    }
  }
`)

/** The name of the company whose people read what the signed-in customer asks; null where nobody else does. */
export function useSharingCompany(): string | null {
  const { role } = useSessionUser()
  const [{ data }] = useQuery({
    query: OwnCompanyQuery,
    // An admin may have turned it on or off since the last screen.
    requestPolicy: 'cache-and-network',
    pause: isStaff(role),
  })
  const company = data?.companies.nodes[0]
  return company?.sharesTickets && !isStaff(role) ? company.name : null
}
