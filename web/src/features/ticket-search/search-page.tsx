import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useSearchParams } from 'react-router'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { MarkedText } from '../../components/marked-text.tsx'
import { PageHeading } from '../../components/page-heading.tsx'
import { PriorityMark } from '../../components/priority-mark.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SearchField } from '../../components/search-field.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { StatusPill } from '../../components/status-pill.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { useDebounced } from '../../lib/debounced.ts'
import { useShortcuts } from '../../lib/shortcuts.ts'

const TicketMatchFragment = graphql(`
  fragment TicketMatchRow on TicketMatch {
    ticketId
    subject
    excerpt
    ticket {
      id
      number
      reference
      status
      state {
        id
        name
      }
      priority
      updatedAt
      requester {
        id
        name
      }
    }
  }
`)

const SearchTicketsQuery = graphql(
  `
    query SearchTickets($query: String!, $after: String) {
      searchTickets(query: $query, first: 20, after: $after) {
        matches {
          ticketId
          ...TicketMatchRow
        }
        nextCursor
        isCapped
        isMended
      }
    }
  `,
  [TicketMatchFragment],
)

/** What may stand in the line besides words: an example of each kind, which a press adds. */
const HINTS = {
  desk: [
    'status:open',
    'assignee:me',
    'is:unassigned',
    'is:breached',
    'priority:urgent',
    'requester:',
    'team:',
    'tag:',
    'created:>',
  ],
  portal: ['status:open', 'is:unresolved', 'requester:me', 'created:>'],
} as const

export interface SearchPageProps {
  /** Where it stands; what is found is opened there. */
  place: 'desk' | 'portal'
}

/** Searches as one types. The line is kept in the address, so that Back from a ticket comes back to what was found. */
export function SearchPage({ place }: SearchPageProps) {
  const { t } = useTranslation(['ticket-search', 'errors'])
  const [parameters, setParameters] = useSearchParams()
  const [line, setLine] = useState(parameters.get('q') ?? '')
  const query = useDebounced(line.trim(), 250)
  const [pages, setPages] = useState<{ query: string; cursors: (string | null)[] }>({
    query,
    cursors: [null],
  })
  const cursors = pages.query === query ? pages.cursors : [null]
  const field = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)

  useEffect(() => {
    setParameters(query === '' ? {} : { q: query }, { replace: true, state: { keepFocus: true } })
  }, [query, setParameters])

  const focusField = useCallback(() => field.current?.querySelector('input')?.focus(), [])
  useEffect(focusField, [focusField])
  const step = useCallback((by: 1 | -1) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('a[data-match]') ?? [])]
    const at = links.findIndex((link) => link === document.activeElement)
    links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus()
  }, [])
  useShortcuts([
    { key: 'j', label: t('shortcuts.next'), run: () => step(1) },
    { key: 'k', label: t('shortcuts.previous'), run: () => step(-1) },
  ])

  function add(hint: string) {
    setLine((typed) => `${typed.trim()} ${hint}`.trim())
    focusField()
  }

  return (
    <div
      className={classNames('flex flex-col', place === 'desk' && 'w-full max-w-4xl px-4 pt-5 pb-16 md:px-5')}
    >
      <PageHeading title={t('title')} className={place === 'desk' ? 'text-xl' : 'text-3xl'}>
        {t('title')}
      </PageHeading>
      <div ref={field} className="mt-4">
        <SearchField
          label={t(place === 'desk' ? 'labelDesk' : 'labelPortal')}
          value={line}
          onChange={setLine}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') step(1)
          }}
        />
      </div>
      <ul aria-label={t('hints')} className="mt-2.5 flex flex-wrap gap-1.5">
        {HINTS[place].map((hint) => (
          <li key={hint}>
            <Button size="small" variant="quiet" onPress={() => add(hint)} className="font-mono text-xs">
              {hint}
            </Button>
          </li>
        ))}
      </ul>
      <div ref={list} className="mt-4">
        {query === '' ? (
          <EmptyState title={t('start.title')}>
            {t(place === 'desk' ? 'start.desk' : 'start.portal')}
          </EmptyState>
        ) : (
          cursors.map((after, index) => (
            <Results
              key={`${query} ${after ?? ''}`}
              place={place}
              query={query}
              after={after}
              isLast={index === cursors.length - 1}
              onMore={(next) => setPages({ query, cursors: [...cursors, next] })}
            />
          ))
        )}
      </div>
    </div>
  )
}

