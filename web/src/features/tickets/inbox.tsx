import { Plus } from 'lucide-react'
import { useCallback, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { ButtonLink } from '../../components/button-link.tsx'
import { Button } from '../../components/button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeading } from '../../components/page-heading.tsx'
import { Select } from '../../components/select.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import type { ResultOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { useSessionUser } from '../../lib/session.ts'
import { useShortcuts } from '../../lib/shortcuts.ts'
import { BulkBar } from './bulk-bar.tsx'
import { BulkOutcomeDialog } from './bulk-outcome.tsx'
import { InboxNavigation } from './inbox-navigation.tsx'
import { rememberInboxPlace } from './inbox-place.ts'
import { InboxRowsQuery, InboxTable, ROW_LINK } from './inbox-table.tsx'
import {
  filterOf,
  FIRST_DIRECTION,
  INBOX_SORTS,
  orderOf,
  readInboxAddress,
  type InboxSort,
} from './inbox-views.ts'
import { useArrivals } from './use-arrivals.ts'
import { useBulkChange, type BulkChange } from './use-bulk-change.ts'
import { SELECTION_LIMIT, useSelection } from './use-selection.ts'
import { useWholeList } from './use-whole-list.ts'
import { useInboxChanges } from '../../graphql/inbox-changes.ts'

const connectionOf = (data: ResultOf<typeof InboxRowsQuery>) => data.tickets

/** The desk's first page: the tickets of one view, live, by mouse or by keyboard. */
export function Inbox() {
  const { t } = useTranslation(['tickets', 'errors'])
  const user = useSessionUser()
  const [parameters, setParameters] = useSearchParams()
  const { view, sort, direction } = readInboxAddress(parameters)
  const filter = filterOf(view, user.id)
  const variables = { ...(filter ? { filter } : {}), orderBy: orderOf(sort, direction) }
  const list = usePages({ document: InboxRowsQuery, variables, connectionOf })
  const rereadSoon = useReread(list.reread)
  useInboxChanges(rereadSoon)
  const arrivals = useArrivals(list.nodes, JSON.stringify(variables), !list.isLoading && !list.isStale)
  const table = useRef<HTMLTableElement>(null)
  const selection = useSelection(
    JSON.stringify(variables),
    list.nodes.map(({ rowId }) => rowId),
  )
  const bulk = useBulkChange(rereadSoon)
  const whole = useWholeList()
  rememberInboxPlace(parameters.toString())

  const step = useCallback((by: 1 | -1) => {
    const links = [...(table.current?.querySelectorAll<HTMLElement>(`[${ROW_LINK}]`) ?? [])]
    const at = links.findIndex((link) => link === document.activeElement)
    const next = links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)]
    next?.focus({ preventScroll: true })
    next?.scrollIntoView({ block: 'nearest' })
  }, [])
  useShortcuts([
    { key: 'j', label: t('shortcuts.next'), run: () => step(1) },
    { key: 'k', label: t('shortcuts.previous'), run: () => step(-1) },
    { key: 'Enter', label: t('shortcuts.open') },
    { key: 'x', label: t('shortcuts.select'), run: () => selectFocused(false) },
    { key: 'X', label: t('shortcuts.selectRange'), run: () => selectFocused(true) },
  ])

  function selectFocused(isRange: boolean) {
    const rowId = document.activeElement?.getAttribute(ROW_LINK)
    if (rowId) selection.toggle(rowId, isRange)
  }

  async function selectWholeList() {
    const ids = await whole.read(variables)
    if (ids) selection.choose(new Set(ids))
    else notify({ tone: 'danger', title: t('listError') })
  }

  async function act(change: BulkChange) {
    const { changed, refused, problem } = await bulk.run([...selection.selected], change)
    // What was refused stays chosen, for another try.
    selection.choose(new Set(refused.map(({ ticketId }) => ticketId)))
    if (refused.length > 0 || problem) return
    bulk.dismiss()
    notify({ tone: 'success', title: t('bulk.changed', { count: changed, amount: changed }) })
  }

  function sortBy(next: InboxSort, toggles: boolean) {
    const flipped = direction === 'ascending' ? 'descending' : 'ascending'
    setParameters(
      { view, sort: next, direction: toggles && next === sort ? flipped : FIRST_DIRECTION[next] },
      { state: { keepFocus: true }, preventScrollReset: true },
    )
  }

  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pt-5 pb-1 md:px-5 lg:pb-4">
        <PageHeading title={t(`views.${view}`)} className="text-xl">
          {t(`views.${view}`)}
        </PageHeading>
        <div className="flex items-center gap-3">
          <div className="flex items-center gap-3 md:hidden">
            <Select
              look="inline"
              label={t('sort.label')}
              value={sort}
              choices={INBOX_SORTS.map((value) => ({ value, label: t(`sort.${value}`) }))}
              onChange={(value) => sortBy(value, false)}
            />
          </div>
          <ButtonLink to="/desk/tickets/new" size="small">
            <Plus className="size-4" aria-hidden="true" />
            <span className="max-md:sr-only">{t('form.team.open')}</span>
          </ButtonLink>
        </div>
      </div>
      <div className="lg:hidden">
        <InboxNavigation look="row" />
      </div>
      <div
        aria-busy={list.isStale || list.isLoading}
        className={classNames('transition-opacity', list.isStale && 'opacity-60')}
      >
        {list.error && list.nodes.length === 0 ? (
          <ErrorState title={t('listError')} onRetry={list.reread}>
            {t(`errors:${problemOf(list.error).code}`)}
          </ErrorState>
        ) : list.isLoading ? (
          <LoadingRows label={t('loadingList')} />
        ) : list.nodes.length === 0 ? (
          <EmptyState title={t(`emptyInbox.${view}.title`)}>{t(`emptyInbox.${view}.body`)}</EmptyState>
        ) : (
          <InboxTable
            label={t(`views.${view}`)}
            rows={list.nodes}
            selection={selection}
            arrivals={arrivals}
            sort={sort}
            direction={direction}
            onSort={(next) => sortBy(next, true)}
            tableRef={table}
          />
        )}
      </div>
      {list.hasMore && list.nodes.length > 0 && (
        <div className="flex justify-center p-5">
          <Button onPress={list.more} isPending={list.isLoadingMore}>
            {t('loadMore')}
          </Button>
        </div>
      )}
      {selection.selected.size > 0 && (
        <BulkBar
          count={selection.selected.size}
          isRunning={bulk.outcome?.isRunning ?? false}
          onSelectAll={
            list.hasMore && selection.selected.size < SELECTION_LIMIT ? () => void selectWholeList() : null
          }
          isSelectingAll={whole.isReading}
          onClear={selection.clear}
          onAct={(actions) => void act({ actions })}
          onMacro={(macroId) => void act({ macroId })}
        />
      )}
      <BulkOutcomeDialog outcome={bulk.outcome} onStop={bulk.stop} onClose={bulk.dismiss} />
    </>
  )
}

function LoadingRows({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label} className="border-t border-border">
      {Array.from({ length: 9 }, (_, index) => (
        <div key={index} className="flex items-center gap-5 border-b border-border px-5 py-3.5">
          <Skeleton className="hidden h-4 w-20 md:block" />
          <div className="flex flex-1 flex-col gap-2">
            <Skeleton className="h-4 w-3/5 max-w-96" />
            <Skeleton className="h-3.5 w-28" />
          </div>
          <Skeleton className="h-6 w-20 rounded-full" />
          <Skeleton className="hidden h-4 w-24 md:block" />
        </div>
      ))}
    </div>
  )
}
