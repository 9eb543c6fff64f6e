import { RefreshCw } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { problemOf, told } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { Changes } from './changes.tsx'
import { OutcomePill } from './outcome-pill.tsx'

const FiringsQuery = graphql(`
  query AutomationFirings($automationId: UUID!, $after: Cursor) {
    automationFirings(
      first: 20
      after: $after
      filter: { automationId: { equalTo: $automationId } }
      orderBy: [FIRED_AT_DESC]
    ) {
      nodes {
        id
        firedAt
        outcome
        stoppedBecause
        errorCode
        changes
        event {
          id
          type
        }
        ticket {
          id
          number
          reference
          subject
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`)

const connectionOf = (data: ResultOf<typeof FiringsQuery>) => data.automationFirings

/** Each time the conditions of an automation held: why, on which ticket, and what became of it. */
export function FiringLog({ automationId }: { automationId: string }) {
  const { t } = useTranslation(['automations', 'errors'])
  const list = usePages({ document: FiringsQuery, variables: { automationId }, connectionOf })
  return (
    <SettingsSection title={t('log.title')} intro={t('log.intro')}>
      {list.error && list.nodes.length === 0 ? (
        <ErrorState title={t('log.error')} onRetry={list.reread}>
          {t(`errors:${problemOf(list.error).code}`)}
        </ErrorState>
      ) : list.isLoading ? (
        <SkeletonRows label={t('loading')} rows={3} />
      ) : list.nodes.length === 0 ? (
        <EmptyState title={t('log.empty')} action={<Button onPress={list.reread}>{t('log.reread')}</Button>}>
          {t('log.emptyBody')}
        </EmptyState>
      ) : (
        <>
          <ul aria-label={t('log.title')} className="divide-y divide-border">
            {list.nodes.map((firing) => (
              <li key={firing.id} className="flex flex-col gap-1 px-5 py-3 text-sm">
                <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <OutcomePill outcome={firing.outcome} />
                  {firing.ticket && (
                    <span className="min-w-0 flex-1 basis-48 truncate">
                      <TextLink to={`/desk/tickets/${firing.ticket.number}`}>
                        {firing.ticket.reference}
                      </TextLink>{' '}
                      {firing.ticket.subject}
                    </span>
                  )}
                  <RelativeTime at={firing.firedAt} className="text-muted" />
                </div>
                <p className="text-muted">
                  {firing.event
                    ? t('log.because', {
                        event: t(`event.${firing.event.type}` as 'event.ticket_created', {
                          defaultValue: firing.event.type,
                        }),
                      })
                    : t('log.becauseTime')}
                  {firing.stoppedBecause && <> {t(`stop.${firing.stoppedBecause}`)}</>}
                  {firing.errorCode && <> {t(`errors:${told(firing.errorCode)}`)}</>}
                  {firing.outcome === 'acted' && (
                    <>
                      {' → '}
                      <Changes changes={firing.changes} />
                    </>
                  )}
                </p>
              </li>
            ))}
          </ul>
          <div className="flex flex-wrap gap-2 border-t border-border px-5 py-3">
            <Button size="small" onPress={list.reread}>
              <RefreshCw className="size-4" aria-hidden="true" />
              {t('log.reread')}
            </Button>
            {list.hasMore && (
              <Button size="small" onPress={list.more} isPending={list.isLoadingMore}>
                {t('log.more')}
              </Button>
            )}
          </div>
        </>
      )}
    </SettingsSection>
  )
}
