import { useCallback, useRef, useState } from 'react'

/** As many as the server changes at once. */
export const SELECTION_LIMIT = 1_000

/** The selection after a row was chosen; with `from`, all rows from that one to it are as it becomes. */
export function selectionAfter(
  selected: ReadonlySet<string>,
  rows: readonly string[],
  row: string,
  from: string | null,
): ReadonlySet<string> {
  const next = new Set(selected)
  const isOn = !selected.has(row)
  const start = from === null ? -1 : rows.indexOf(from)
  const end = rows.indexOf(row)
  const changed = start < 0 || end < 0 ? [row] : rows.slice(Math.min(start, end), Math.max(start, end) + 1)
  for (const each of changed) {
    if (!isOn) next.delete(each)
    else if (next.size < SELECTION_LIMIT) next.add(each)
  }
  return next
}

/** The rows that are chosen, by row id. Another list begins with none. */
export function useSelection(list: string, rows: readonly string[]) {
  const [held, setHeld] = useState<{ list: string; selected: ReadonlySet<string> }>({
    list,
    selected: new Set(),
  })
  const anchor = useRef<string | null>(null)
  const selected = held.list === list ? held.selected : NONE
  const choose = useCallback((next: ReadonlySet<string>) => setHeld({ list, selected: next }), [list])

  return {
    selected,
    choose,
    clear: () => {
      anchor.current = null
      choose(NONE)
    },
    /** Chooses a row or lets it go; as a range, all rows since the one before. */
    toggle: (row: string, isRange: boolean) => {
      choose(selectionAfter(selected, rows, row, isRange ? anchor.current : null))
      anchor.current = row
    },
    toggleAll: () =>
      choose(
        rows.every((row) => selected.has(row))
          ? NONE
          : new Set([...selected, ...rows].slice(0, SELECTION_LIMIT)),
      ),
  }
}

const NONE: ReadonlySet<string> = new Set()

export type Selection = ReturnType<typeof useSelection>
