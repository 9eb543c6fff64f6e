import { graphql } from '../../graphql/tada.ts'

/** What the properties of a ticket are chosen from. */
export const TicketChoices = graphql(`
  query TicketChoices {
    users(first: 100, filter: { role: { in: [agent, manager, admin] } }, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        disabledAt
      }
    }
    teams(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
    services(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
        archivedAt
      }
    }
  }
`)
