import { useState } from 'react'
import { useClient, type OperationResult } from 'urql'
import { graphql, type ResultOf, type VariablesOf } from '../../graphql/tada.ts'
import { SELECTION_LIMIT } from './use-selection.ts'

const TicketIdsQuery = graphql(`
  query TicketIds($after: Cursor, $filter: TicketFilter, $orderBy: [TicketOrderBy!]) {
    tickets(first: 100, after: $after, filter: $filter, orderBy: $orderBy) {
      nodes {
        id
        rowId
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`)

/** Reads the row ids of a whole list, as many as can be changed at once; null when it could not be read. */
export function useWholeList() {
  const client = useClient()
  const [isReading, setIsReading] = useState(false)

  async function read(
    variables: Omit<VariablesOf<typeof TicketIdsQuery>, 'after'>,
  ): Promise<string[] | null> {
    setIsReading(true)
    try {
      const ids: string[] = []
      let after: string | null = null
      do {
        const result: OperationResult<ResultOf<typeof TicketIdsQuery>> = await client.query(
          TicketIdsQuery,
          { ...variables, after },
          { requestPolicy: 'network-only' },
        )
        const page = result.data?.tickets
        if (!page) return null
        ids.push(...page.nodes.flatMap((node) => (node ? [node.rowId] : [])))
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
      } while (after !== null && ids.length < SELECTION_LIMIT)
      return ids.slice(0, SELECTION_LIMIT)
    } finally {
      setIsReading(false)
    }
  }

  return { read, isReading }
}
