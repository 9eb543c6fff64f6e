import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Select } from '../../components/select.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { useWaitForVerdict } from '../../graphql/attachments.ts'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { graphql, readFragment, type ResultOf } from '../../graphql/tada.ts'
import { useNow } from '../../lib/clock.ts'
import { useKeptFocus } from '../../lib/kept-focus.ts'
import {
  readQuarantineAddress,
  views,
  VIEWS,
  writeQuarantineAddress,
  type View,
} from './quarantine-address.ts'
import { QuarantinedFile, QuarantinedFileFragment } from './quarantined-file.tsx'

const QuarantineQuery = graphql(
  `
    query Quarantine($states: [FileState!]!, $after: Cursor) {
      storedFiles(first: 25, after: $after, filter: { state: { in: $states } }, orderBy: [CREATED_AT_DESC]) {
        nodes {
          id
          ...QuarantinedFile
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [QuarantinedFileFragment],
)

const connectionOf = (data: ResultOf<typeof QuarantineQuery>) => data.storedFiles

/** The files that nobody can open: what was found in them, and what becomes of them. */
export function QuarantinePage() {
  const { t } = useTranslation(['quarantine', 'errors'])
  const [parameters, setParameters] = useSearchParams()
  const view = readQuarantineAddress(parameters)
  const list = usePages({ document: QuarantineQuery, variables: { states: [...VIEWS[view]] }, connectionOf })
  const states = list.nodes.map((node) => {
    const { id, state } = readFragment(QuarantinedFileFragment, node)
    return { id, state }
  })
  const pending = states.filter(({ state }) => state === 'pending').map(({ id }) => id)
  useWaitForVerdict(pending.join(' '), list.reread)
  useRereadByTheClock(list.reread)
  const shownFiles = useRef<HTMLUListElement>(null)
  useKeptFocus(shownFiles, states.map(({ id, state }) => `${id} ${state}`).join(' '))

  const show = (chosen: View) =>
    setParameters(writeQuarantineAddress(chosen), {
      replace: true,
      state: { keepFocus: true },
      preventScrollReset: true,
    })

  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} />
      <div className="max-w-64">
        <Select
          label={t('show')}
          value={view}
          onChange={show}
          choices={views.map((each) => ({ value: each, label: t(`view.${each}`) }))}
        />
      </div>
      <Card className="overflow-hidden">
        {list.nodes.length > 0 ? (
          <>
            <ul ref={shownFiles} tabIndex={-1} aria-label={t('title')} className="divide-y divide-border">
              {list.nodes.map((file) => (
                <QuarantinedFile key={file.id} file={file} onDecided={list.reread} />
              ))}
            </ul>
            {list.hasMore && (
              <div className="border-t border-border px-5 py-3">
                <Button size="small" onPress={list.more} isPending={list.isLoadingMore}>
                  {t('more')}
                </Button>
              </div>
            )}
          </>
        ) : list.error ? (
          <ErrorState title={t('error')} onRetry={list.reread}>
            {t(`errors:${problemOf(list.error).code}`)}
          </ErrorState>
        ) : list.isLoading ? (
          <SkeletonRows label={t('loading')} rows={3} />
        ) : (
          <EmptyState title={t(`empty.${view}`)}>{t('emptyBody')}</EmptyState>
        )}
      </Card>
    </>
  )
}

/** Four times a minute while the page is seen: verdicts come by themselves. */
function useRereadByTheClock(reread: () => void): void {
  const now = useNow('minute')
  const read = useRef(now)
  useEffect(() => {
    if (read.current === now) return
    read.current = now
    reread()
  }, [now, reread])
}
