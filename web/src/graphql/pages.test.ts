import { Client, gql, makeResult, type Exchange } from 'urql'
import { filter, map, pipe } from 'wonka'
import { describe, expect, it } from 'vitest'
import { PagedList, type Connection } from './pages.ts'

interface Row {
  id: string
}
interface Answer {
  rows: Connection<Row>
}

const PAGE = 2

/** An API over an array: two rows a page, a cursor is the row it comes after. It answers at once and counts. */
function listOver(rows: string[]) {
  const asked: (string | null)[] = []
  const api: Exchange = () => (operations) =>
    pipe(
      operations,
      filter((operation) => operation.kind === 'query'),
      map((operation) => {
        const after = (operation.variables as { after: string | null }).after
        asked.push(after)
        const start = after === null ? 0 : rows.indexOf(after) + 1
        const nodes = rows.slice(start, start + PAGE).map((id) => ({ id }))
        const pageInfo = { hasNextPage: start + PAGE < rows.length, endCursor: nodes.at(-1)?.id ?? null }
        return makeResult(operation, { data: { rows: { nodes, pageInfo } }, hasNext: false })
      }),
    )
  const client = new Client({ url: 'http://localhost/', exchanges: [api], preferGetMethod: false })
  const document = gql<Answer, { after?: string | null }>`
    query Rows($after: Cursor) {
      rows
    }
  `
  const list = new PagedList<Answer, { after?: string | null }, Row>(
    client,
    document,
    {},
    (data) => data.rows,
    {
      nodes: [],
      isLoading: true,
      isLoadingMore: false,
      isStale: false,
      hasMore: false,
      error: null,
    },
  )
  list.start()
  const ids = () => list.store.get().nodes.map((row) => row.id)
  return { list, rows, asked, ids }
}

describe('PagedList', () => {
  it('asks for no more than it was told to', () => {
    const { list, asked, ids } = listOver(['a', 'b', 'c', 'd', 'e'])
    expect(ids()).toEqual(['a', 'b'])
    expect(list.store.get().hasMore).toBe(true)
    list.more()
    expect(ids()).toEqual(['a', 'b', 'c', 'd'])
    list.more()
    list.more()
    expect(ids()).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(list.store.get().hasMore).toBe(false)
    expect(asked).toEqual([null, 'b', 'd'])
  })

  it('moves the later pages along when a row comes in at the top: none is lost, none is twice', async () => {
    const { list, rows, ids } = listOver(['a', 'b', 'c', 'd', 'e', 'f'])
    list.more()
    rows.unshift('new')
    list.reread()
    await expect.poll(ids).toEqual(['new', 'a', 'b', 'c'])
  })

  it('drops the pages that are no longer there', async () => {
    const { list, rows, ids } = listOver(['a', 'b', 'c'])
    list.more()
    rows.splice(0, rows.length, 'a')
    list.reread()
    await expect.poll(ids).toEqual(['a'])
    expect(list.store.get().hasMore).toBe(false)
  })
})
