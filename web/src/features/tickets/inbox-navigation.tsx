import { useCallback, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'react-router'
import { useQuery } from 'urql'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { countOf } from '../../lib/capped-count.ts'
import { classNames } from '../../lib/class-names.ts'
import { INBOX_VIEWS, readInboxAddress, type InboxView } from './inbox-views.ts'
import { useInboxChanges } from '../../graphql/inbox-changes.ts'

const InboxCountsQuery = graphql(`
  query InboxCounts {
    inboxCounts {
      mine
      unassigned
      open
      pending
      breaching
      breached
      resolved
      snoozed
    }
  }
`)

export interface InboxNavigationProps {
  /** `row` lies across the head of the inbox where there is no sidebar. */
  look?: 'column' | 'row'
  onNavigate?: () => void
}

/** The quick filters of the inbox with how many tickets wait in each, kept up to date. */
export function InboxNavigation({ look = 'column', onNavigate }: InboxNavigationProps) {
  const { t, i18n } = useTranslation('tickets')
  const { pathname, search } = useLocation()
  const [{ data }, reread] = useQuery({ query: InboxCountsQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  useInboxChanges(rereadSoon)
  const current = pathname === '/desk' ? readInboxAddress(new URLSearchParams(search)).view : null
  const counts = data?.inboxCounts
  const row = useRef<HTMLUListElement>(null)
  const hasCounts = Boolean(counts)

  // By hand, because `scrollIntoView` would also move the page. The counts, when they come, make the row longer.
  useEffect(() => {
    const link = row.current?.querySelector('[aria-current]')
    if (look !== 'row' || !row.current || !link) return
    const frame = row.current.getBoundingClientRect()
    const place = link.getBoundingClientRect()
    row.current.scrollLeft += place.left + place.width / 2 - (frame.left + frame.width / 2)
  }, [look, current, hasCounts])

  return (
    <ul
      ref={row}
      className={
        look === 'column'
          ? 'flex flex-col gap-0.5'
          : 'row-fade flex [scrollbar-width:none] gap-1.5 overflow-x-auto px-4 py-2'
      }
    >
      {INBOX_VIEWS.map((view) => {
        const count = view === 'all' ? null : (counts?.[view] ?? null)
        return (
          <li key={view} className="shrink-0">
            <Link
              to={`/desk?view=${view}`}
              aria-current={view === current ? 'page' : undefined}
              {...(onNavigate ? { onClick: onNavigate } : {})}
              className={classNames(
                'flex items-center gap-2 rounded-md px-2.5 text-sm transition-colors pointer-coarse:min-h-11',
                look === 'column' ? 'min-h-9 justify-between' : 'min-h-8 border border-border',
                view === current ? 'bg-selected font-semibold text-accent-text' : 'text-text hover:bg-hover',
              )}
            >
              {t(`views.${view}`)}
              {count !== null && (
                <span
                  className={classNames(
                    'figures text-xs font-medium',
                    toneOf(view, count, view === current),
                    look === 'column' && view === 'breached' && '-me-1.5',
                  )}
                >
                  {countOf(count, i18n.language)}
                </span>
              )}
            </Link>
          </li>
        )
      })}
    </ul>
  )
}

function toneOf(view: InboxView, count: number, isCurrent: boolean): string {
  if (view === 'breached' && count > 0) return 'rounded-full bg-danger-soft px-1.5 py-0.5 text-danger-text'
  return isCurrent ? 'text-accent-text' : 'text-muted'
}
