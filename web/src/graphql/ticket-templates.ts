import { useQuery } from 'urql'
import { graphql } from './tada.ts'

const TicketTemplateChoices = graphql(`
  query TicketTemplateChoices {
    ticketTemplates(first: 100, orderBy: [POSITION_ASC]) {
      nodes {
        id
        rowId
        name
        subject
        body
        serviceId
        archivedAt
      }
    }
  }
`)

/** What the reader may begin a ticket with, in order. */
export function useTicketTemplates() {
  const [{ data, fetching }] = useQuery({ query: TicketTemplateChoices })
  const templates = (data?.ticketTemplates.nodes ?? [])
    .filter((node) => node !== null)
    .filter(({ archivedAt }) => archivedAt === null)
  return { templates, isLoading: fetching && !data }
}
