import { initGraphQLTada } from 'gql.tada'
import type { introspection } from '../generated/graphql-env.d.ts'

/** Types every operation from the server's schema; nothing is generated for the operations themselves. */
export const graphql = initGraphQLTada<{
  introspection: introspection
  scalars: {
    Datetime: string
    Date: string
    UUID: string
    Cursor: string
    BigInt: string
    JSON: unknown
    InternetAddress: string
    CidrAddress: string
  }
}>()

export { readFragment, type FragmentOf, type ResultOf, type VariablesOf } from 'gql.tada'
