import { useMutation } from 'urql'
import { graphql } from '../../graphql/tada.ts'

const ChangeTicket = graphql(`
  mutation ChangeTicket($id: ID!, $patch: TicketPatch!) {
    updateTicket(input: { id: $id, patch: $patch }) {
      ticket {
        id
        version
        updatedAt
        subject
        tags
        snoozedUntil
        requesterId
      }
    }
  }
`)

/** Changes fields of a ticket; the answer keeps its version, by which the next change is judged. */
export function useTicketChange() {
  const [, changeTicket] = useMutation(ChangeTicket)
  return changeTicket
}
