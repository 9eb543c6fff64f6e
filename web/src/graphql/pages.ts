import { useCallback, useEffect, useMemo, useState } from 'react'
import {
  createRequest,
  useClient,
  type AnyVariables,
  type Client,
  type CombinedError,
  type TypedDocumentNode,
} from 'urql'
import { createStore, useStore, type Store } from '../lib/store.ts'

interface PageInfo {
  hasNextPage: boolean
  endCursor: string | null
}

/** The slice of a connection that paging needs. */
export interface Connection<Node> {
  nodes: readonly (Node | null)[]
  pageInfo: PageInfo
}

export interface Pages<Node> {
  nodes: Node[]
  /** Nothing has arrived yet. */
  isLoading: boolean
  isLoadingMore: boolean
  /** What is shown belongs to the previous variables; the new answer is on its way. */
  isStale: boolean
  hasMore: boolean
  error: CombinedError | null
}

interface Page<Node> {
  after: string | null
  connection: Connection<Node> | null
  error: CombinedError | null
  unsubscribe: () => void
  reread: () => void
}

const EMPTY: Pages<never> = {
  nodes: [],
  isLoading: true,
  isLoadingMore: false,
  isStale: false,
  hasMore: false,
  error: null,
}

/**
 * A list read page by page in which every page follows the cache. A page begins at the end of the page before it,
 * wherever that end is now: when rows come or go at the top the later pages move along, so none is skipped or shown
 * twice. Re-reading reads just the pages that are on the screen.
 */
export class PagedList<Data, Variables extends AnyVariables, Node extends { id: string }> {
  readonly store: Store<Pages<Node>>
  readonly #client: Client
  readonly #document: TypedDocumentNode<Data, Variables>
  readonly #variables: Variables
  readonly #connectionOf: (data: Data) => Connection<Node> | null | undefined
  readonly #pages: Page<Node>[] = []

  constructor(
    client: Client,
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    connectionOf: (data: Data) => Connection<Node> | null | undefined,
    shownBefore: Pages<Node>,
  ) {
    this.#client = client
    this.#document = document
    this.#variables = variables
    this.#connectionOf = connectionOf
    this.store = createStore<Pages<Node>>(
      shownBefore.nodes.length > 0 ? { ...shownBefore, isStale: true, error: null } : EMPTY,
    )
  }

  start() {
    this.#open(0, null)
  }

  stop() {
    for (const page of this.#pages.splice(0)) page.unsubscribe()
  }

  more() {
    const last = this.#pages.at(-1)
    if (!last) return
    if (last.error) last.reread()
    else if (last.connection?.pageInfo.hasNextPage) {
      this.#open(this.#pages.length, last.connection.pageInfo.endCursor)
      this.#publish()
    }
  }

  reread() {
    for (const page of this.#pages) page.reread()
  }

  #open(index: number, after: string | null) {
    const before = this.#pages[index]
    before?.unsubscribe()
    const request = createRequest(this.#document, { ...this.#variables, after })
    const page: Page<Node> = {
      after,
      connection: before?.connection ?? null,
      error: null,
      unsubscribe: () => {},
      reread: () =>
        this.#client.reexecuteOperation(
          this.#client.createRequestOperation('query', request, { requestPolicy: 'network-only' }),
        ),
    }
    this.#pages[index] = page
    page.unsubscribe = this.#client
      .executeQuery<Data, Variables>(request, { requestPolicy: 'cache-and-network' })
      .subscribe((result) => {
        const connection = result.data ? this.#connectionOf(result.data) : null
        if (connection) page.connection = connection
        page.error = result.error ?? null
        this.#follow(index)
        this.#publish()
      }).unsubscribe
  }

  #follow(index: number) {
    const next = this.#pages[index + 1]
    const info = this.#pages[index]?.connection?.pageInfo
    if (!next || !info) return
    if (!info.hasNextPage) for (const page of this.#pages.splice(index + 1)) page.unsubscribe()
    else if (next.after !== info.endCursor) this.#open(index + 1, info.endCursor)
  }

  #publish() {
    const first = this.#pages[0]
    const last = this.#pages.at(-1)
    if (!first || !last) return
    const error = this.#pages.find((page) => page.error)?.error ?? null
    if (!first.connection) {
      // Keep showing the list before while this one has nothing at all to show.
      const { nodes } = this.store.get()
      this.store.set({
        ...EMPTY,
        nodes: error ? [] : nodes,
        isLoading: !error && nodes.length === 0,
        isStale: !error,
        error,
      })
      return
    }
    const byId = new Map<string, Node>()
    for (const page of this.#pages) {
      for (const node of page.connection?.nodes ?? []) if (node && !byId.has(node.id)) byId.set(node.id, node)
    }
    this.store.set({
      nodes: [...byId.values()],
      isLoading: false,
      isLoadingMore: !last.connection && !last.error,
      isStale: false,
      hasMore: last.connection?.pageInfo.hasNextPage ?? Boolean(last.error),
      error,
    })
  }
}

export interface PagedQuery<Data, Variables extends AnyVariables, Node> {
  document: TypedDocumentNode<Data, Variables>
  /** Without `after`; a new object with the same content is the same list. */
  variables: Variables
  connectionOf: (data: Data) => Connection<Node> | null | undefined
}

/** Reads a connection page by page; see {@link PagedList}. The document must take `$after: Cursor`. */
export function usePages<Data, Variables extends AnyVariables, Node extends { id: string }>(
  query: PagedQuery<Data, Variables, Node>,
): Pages<Node> & { more: () => void; reread: () => void } {
  const client = useClient()
  const { document, connectionOf } = query
  const key = JSON.stringify(query.variables)
  const [kept] = useState<{ shown: Pages<Node> }>(() => ({ shown: EMPTY }))
  const list = useMemo(
    () =>
      new PagedList<Data, Variables, Node>(
        client,
        document,
        JSON.parse(key) as Variables,
        connectionOf,
        kept.shown,
      ),
    [client, document, key, connectionOf, kept],
  )
  useEffect(() => {
    list.start()
    return () => {
      kept.shown = list.store.get()
      list.stop()
    }
  }, [list, kept])
  const pages = useStore(list.store)
  const more = useCallback(() => list.more(), [list])
  const reread = useCallback(() => list.reread(), [list])
  return { ...pages, more, reread }
}
