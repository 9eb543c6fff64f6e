import { ChevronRight, Plus, Webhook } from 'lucide-react'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { WebhookHealth, WebhookHealthFragment } from './webhook-health.tsx'

const WebhooksQuery = graphql(
  `
    query Webhooks {
      webhooks(first: 100, orderBy: [NAME_ASC]) {
        nodes {
          id
          rowId
          name
          url
          waiting
          failedToday
          lastDeliveredAt
          ...WebhookHealth
        }
      }
    }
  `,
  [WebhookHealthFragment],
)

/** Which addresses are told of what happens, and how they are getting on. */
export function WebhooksPage() {
  const { t } = useTranslation(['webhooks', 'errors'])
  const [{ data, error, fetching }, read] = useQuery({
    query: WebhooksQuery,
    requestPolicy: 'cache-and-network',
  })
  const reread = useReread(useCallback(() => read({ requestPolicy: 'network-only' }), [read]))
  const webhooks = (data?.webhooks.nodes ?? []).filter((node) => node !== null)
  const make = (
    <ButtonLink variant="primary" to="/desk/admin/webhooks/new">
      <Plus className="size-4" aria-hidden="true" />
      {t('make')}
    </ButtonLink>
  )
  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} actions={webhooks.length > 0 && make} />
      <Card className="overflow-hidden">
        {webhooks.length > 0 ? (
          <ul aria-label={t('title')} className="divide-y divide-border">
            {webhooks.map((webhook) => (
              <li
                key={webhook.id}
                className="relative flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-4 transition-colors focus-within:bg-selected hover:bg-hover"
              >
                <Webhook className="size-5 shrink-0 text-faint" aria-hidden="true" />
                <div className="min-w-0 flex-1 basis-52">
                  <Link
                    to={`/desk/admin/webhooks/${webhook.rowId}`}
                    className="block truncate text-sm font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
                  >
                    {webhook.name}
                  </Link>
                  <p dir="ltr" className="truncate text-start text-sm text-muted">
                    {webhook.url}
                  </p>
                </div>
                <p className="text-sm text-muted">
                  {webhook.failedToday > 0
                    ? t('failedToday', { count: webhook.failedToday })
                    : webhook.waiting > 0
                      ? t('waiting', { count: webhook.waiting })
                      : webhook.lastDeliveredAt && (
                          <>
                            {t('lastDelivered')} <RelativeTime at={webhook.lastDeliveredAt} />
                          </>
                        )}
                </p>
                <WebhookHealth webhook={webhook} />
                <ChevronRight className="size-4 shrink-0 text-faint rtl:-scale-x-100" aria-hidden="true" />
              </li>
            ))}
          </ul>
        ) : error ? (
          <ErrorState title={t('listError')} onRetry={reread}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : fetching ? (
          <SkeletonRows label={t('loading')} rows={3} />
        ) : (
          <EmptyState title={t('empty.title')} action={make}>
            {t('empty.body')}
          </EmptyState>
        )}
      </Card>
    </>
  )
}
