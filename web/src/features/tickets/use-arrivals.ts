import { useRef } from 'react'

interface Seen {
  list: string
  versions: Map<string, string>
  arrivals: Map<string, number>
}

/**
 * Which rows are new or changed since the list was first shown, and how often: what a live list marks. A row that
 * comes with "load more" or with another list is not an arrival.
 */
export function useArrivals(
  rows: readonly { id: string; updatedAt: string }[],
  list: string,
  isSettled: boolean,
): ReadonlyMap<string, number> {
  const seen = useRef<Seen | null>(null)
  if (isSettled) seen.current = arrivalsAfter(seen.current, rows, list)
  return seen.current?.list === list ? seen.current.arrivals : NONE
}

const NONE: ReadonlyMap<string, number> = new Map()

/** The state after `rows` were read; the same object where nothing changed. */
export function arrivalsAfter(
  before: Seen | null,
  rows: readonly { id: string; updatedAt: string }[],
  list: string,
): Seen {
  if (before?.list !== list) {
    return { list, versions: new Map(rows.map((row) => [row.id, row.updatedAt])), arrivals: new Map() }
  }
  let next: Seen | null = null
  const newest = Math.max(0, ...[...before.versions.values()].map((version) => Date.parse(version)))
  for (const row of rows) {
    const version = before.versions.get(row.id)
    if (version === row.updatedAt) continue
    next ??= { list, versions: new Map(before.versions), arrivals: new Map(before.arrivals) }
    next.versions.set(row.id, row.updatedAt)
    const isOlderPage = version === undefined && Date.parse(row.updatedAt) < newest
    if (!isOlderPage) next.arrivals.set(row.id, (next.arrivals.get(row.id) ?? 0) + 1)
  }
  return next ?? before
}
