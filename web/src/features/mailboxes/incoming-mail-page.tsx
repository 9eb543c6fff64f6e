import { RefreshCw } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { Select } from '../../components/select.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { usePages } from '../../graphql/pages.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'

const IncomingMailsQuery = graphql(`
  query IncomingMails($states: [IncomingMailState!], $after: Cursor) {
    incomingMails(first: 30, after: $after, filter: { state: { in: $states } }, orderBy: [CREATED_AT_DESC]) {
      nodes {
        id
        rowId
        state
        reason
        detail
        fromName
        fromAddress
        subject
        receivedAt
        createdAt
        size
        sha256
        mailbox {
          id
          rowId
          name
        }
        ticket {
          id
          number
          reference
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`)

const RetryIncomingMail = graphql(`
  mutation RetryIncomingMail($incomingMailId: UUID!) {
    retryIncomingMail(input: { incomingMailId: $incomingMailId }) {
      incomingMail {
        id
        state
        reason
        detail
      }
    }
  }
`)

const STATES = ['stored', 'processed', 'ignored', 'refused', 'failed'] as const
type State = (typeof STATES)[number]
const TONES = {
  stored: 'info',
  processed: 'success',
  ignored: 'neutral',
  refused: 'danger',
  failed: 'danger',
} as const
const REASONS = [
  'auto_reply',
  'bounce',
  'complaint',
  'loop',
  'bulk',
  'mailing_list',
  'flood',
  'stranger',
  'duplicate',
  'person_disabled',
  'no_sender',
  'oversize',
  'unreadable',
  'not_participant',
  'unproven_staff',
  'unproven',
  'ticket_over',
] as const

const connectionOf = (data: ResultOf<typeof IncomingMailsQuery>) => data.incomingMails
type Mail = NonNullable<ReturnType<typeof connectionOf>['nodes'][number]>

/** Every mail that came in, what became of it and why. */
export function IncomingMailPage() {
  const { t } = useTranslation(['mailboxes', 'errors'])
  const [state, setState] = useState<State | 'all'>('all')
  const list = usePages({
    document: IncomingMailsQuery,
    variables: { states: state === 'all' ? [...STATES] : [state] },
    connectionOf,
  })
  return (
    <>
      <PageHeader
        title={t('log.title')}
        intro={t('log.intro')}
        actions={
          <Button onPress={list.reread}>
            <RefreshCw className="size-4" aria-hidden="true" />
            {t('log.reread')}
          </Button>
        }
      />
      <div className="max-w-64">
        <Select
          label={t('log.show')}
          choices={(['all', ...STATES] as const).map((value) => ({ value, label: t(`log.states.${value}`) }))}
          value={state}
          onChange={setState}
        />
      </div>
      <Card className="overflow-hidden">
        {list.error && list.nodes.length === 0 ? (
          <ErrorState title={t('log.error')} onRetry={list.reread}>
            {t(`errors:${problemOf(list.error).code}`)}
          </ErrorState>
        ) : list.isLoading ? (
          <SkeletonRows label={t('log.loading')} rows={5} />
        ) : list.nodes.length === 0 ? (
          <EmptyState title={t(state === 'all' ? 'log.empty' : 'log.emptyState')}>
            {t('log.emptyBody')}
          </EmptyState>
        ) : (
          <>
            <ul aria-label={t('log.title')} className="divide-y divide-border">
              {list.nodes.map((mail) => (
                <MailRow key={mail.id} mail={mail} onRetried={list.reread} />
              ))}
            </ul>
            {list.hasMore && (
              <div className="border-t border-border px-5 py-3">
                <Button size="small" onPress={list.more} isPending={list.isLoadingMore}>
                  {t('log.more')}
                </Button>
              </div>
            )}
          </>
        )}
      </Card>
    </>
  )
}

function MailRow({ mail, onRetried }: { mail: Mail; onRetried: () => void }) {
  const { t, i18n } = useTranslation('mailboxes')
  const [, retry] = useMutation(RetryIncomingMail)
  const reason = REASONS.find((word) => word === mail.reason)
  const isRetried = (mail.state === 'failed' || mail.state === 'ignored') && mail.sha256 !== null
  const size = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(
    Number(mail.size) / 1024 / 1024,
  )
  const run = async () => {
    dataOf(await retry({ incomingMailId: mail.rowId }))
    notify({ tone: 'success', title: t('log.retried') })
    onRetried()
  }
  return (
    <li className="flex flex-col gap-1.5 px-5 py-3.5 text-sm">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Pill tone={TONES[mail.state]}>{t(`log.states.${mail.state}`)}</Pill>
        <span dir="auto" className="min-w-0 flex-1 basis-56 truncate font-medium">
          {mail.subject || t('log.noSubject')}
        </span>
        <RelativeTime at={mail.createdAt} className="text-muted" />
      </div>
      <p className="[overflow-wrap:anywhere] text-muted">
        {mail.fromName && <span dir="auto">{mail.fromName} </span>}
        {mail.fromAddress ? `<${mail.fromAddress}>` : t('log.noSender')}
        {' → '}
        {mail.mailbox && (
          <TextLink to={`/desk/admin/mailboxes/${mail.mailbox.rowId}`}>{mail.mailbox.name}</TextLink>
        )}
      </p>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p className="min-w-0 flex-1 basis-56 [overflow-wrap:anywhere]">
          {reason && t(`reason.${reason}`, { size })}{' '}
          {mail.detail && <span className="text-muted">{mail.detail}</span>}{' '}
          {mail.ticket && (
            <TextLink to={`/desk/tickets/${mail.ticket.number}`}>{mail.ticket.reference}</TextLink>
          )}
        </p>
        {isRetried &&
          (mail.state === 'failed' ? (
            <Button size="small" onPress={() => void run()}>
              {t('log.again')}
            </Button>
          ) : (
            <ConfirmedButton
              size="small"
              tone="primary"
              title={t('log.takeTitle')}
              explanation={t('log.takeBody')}
              action={t('log.take')}
              run={run}
            >
              {t('log.take')}
            </ConfirmedButton>
          ))}
      </div>
    </li>
  )
}
