import { useCallback, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Deadline } from '../../components/deadline.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { FieldValue } from '../../components/field-value.tsx'
import { PageHeading } from '../../components/page-heading.tsx'
import { PriorityMark } from '../../components/priority-mark.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { StatusPill } from '../../components/status-pill.tsx'
import { useCustomFields } from '../../graphql/custom-fields.ts'
import { problemOf } from '../../graphql/errors.ts'
import { useInboxChanges } from '../../graphql/inbox-changes.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { customFieldName } from '../../lib/custom-field-rules.ts'
import { fieldValues, type FieldDefinition } from '../../lib/custom-fields.ts'
import { ViewDialog, ViewDialogFragment } from './view-dialog.tsx'
import { COLUMNS, type Column } from './view-draft.ts'

const ViewQuery = graphql(
  `
    query TicketViewHead($viewId: UUID!) {
      ticketViews(first: 1, filter: { rowId: { equalTo: $viewId } }) {
        nodes {
          id
          name
          columns
          sort
          direction
          conditions
          ...ViewDialog
        }
      }
    }
  `,
  [ViewDialogFragment],
)

const ViewRowFragment = graphql(`
  fragment ViewRow on Ticket {
    id
    number
    reference
    subject
    status
    state {
      id
      name
    }
    priority
    tags
    customFields
    internalFields
    nextDueAt
    createdAt
    updatedAt
    requester {
      id
      name
    }
    company {
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
    service {
      id
      name
    }
  }
`)

const ViewTicketsQuery = graphql(
  `
    query ViewTickets($viewId: UUID!, $after: String) {
      viewTickets(viewId: $viewId, first: 50, after: $after) {
        tickets {
          id
          ...ViewRow
        }
        nextCursor
      }
    }
  `,
  [ViewRowFragment],
)

