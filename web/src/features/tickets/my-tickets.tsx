import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeading } from '../../components/page-heading.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { StatusPill } from '../../components/status-pill.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import {
  graphql,
  readFragment,
  type FragmentOf,
  type ResultOf,
  type VariablesOf,
} from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { isStaff, useSessionUser } from '../../lib/session.ts'
import { useSharingCompany } from './own-company.ts'
import { useArrivals } from './use-arrivals.ts'
import { useInboxChanges } from '../../graphql/inbox-changes.ts'

const MyTicketRowFragment = graphql(`
  fragment MyTicketRow on Ticket {
    id
    number
    reference
    subject
    status
    state {
      id
      name
    }
    updatedAt
    requesterId
    requester {
      id
      name
    }
    service {
      id
      name
    }
  }
`)

const MyTicketsQuery = graphql(
  `
    query MyTickets($after: Cursor, $filter: TicketFilter) {
      tickets(first: 25, after: $after, filter: $filter, orderBy: [UPDATED_AT_DESC]) {
        nodes {
          id
          updatedAt
          ...MyTicketRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [MyTicketRowFragment],
)

const FinishedQuery = graphql(`
  query FinishedTickets($filter: TicketFilter) {
    tickets(first: 1, filter: $filter) {
      nodes {
        id
      }
    }
  }
`)

const connectionOf = (data: ResultOf<typeof MyTicketsQuery>) => data.tickets

const PARTS = ['active', 'done', 'all'] as const
type Part = (typeof PARTS)[number]

/** Whose requests, where a company shares them. */
const CIRCLES = ['company', 'mine'] as const
type Circle = (typeof CIRCLES)[number]

const STATES = {
  active: { status: { in: ['new', 'open', 'pending', 'on_hold'] } },
  done: { status: { in: ['resolved', 'closed'] } },
  all: {},
} as const satisfies Record<Part, object>

/** What the signed-in person asked for, and what colleagues who share did, the latest on top, live. */
export function MyTickets() {
  const { t } = useTranslation(['tickets', 'errors'])
  const user = useSessionUser()
  const [part, setPart] = useState<Part>('active')
  const company = useSharingCompany()
  const [circle, setCircle] = useState<Circle>('company')
  // Staff see every ticket; here they too see what they asked for themselves. Customers are shown their own ones by the
  // server, and those of colleagues where their company shares them.
  const isOnlyOwn = isStaff(user.role) || (company !== null && circle === 'mine')
  const whose = isOnlyOwn ? { requesterId: { equalTo: user.id } } : {}
  const { status } = { status: undefined, ...STATES[part] }
  const variables = {
    filter: {
      ...whose,
      ...(status ? { status: { in: [...status.in] } } : {}),
    },
  }
  const list = usePages({ document: MyTicketsQuery, variables, connectionOf })
  const rereadSoon = useReread(list.reread)
  useInboxChanges(rereadSoon)
  const arrivals = useArrivals(list.nodes, `${part} ${isOnlyOwn}`, !list.isLoading && !list.isStale)

  const title = t(company === null ? 'myTickets.title' : 'myTickets.titleShared')

  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <PageHeading title={title} className="text-3xl">
          {title}
        </PageHeading>
        <div className="flex flex-wrap gap-2">
          {company !== null && (
            <Segmented
              label={t('myTickets.whose')}
              value={circle}
              onChange={setCircle}
              segments={CIRCLES.map((value) => ({
                value,
                label: t(`myTickets.circle.${value}`, { company }),
              }))}
            />
          )}
          <Segmented
            label={t('myTickets.filter')}
            value={part}
            onChange={setPart}
            segments={PARTS.map((value) => ({ value, label: t(`myTickets.${value}`) }))}
          />
        </div>
      </div>
      <div aria-busy={list.isLoading || list.isStale}>
        {list.error && list.nodes.length === 0 ? (
          <Card>
            <ErrorState title={t('listError')} onRetry={list.reread}>
              {t(`errors:${problemOf(list.error).code}`)}
            </ErrorState>
          </Card>
        ) : list.isLoading ? (
          <LoadingRows label={t('loadingList')} />
        ) : list.nodes.length === 0 ? (
          <Card>
            <NoTickets part={part} whose={whose} />
          </Card>
        ) : (
          <Card className={classNames('overflow-hidden transition-opacity', list.isStale && 'opacity-60')}>
            <ul>
              {list.nodes.map((row) => (
                <MyTicketRow
                  key={`${row.id} ${arrivals.get(row.id) ?? 0}`}
                  row={row}
                  hasArrived={arrivals.has(row.id)}
                />
              ))}
            </ul>
          </Card>
        )}
      </div>
      {list.hasMore && list.nodes.length > 0 && (
        <Button className="self-center" onPress={list.more} isPending={list.isLoadingMore}>
          {t('loadMore')}
        </Button>
      )}
    </div>
  )
}

function MyTicketRow({
  row,
  hasArrived,
}: {
  row: FragmentOf<typeof MyTicketRowFragment>
  hasArrived: boolean
}) {
  const { id: ownId } = useSessionUser()
  const ticket = readFragment(MyTicketRowFragment, row)
  return (
    <li
      className={classNames(
        'relative flex items-center gap-4 border-b border-border px-4 py-4 transition-colors last:border-b-0 hover:bg-hover sm:px-5',
        hasArrived && 'animate-arrive',
      )}
    >
      <div className="flex min-w-0 flex-1 flex-col gap-1.5 sm:flex-row sm:items-center sm:gap-5">
        <div className="min-w-0 flex-1">
          <Link
            to={`/portal/tickets/${ticket.number}`}
            className="line-clamp-2 font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus sm:line-clamp-1"
          >
            {ticket.subject}
          </Link>
          <p className="flex flex-wrap gap-x-2 text-sm text-muted">
            <span className="figures">{ticket.reference}</span>
            {ticket.requesterId !== ownId && ticket.requester && (
              <span className="font-medium text-text">{ticket.requester.name}</span>
            )}
            {ticket.service && <span>{ticket.service.name}</span>}
          </p>
        </div>
        <div className="flex items-center gap-4">
          <span className="max-w-40 min-w-0 sm:w-32">
            <StatusPill status={ticket.status} name={ticket.state?.name} />
          </span>
          <RelativeTime at={ticket.updatedAt} className="text-sm text-muted sm:w-30 sm:text-end" />
        </div>
      </div>
      <ChevronRight className="size-4 shrink-0 text-faint rtl:-scale-x-100" aria-hidden="true" />
    </li>
  )
}

interface NoTicketsProps {
  part: Part
  whose: NonNullable<VariablesOf<typeof FinishedQuery>['filter']>
}

function NoTickets({ part, whose }: NoTicketsProps) {
  const { t } = useTranslation('tickets')
  const [{ data, fetching }] = useQuery({
    query: FinishedQuery,
    variables: { filter: { ...whose, status: { in: [...STATES.done.status.in] } } },
    requestPolicy: 'cache-and-network',
    pause: part !== 'active',
  })
  const hasFinished = (data?.tickets.nodes.length ?? 0) > 0
  const action = (
    <ButtonLink to="/portal/new" variant="primary">
      {t('myTickets.first')}
    </ButtonLink>
  )
  switch (part) {
    case 'active':
      if (data === undefined && fetching) return <LoadingRows label={t('loadingList')} />
      // Who never asked for anything is not sent to look for it.
      if (!hasFinished) return <NoTickets part="all" whose={whose} />
      return (
        <EmptyState title={t('myTickets.emptyActiveTitle')} action={action}>
          {t('myTickets.emptyActiveBody')}
        </EmptyState>
      )
    case 'done':
      return <EmptyState title={t('myTickets.emptyDoneTitle')}>{t('myTickets.emptyDoneBody')}</EmptyState>
    case 'all':
      return (
        <EmptyState title={t('myTickets.emptyTitle')} action={action}>
          {t('myTickets.emptyBody')}
        </EmptyState>
      )
  }
}

function LoadingRows({ label }: { label: string }) {
  return (
    <Card>
      <div role="status" aria-label={label}>
        {Array.from({ length: 5 }, (_, index) => (
          <div
            key={index}
            className="flex items-center gap-5 border-b border-border px-5 py-4 last:border-b-0"
          >
            <div className="flex flex-1 flex-col gap-2">
              <Skeleton className="h-5 w-2/3" />
              <Skeleton className="h-3.5 w-32" />
            </div>
            <Skeleton className="h-6 w-20 rounded-full" />
          </div>
        ))}
      </div>
    </Card>
  )
}
