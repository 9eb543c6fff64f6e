import { Plus } from 'lucide-react'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useMatch, useNavigate } from 'react-router'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { useInboxChanges } from '../../graphql/inbox-changes.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { countOf } from '../../lib/capped-count.ts'
import { classNames } from '../../lib/class-names.ts'
import { ViewDialog } from './view-dialog.tsx'

export const ViewNavigationQuery = graphql(`
  query ViewNavigation {
    ticketViews(first: 100, orderBy: [POSITION_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
    ticketViewCounts(first: 100) {
      nodes {
        viewId
        count
        isCapped
      }
    }
  }
`)

/** The saved views with how many tickets are in each, kept up to date. */
export function ViewNavigation({ onNavigate }: { onNavigate?: () => void }) {
  const { t, i18n } = useTranslation('ticket-views')
  const navigate = useNavigate()
  const [isMaking, setIsMaking] = useState(false)
  const current = useMatch('/desk/views/:viewId')?.params.viewId
  const [{ data }, reread] = useQuery({ query: ViewNavigationQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  useInboxChanges(rereadSoon)
  const counts = new Map(data?.ticketViewCounts?.nodes.map((counted) => [counted?.viewId, counted]))

  return (
    <section aria-label={t('title')} className="mt-4">
      <div className="flex items-center justify-between ps-2.5">
        <h2 className="text-xs font-medium text-muted">{t('title')}</h2>
        <Button
          variant="quiet"
          size="small"
          isIconOnly
          aria-label={t('make')}
          onPress={() => setIsMaking(true)}
        >
          <Plus className="size-4" aria-hidden="true" />
        </Button>
      </div>
      <ul className="flex flex-col gap-0.5">
        {data?.ticketViews?.nodes.map((view) => {
          const counted = counts.get(view?.rowId)
          return (
            view && (
              <li key={view.id}>
                <Link
                  to={`/desk/views/${view.rowId}`}
                  aria-current={view.rowId === current ? 'page' : undefined}
                  {...(onNavigate ? { onClick: onNavigate } : {})}
                  className={classNames(
                    'flex min-h-9 items-center justify-between gap-2 rounded-md px-2.5 text-sm transition-colors pointer-coarse:min-h-11',
                    view.rowId === current ? 'bg-selected font-semibold text-accent-text' : 'hover:bg-hover',
                  )}
                >
                  <span className="truncate">{view.name}</span>
                  {counted && counted.count !== null && (
                    <span className="figures text-xs font-medium text-muted">
                      {countOf(counted.isCapped ? counted.count + 1 : counted.count, i18n.language)}
                    </span>
                  )}
                </Link>
              </li>
            )
          )
        })}
      </ul>
      <ViewDialog
        view={null}
        isOpen={isMaking}
        onClose={() => setIsMaking(false)}
        onSaved={(rowId) => {
          rereadSoon()
          onNavigate?.()
          void navigate(`/desk/views/${rowId}`)
        }}
      />
    </section>
  )
}