/** The tickets of one saved view, with the columns and in the order it asks for, live. */
export function ViewPage({ viewId }: { viewId: string }) {
  const { t } = useTranslation(['ticket-views', 'errors'])
  const navigate = useNavigate()
  const [isChanging, setIsChanging] = useState(false)
  const [cursors, setCursors] = useState<(string | null)[]>([null])
  const [{ data, error, fetching }, reread] = useQuery({
    query: ViewQuery,
    variables: { viewId },
    requestPolicy: 'cache-and-network',
  })
  const view = data?.ticketViews?.nodes[0]
  const { fields } = useCustomFields()
  // An archived field keeps its column.
  const fieldOf: FieldOf = (column) => fields.find(({ key }) => customFieldName(key) === column)

  if (!view) {
    if (error) {
      return (
        <ErrorState title={t('error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      )
    }
    if (fetching) return <SkeletonRows label={t('loading')} rows={8} />
    return <EmptyState title={t('gone.title')}>{t('gone.body')}</EmptyState>
  }

  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pt-5 pb-4 md:px-5">
        <PageHeading title={view.name} className="text-xl">
          {view.name}
        </PageHeading>
        <Button size="small" onPress={() => setIsChanging(true)}>
          {t('change')}
        </Button>
      </div>
      <div className="overflow-x-auto">
        <table aria-label={view.name} className="w-full border-separate border-spacing-0">
          <thead>
            <tr>
              {view.columns.map((column) => (
                <th
                  key={column}
                  scope="col"
                  className="border-b border-border bg-canvas px-3 py-2 text-start text-xs font-medium whitespace-nowrap text-muted first:ps-5 last:pe-5"
                >
                  {isColumn(column) ? t(`columns.${column}`) : (fieldOf(column)?.label ?? column)}
                </th>
              ))}
            </tr>
          </thead>
          {cursors.map((after, index) => (
            <Rows
              // What a view asks for decides what its pages hold.
              key={`${after ?? ''} ${JSON.stringify([view.conditions, view.sort, view.direction])}`}
              viewId={viewId}
              columns={view.columns.filter((column) => column !== null)}
              fieldOf={fieldOf}
              after={after}
              isLast={index === cursors.length - 1}
              onMore={(next) => setCursors([...cursors, next])}
            />
          ))}
        </table>
      </div>
      <ViewDialog
        view={view}
        isOpen={isChanging}
        onClose={() => setIsChanging(false)}
        onSaved={() => {
          setCursors([null])
          reread({ requestPolicy: 'network-only' })
        }}
        onDeleted={() => void navigate('/desk')}
      />
    </>
  )
}

interface RowsProps {
  viewId: string
  columns: string[]
  fieldOf: FieldOf
  after: string | null
  isLast: boolean
  onMore: (cursor: string) => void
}

function Rows({ viewId, columns, fieldOf, after, isLast, onMore }: RowsProps) {
  const { t } = useTranslation(['ticket-views', 'errors'])
  const [{ data, error }, reread] = useQuery({
    query: ViewTicketsQuery,
    variables: { viewId, after },
    requestPolicy: 'cache-and-network',
  })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  useInboxChanges(rereadSoon)
  const page = data?.viewTickets
  if (!page) {
    return (
      <Whole columns={columns.length}>
        {error ? (
          <ErrorState title={t('error')} onRetry={rereadSoon}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : (
          <SkeletonRows label={t('loading')} rows={8} />
        )}
      </Whole>
    )
  }
  if (after === null && page.tickets.length === 0) {
    return (
      <Whole columns={columns.length}>
        <EmptyState title={t('empty.title')}>{t('empty.body')}</EmptyState>
      </Whole>
    )
  }
  return (
    <>
      <tbody>
        {page.tickets.map(
          (ticket) => ticket && <Row key={ticket.id} ticket={ticket} columns={columns} fieldOf={fieldOf} />,
        )}
      </tbody>
      {isLast && page.nextCursor && (
        <Whole columns={columns.length}>
          <div className="flex justify-center p-5">
            <Button onPress={() => onMore(page.nextCursor as string)}>{t('more')}</Button>
          </div>
        </Whole>
      )}
    </>
  )
}

function Whole({ columns, children }: { columns: number; children: ReactNode }) {
  return (
    <tbody>
      <tr>
        <td colSpan={columns}>{children}</td>
      </tr>
    </tbody>
  )
}

type Ticket = ResultOf<typeof ViewRowFragment>

interface RowProps {
  ticket: FragmentOf<typeof ViewRowFragment>
  columns: string[]
  fieldOf: FieldOf
}

function Row({ ticket: row, columns, fieldOf }: RowProps) {
  const ticket = readFragment(ViewRowFragment, row)
  // The first column is the way to the ticket, whatever it shows.
  return (
    <tr className="group relative focus-within:bg-selected hover:bg-hover">
      {columns.map((column, index) => (
        <td key={column} className="max-w-96 border-b border-border px-3 py-2.5 text-sm first:ps-5 last:pe-5">
          {index === 0 ? (
            <Link
              to={`/desk/tickets/${ticket.number}`}
              aria-label={`${ticket.reference} ${ticket.subject}`}
              className="block outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
            >
              <Cell ticket={ticket} column={column} fieldOf={fieldOf} />
            </Link>
          ) : (
            <Cell ticket={ticket} column={column} fieldOf={fieldOf} />
          )}
        </td>
      ))}
    </tr>
  )
}

interface CellProps {
  ticket: Ticket
  column: string
  fieldOf: FieldOf
}

function Cell({ ticket, column, fieldOf }: CellProps): ReactNode {
  if (!isColumn(column)) {
    const field = fieldOf(column)
    if (!field) return null
    const held = fieldValues(ticket.customFields)[field.key] ?? fieldValues(ticket.internalFields)[field.key]
    return held === undefined ? null : <FieldValue field={field} value={held} />
  }
  switch (column) {
    case 'reference':
      return <span className="figures whitespace-nowrap text-muted">{ticket.reference}</span>
    case 'subject':
      return <span className="block min-w-48 truncate font-medium">{ticket.subject}</span>
    case 'status':
      return <StatusPill status={ticket.status} name={ticket.state?.name} />
    case 'priority':
      return <PriorityMark priority={ticket.priority} />
    case 'requester':
    case 'company':
    case 'assignee':
    case 'team':
    case 'service':
      return <span className="whitespace-nowrap">{ticket[column]?.name}</span>
    case 'tags':
      return <span className="text-muted">{ticket.tags.join(', ')}</span>
    case 'due':
      return ticket.nextDueAt && <Deadline dueAt={ticket.nextDueAt} />
    case 'created':
      return <RelativeTime at={ticket.createdAt} length="short" />
    case 'updated':
      return <RelativeTime at={ticket.updatedAt} length="short" />
  }
}

const isColumn = (column: string | null): column is Column => COLUMNS.includes(column as Column)
type FieldOf = (column: string | null) => FieldDefinition | undefined
