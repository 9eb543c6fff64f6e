import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { Switch } from '../../components/switch.tsx'
import { problemOf } from '../../graphql/errors.ts'
import type { Pages } from '../../graphql/pages.ts'
import { classNames } from '../../lib/class-names.ts'

export interface PreparedListProps {
  list: Pages<unknown> & { more: () => void; reread: () => void }
  label: string
  emptyTitle: string
  emptyBody: string
  showsArchived: boolean
  onShowArchived: (shows: boolean) => void
  make: ReactNode
  dialog: ReactNode
  children: ReactNode
}

/** A list of what was prepared, with what stands around each of them. */
export function PreparedList(props: PreparedListProps) {
  const { list, label, emptyTitle, emptyBody, showsArchived, onShowArchived, make, dialog, children } = props
  const { t } = useTranslation(['canned-responses', 'errors'])
  const isEmpty = list.nodes.length === 0
  const isBare = isEmpty && !list.isLoading && !list.error && !showsArchived
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Switch isSelected={showsArchived} onChange={onShowArchived}>
          {t('showArchived')}
        </Switch>
        {!isBare && make}
      </div>
      <Card className={classNames('overflow-hidden transition-opacity', list.isStale && 'opacity-60')}>
        <div role="region" aria-label={label} aria-busy={list.isStale || list.isLoading}>
          {list.error && isEmpty ? (
            <ErrorState title={t('listError')} onRetry={list.reread}>
              {t(`errors:${problemOf(list.error).code}`)}
            </ErrorState>
          ) : list.isLoading ? (
            <div role="status" aria-label={t('loading')} className="flex flex-col gap-3 p-5">
              <Skeleton className="h-5 w-44" />
              <Skeleton className="h-5 w-72" />
              <Skeleton className="h-5 w-56" />
            </div>
          ) : isEmpty ? (
            <EmptyState title={showsArchived ? t('noneArchived') : emptyTitle} action={isBare && make}>
              {showsArchived ? t('noneArchivedBody') : emptyBody}
            </EmptyState>
          ) : (
            children
          )}
        </div>
      </Card>
      {list.hasMore && !isEmpty && (
        <Button className="self-center" onPress={list.more} isPending={list.isLoadingMore}>
          {t('loadMore')}
        </Button>
      )}
      {dialog}
    </div>
  )
}
