import { ArrowDown, ArrowUp } from 'lucide-react'
import type { RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Avatar } from '../../components/avatar.tsx'
import { Deadline } from '../../components/deadline.tsx'
import { PriorityMark } from '../../components/priority-mark.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { StatusPill } from '../../components/status-pill.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import type { InboxSort, SortDirection } from './inbox-views.ts'
import type { Selection } from './use-selection.ts'

export const InboxRowFragment = graphql(`
  fragment InboxRow on Ticket {
    id
    rowId
    number
    reference
    subject
    status
    state {
      id
      name
    }
    priority
    nextDueAt
    breached
    updatedAt
    requester {
      id
      name
    }
    assignee {
      id
      name
    }
    team {
      id
      name
    }
  }
`)

export const InboxRowsQuery = graphql(
  `
    query InboxRows($after: Cursor, $filter: TicketFilter, $orderBy: [TicketOrderBy!]) {
      tickets(first: 50, after: $after, filter: $filter, orderBy: $orderBy) {
        nodes {
          id
          rowId
          updatedAt
          ...InboxRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [InboxRowFragment],
)

/** The attribute by which the keyboard finds the rows. */
export const ROW_LINK = 'data-inbox-row'

export interface InboxTableProps {
  rows: readonly (FragmentOf<typeof InboxRowFragment> & { id: string; rowId: string })[]
  selection: Selection
  /** Rows that changed while they were on the screen, by id, and how often. */
  arrivals: ReadonlyMap<string, number>
  sort: InboxSort
  direction: SortDirection
  onSort: (sort: InboxSort) => void
  tableRef: RefObject<HTMLTableElement | null>
  label: string
}

const HEAD =
  'sticky top-0 z-10 border-b border-border bg-canvas px-3 py-2 text-start text-xs font-medium text-muted'

/**
 * The dense list. A real table; below the `md` width its rows are laid out as cards, and the explicit roles keep it a
 * table for screen readers there.
 */
export function InboxTable({
  rows,
  selection,
  arrivals,
  sort,
  direction,
  onSort,
  tableRef,
  label,
}: InboxTableProps) {
  const { t } = useTranslation('tickets')
  const head = { sort, direction, onSort }
  const chosen = rows.filter(({ rowId }) => selection.selected.has(rowId)).length
  return (
    <table
      ref={tableRef}
      role="table"
      aria-label={label}
      className="block w-full border-separate border-spacing-0 md:table"
    >
      <thead role="rowgroup" className="sr-only md:not-sr-only md:table-header-group">
        <tr role="row" className="md:table-row">
          <th role="columnheader" className={classNames(HEAD, 'ps-5 pe-0')}>
            <input
              type="checkbox"
              aria-label={t('bulk.page')}
              checked={chosen > 0 && chosen === rows.length}
              ref={(box) => {
                if (box) box.indeterminate = chosen > 0 && chosen < rows.length
              }}
              onChange={selection.toggleAll}
              className={CHECKBOX}
            />
          </th>
          <SortableHead {...head} column="created" className="whitespace-nowrap">
            {t('columns.reference')}
          </SortableHead>
          <th role="columnheader" className={classNames(HEAD, 'w-full')}>
            {t('columns.subject')}
          </th>
          <th role="columnheader" className={HEAD}>
            {t('columns.status')}
          </th>
          <SortableHead {...head} column="priority">
            {t('columns.priority')}
          </SortableHead>
          <th role="columnheader" className={classNames(HEAD, 'hidden xl:table-cell')}>
            {t('columns.assignee')}
          </th>
          <th role="columnheader" className={classNames(HEAD, 'hidden 2xl:table-cell')}>
            {t('columns.team')}
          </th>
          <SortableHead {...head} column="due">
            {t('columns.due')}
          </SortableHead>
          <SortableHead {...head} column="updated" className="pe-5">
            {t('columns.updated')}
          </SortableHead>
        </tr>
      </thead>
      <tbody role="rowgroup" className="block md:table-row-group">
        {rows.map((row) => (
          <InboxRow
            key={`${row.id} ${arrivals.get(row.id) ?? 0}`}
            row={row}
            isSelected={selection.selected.has(row.rowId)}
            onSelect={(isRange) => selection.toggle(row.rowId, isRange)}
            hasArrived={arrivals.has(row.id)}
          />
        ))}
      </tbody>
    </table>
  )
}

interface SortableHeadProps {
  column: InboxSort
  sort: InboxSort
  direction: SortDirection
  onSort: (sort: InboxSort) => void
  className?: string
  children: string
}

function SortableHead({ column, sort, direction, onSort, className, children }: SortableHeadProps) {
  const isSorted = column === sort
  const Arrow = direction === 'ascending' ? ArrowUp : ArrowDown
  return (
    <th role="columnheader" aria-sort={isSorted ? direction : 'none'} className={classNames(HEAD, className)}>
      <button
        type="button"
        onClick={() => onSort(column)}
        className={classNames(
          '-mx-1.5 -my-0.5 inline-flex items-center gap-1 rounded-sm px-1.5 py-0.5 whitespace-nowrap hover:bg-hover hover:text-text',
          isSorted && 'text-text',
        )}
      >
        {children}
        <Arrow className={classNames('size-3', !isSorted && 'invisible')} aria-hidden="true" />
      </button>
    </th>
  )
}

const CELL = 'align-middle text-sm md:border-b md:border-border md:px-3 md:py-2'

const CHECKBOX = 'touch-target relative z-[1] size-4 cursor-pointer align-middle accent-accent'

interface InboxRowProps {
  row: FragmentOf<typeof InboxRowFragment>
  isSelected: boolean
  onSelect: (isRange: boolean) => void
  hasArrived: boolean
}

function InboxRow({ row, isSelected, onSelect, hasArrived }: InboxRowProps) {
  const { t } = useTranslation('tickets')
  const ticket = readFragment(InboxRowFragment, row)
  const isDone = ticket.status === 'resolved' || ticket.status === 'closed'
  return (
    <tr
      role="row"
      className={classNames(
        'group relative grid grid-cols-[auto_auto_1fr_auto] gap-x-4 gap-y-1 border-b border-border px-4 py-3 md:table-row md:p-0',
        'focus-within:bg-selected hover:bg-hover',
        isSelected && 'bg-selected',
        hasArrived && 'animate-arrive',
      )}
    >
      <td role="cell" className={classNames(CELL, 'order-1 md:ps-5 md:pe-0')}>
        <input
          type="checkbox"
          aria-label={t('bulk.one', { reference: ticket.reference })}
          checked={isSelected}
          onChange={(event) => onSelect((event.nativeEvent as MouseEvent).shiftKey)}
          className={CHECKBOX}
        />
      </td>
      <td role="cell" className={classNames(CELL, 'figures order-1 col-span-2 whitespace-nowrap text-muted')}>
        {ticket.reference}
      </td>
      <td role="cell" className={classNames(CELL, 'order-3 col-span-4 min-w-0 md:max-w-0')}>
        <Link
          to={`/desk/tickets/${ticket.number}`}
          {...{ [ROW_LINK]: ticket.rowId }}
          className={classNames(
            'block truncate text-base outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus md:text-sm',
            isDone ? 'text-muted' : 'font-medium text-text',
          )}
        >
          {ticket.subject}
        </Link>
        <span className="block truncate text-muted">{ticket.requester?.name}</span>
      </td>
      <td role="cell" className={classNames(CELL, 'order-2 justify-self-end')}>
        <StatusPill status={ticket.status} name={ticket.state?.name} className="max-w-44" />
      </td>
      <td role="cell" className={classNames(CELL, 'order-4 col-span-2')}>
        <PriorityMark priority={ticket.priority} />
      </td>
      <td role="cell" className={classNames(CELL, 'hidden xl:table-cell')}>
        <span className="flex max-w-44 items-center gap-2">
          <Avatar name={ticket.assignee?.name} size="small" />
          <span className={classNames('truncate', !ticket.assignee && 'text-faint')}>
            {ticket.assignee?.name ?? t('nobody')}
          </span>
        </span>
      </td>
      <td role="cell" className={classNames(CELL, 'hidden whitespace-nowrap text-muted 2xl:table-cell')}>
        {ticket.team?.name}
      </td>
      <td role="cell" className={classNames(CELL, 'order-5 empty:hidden md:empty:table-cell')}>
        {ticket.nextDueAt ? (
          <Deadline dueAt={ticket.nextDueAt} />
        ) : ticket.breached && !isDone ? (
          <span className="font-medium whitespace-nowrap text-danger-text">{t('breached')}</span>
        ) : null}
      </td>
      <td
        role="cell"
        className={classNames(
          CELL,
          'order-6 col-start-4 text-end whitespace-nowrap text-muted md:pe-5 md:text-start',
        )}
      >
        <RelativeTime at={ticket.updatedAt} length="short" />
      </td>
    </tr>
  )
}
