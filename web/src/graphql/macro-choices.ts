import { graphql } from './tada.ts'

/** The macros that somebody may use, in their order. */
export const MacroChoices = graphql(`
  query MacroChoices {
    macros(first: 100, filter: { archivedAt: { isNull: true } }, orderBy: [POSITION_ASC, NAME_ASC]) {
      nodes {
        id
        rowId
        name
        description
      }
    }
  }
`)