interface ResultsProps {
  place: 'desk' | 'portal'
  query: string
  after: string | null
  isLast: boolean
  onMore: (cursor: string) => void
}

function Results({ place, query, after, isLast, onMore }: ResultsProps) {
  const { t } = useTranslation(['ticket-search', 'errors'])
  const [{ data, error, fetching }, reread] = useQuery({
    query: SearchTicketsQuery,
    variables: { query, after },
    requestPolicy: 'cache-and-network',
  })
  const found = data?.searchTickets
  if (error && !found) {
    const problem = problemOf(error)
    if (problem.code === 'SEARCH_INVALID') return <InlineAlert tone="info">{t('invalid')}</InlineAlert>
    return (
      <ErrorState title={t('error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
        {t(`errors:${problem.code}`)}
      </ErrorState>
    )
  }
  if (!found) return <Searching label={t('searching')} />
  const matches = found.matches.filter((match) => match !== null)
  if (matches.length === 0 && after === null) {
    return <EmptyState title={t('nothing.title')}>{t('nothing.body')}</EmptyState>
  }
  return (
    <>
      {after === null && (
        <p role="status" className="pb-2 text-sm text-muted">
          {found.isMended
            ? t('mended')
            : found.isCapped
              ? t('capped')
              : fetching
                ? t('searching')
                : t('found')}
        </p>
      )}
      <ol aria-label={t('results')} className="divide-y divide-border border-t border-border">
        {matches.map((match) => (
          <Match key={match.ticketId} place={place} match={match} />
        ))}
      </ol>
      {isLast && found.nextCursor && (
        <div className="flex justify-center p-5">
          <Button onPress={() => onMore(found.nextCursor as string)}>{t('more')}</Button>
        </div>
      )}
    </>
  )
}

function Match({
  place,
  match: row,
}: {
  place: 'desk' | 'portal'
  match: FragmentOf<typeof TicketMatchFragment>
}) {
  const { subject, excerpt, ticket } = readFragment(TicketMatchFragment, row)
  // Found a moment ago, and out of sight since.
  if (!ticket) return null
  return (
    <li className="relative flex flex-col gap-1 px-1 py-3 focus-within:bg-selected hover:bg-hover">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <span className="figures text-sm text-muted">{ticket.reference}</span>
        <Link
          to={`/${place}/tickets/${ticket.number}`}
          data-match={ticket.id}
          className="min-w-0 flex-1 basis-60 font-medium wrap-anywhere outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
        >
          <MarkedText>{subject}</MarkedText>
        </Link>
        {place === 'desk' && <PriorityMark priority={ticket.priority} />}
        <StatusPill status={ticket.status} name={ticket.state?.name} />
      </div>
      {excerpt && (
        <p className="line-clamp-2 text-sm wrap-anywhere text-muted">
          <MarkedText>{excerpt}</MarkedText>
        </p>
      )}
      <p className="text-sm text-muted">
        {ticket.requester?.name} · <RelativeTime at={ticket.updatedAt} length="short" />
      </p>
    </li>
  )
}

function Searching({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label} className="border-t border-border">
      {Array.from({ length: 5 }, (_, index) => (
        <div key={index} className="flex flex-col gap-2 border-b border-border px-1 py-3.5">
          <Skeleton className="h-4 w-3/5 max-w-96" />
          <Skeleton className="h-3.5 w-4/5" />
        </div>
      ))}
    </div>
  )
}
