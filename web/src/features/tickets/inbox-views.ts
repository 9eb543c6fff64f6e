import type { VariablesOf } from '../../graphql/tada.ts'
import type { InboxRowsQuery } from './inbox-table.tsx'

export const INBOX_VIEWS = [
  'mine',
  'unassigned',
  'open',
  'breaching',
  'breached',
  'pending',
  'snoozed',
  'resolved',
  'all',
] as const
export type InboxView = (typeof INBOX_VIEWS)[number]

export const INBOX_SORTS = ['updated', 'due', 'priority', 'created'] as const
export type InboxSort = (typeof INBOX_SORTS)[number]

export type SortDirection = 'ascending' | 'descending'

type Variables = VariablesOf<typeof InboxRowsQuery>
type Order = NonNullable<Variables['orderBy']>[number]

/** What is not done yet: the same states that `inboxCounts` counts. */
const UNRESOLVED = ['new', 'open', 'pending', 'on_hold'] as const

/** What is put aside is out of sight until it wakes. */
const AWAKE = { snoozedUntil: { isNull: true } } as const

/** How soon a target is due that is about to be missed; `inboxCounts` counts the same. */
const BREACHING_MS = 2 * 60 * 60 * 1000

/** The tickets of a view; the numbers beside the views are counted by the same rules on the server. */
export function filterOf(
  view: InboxView,
  userId: string,
  now: number = Date.now(),
): NonNullable<Variables['filter']> | undefined {
  switch (view) {
    case 'mine':
      return { status: { in: [...UNRESOLVED] }, assigneeId: { equalTo: userId }, ...AWAKE }
    case 'unassigned':
      return { status: { in: [...UNRESOLVED] }, assigneeId: { isNull: true }, ...AWAKE }
    case 'open':
      return { status: { in: ['new', 'open'] }, ...AWAKE }
    case 'pending':
      return { status: { in: ['pending', 'on_hold'] }, ...AWAKE }
    case 'breached':
      return { status: { in: [...UNRESOLVED] }, breached: { equalTo: true } }
    case 'breaching':
      return {
        status: { in: [...UNRESOLVED] },
        // To the minute, so that drawing the list again asks nothing new.
        nextDueAt: { lessThan: new Date(Math.floor(now / 60_000) * 60_000 + BREACHING_MS).toISOString() },
        ...AWAKE,
      }
    case 'snoozed':
      return { snoozedUntil: { isNull: false } }
    case 'resolved':
      return { status: { equalTo: 'resolved' } }
    case 'all':
      // An empty filter is refused; none at all is not.
      return undefined
  }
}

const ORDERS = {
  updated: { ascending: 'UPDATED_AT_ASC', descending: 'UPDATED_AT_DESC' },
  due: { ascending: 'NEXT_DUE_AT_ASC', descending: 'NEXT_DUE_AT_DESC' },
  priority: { ascending: 'PRIORITY_ASC', descending: 'PRIORITY_DESC' },
  created: { ascending: 'NUMBER_ASC', descending: 'NUMBER_DESC' },
} as const satisfies Record<InboxSort, Record<SortDirection, Order>>

/** The way a column is sorted the first time its head is pressed: what presses most comes first. */
export const FIRST_DIRECTION: Record<InboxSort, SortDirection> = {
  updated: 'descending',
  due: 'ascending',
  priority: 'descending',
  created: 'descending',
}

/** The order of a list; ties go to what changed last. */
export function orderOf(sort: InboxSort, direction: SortDirection): Order[] {
  const order = ORDERS[sort][direction]
  return sort === 'priority' ? [order, 'UPDATED_AT_DESC'] : [order]
}

/** Reads view and order from an address such as `?view=mine&sort=due&direction=ascending`; oddities become defaults. */
export function readInboxAddress(parameters: URLSearchParams): {
  view: InboxView
  sort: InboxSort
  direction: SortDirection
} {
  const sort = INBOX_SORTS.find((candidate) => candidate === parameters.get('sort')) ?? 'updated'
  const direction = parameters.get('direction')
  return {
    view: INBOX_VIEWS.find((candidate) => candidate === parameters.get('view')) ?? 'open',
    sort,
    direction: direction === 'ascending' || direction === 'descending' ? direction : FIRST_DIRECTION[sort],
  }
}
