import { useMutation } from 'urql'
import { graphql } from '../../graphql/tada.ts'

const RelateTickets = graphql(`
  mutation RelateTickets($ticketId: UUID!, $kind: TicketRelationshipKind!, $otherTicketId: UUID!) {
    relateTickets(input: { ticketId: $ticketId, kind: $kind, otherTicketId: $otherTicketId }) {
      relationship {
        id
      }
    }
  }
`)

/** Says how one ticket stands to another. */
export function useRelate() {
  const [, relate] = useMutation(RelateTickets)
  return relate
}
