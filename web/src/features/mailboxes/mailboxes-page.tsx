import { ChevronRight, Inbox, Plus } from 'lucide-react'
import { useCallback, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { MailboxPill } from './mailbox-pill.tsx'

const MailboxesQuery = graphql(`
  query Mailboxes {
    mailboxes(first: 100, orderBy: [NAME_ASC], filter: { archivedAt: { isNull: true } }) {
      nodes {
        id
        rowId
        name
        address
        isDefault
        isEnabled
        fromEnvironment
        hasSecret
        mailboxState {
          id
          lastFetchedAt
          failingSince
          lastError
        }
      }
    }
  }
`)

const lookAgainMilliseconds = 15_000

/** The mailboxes of the organization, and how it goes with each. */
export function MailboxesPage() {
  const { t } = useTranslation(['mailboxes', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: MailboxesQuery, requestPolicy: 'cache-and-network' })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const mailboxes = data?.mailboxes.nodes.filter((node) => node !== null)

  // Whether it can be read changes by itself.
  useEffect(() => {
    const timer = setInterval(() => reread({ requestPolicy: 'network-only' }), lookAgainMilliseconds)
    return () => clearInterval(timer)
  }, [reread])

  const add = (
    <ButtonLink to="new" variant="primary">
      <Plus className="size-4" aria-hidden="true" />
      {t('add')}
    </ButtonLink>
  )
  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} actions={mailboxes && mailboxes.length > 0 && add} />
      <Card className="overflow-hidden">
        {mailboxes ? (
          mailboxes.length === 0 ? (
            <EmptyState title={t('empty.title')} action={add}>
              {t('empty.body')}
            </EmptyState>
          ) : (
            <ul aria-label={t('title')} className="divide-y divide-border">
              {mailboxes.map((mailbox) => (
                <li
                  key={mailbox.id}
                  className="relative flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-4 transition-colors focus-within:bg-selected hover:bg-hover"
                >
                  <Inbox className="size-5 shrink-0 text-faint" aria-hidden="true" />
                  <div className="min-w-0 flex-1 basis-48">
                    <Link
                      to={mailbox.rowId}
                      className="block truncate text-sm font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
                    >
                      {mailbox.name}
                    </Link>
                    <p className="truncate text-sm text-muted">{mailbox.address}</p>
                    {mailbox.mailboxState?.failingSince && (
                      <p className="text-sm [overflow-wrap:anywhere] text-danger-text">
                        {mailbox.mailboxState.lastError}
                      </p>
                    )}
                  </div>
                  <div className="flex flex-wrap items-center gap-2">
                    {mailbox.isDefault && <Pill tone="info">{t('isDefault')}</Pill>}
                    {mailbox.fromEnvironment && <Pill tone="neutral">{t('fromEnvironment')}</Pill>}
                    <MailboxPill mailbox={mailbox} />
                    {mailbox.mailboxState?.lastFetchedAt && (
                      <span className="text-sm text-muted">
                        {t('lastFetched')} <RelativeTime at={mailbox.mailboxState.lastFetchedAt} />
                      </span>
                    )}
                  </div>
                  <ChevronRight className="size-4 shrink-0 text-faint rtl:-scale-x-100" aria-hidden="true" />
                </li>
              ))}
            </ul>
          )
        ) : error ? (
          <ErrorState title={t('error')} onRetry={rereadSoon}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : (
          <SkeletonRows label={t('loadingList')} rows={3} />
        )}
      </Card>
    </>
  )
}
