import { Ban, Send } from 'lucide-react'
import { useCallback, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Card } from '../../components/card.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSendsMail } from '../../lib/mail.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { MailStatePill } from './mail-state-pill.tsx'
import { RenderedMail, RenderedMailFragment } from './rendered-mail.tsx'

const OutboxMailFragment = graphql(
  `
    fragment OutboxMail on MailMessage {
      id
      rowId
      kind
      state
      toName
      toAddress
      subject
      sendAt
      createdAt
      attempts
      user {
        id
        rowId
        name
      }
      ticket {
        id
        number
        reference
        subject
      }
      attachmentIds
      preview {
        ...RenderedMail
      }
      mailAttemptsByMailId(first: 100, orderBy: [PRIMARY_KEY_DESC]) {
        nodes {
          id
          outcome
          code
          response
          createdAt
        }
      }
    }
  `,
  [RenderedMailFragment],
)

const OutboxMailQuery = graphql(
  `
    query OutboxMail($mailId: UUID!) {
      mailMessages(first: 1, filter: { rowId: { equalTo: $mailId } }) {
        nodes {
          id
          subject
          ...OutboxMail
        }
      }
    }
  `,
  [OutboxMailFragment],
)

const RetryMail = graphql(`
  mutation RetryMail($mailId: UUID!) {
    retryMail(input: { mailId: $mailId }) {
      result {
        id
        state
        sendAt
      }
    }
  }
`)

const CancelMail = graphql(`
  mutation CancelMail($mailId: UUID!) {
    cancelMail(input: { mailId: $mailId }) {
      result {
        id
        state
      }
    }
  }
`)

/** One mail: what it says, where it is, and what happened on its way. */
export function OutboxMailPage({ mailId }: { mailId: string }) {
  const { t } = useTranslation(['mail', 'errors'])
  const [{ data, error }, read] = useQuery({
    query: OutboxMailQuery,
    variables: { mailId },
    requestPolicy: 'cache-and-network',
  })
  const reread = useReread(useCallback(() => read({ requestPolicy: 'network-only' }), [read]))
  const mail = data?.mailMessages.nodes[0]
  const back = { to: '/desk/admin/outbox', label: t('outbox.title') }
  if (mail) return <Mail mail={mail} reread={reread} back={back} />
  return (
    <>
      <PageHeader title={t('outbox.mail')} back={back} />
      {error ? (
        <ErrorState title={t('outbox.error')} onRetry={reread}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      ) : data ? (
        <Card>
          <EmptyState title={t('outbox.gone.title')}>{t('outbox.gone.body')}</EmptyState>
        </Card>
      ) : (
        <div role="status" aria-label={t('loading')}>
          <Skeleton className="h-96 rounded-xl" />
        </div>
      )}
    </>
  )
}

interface MailProps {
  mail: FragmentOf<typeof OutboxMailFragment>
  reread: () => void
  back: { to: string; label: string }
}

function Mail({ mail: held, reread, back }: MailProps) {
  const { t } = useTranslation('mail')
  const mail = readFragment(OutboxMailFragment, held)
  const sendsMail = useSendsMail()
  const [, retry] = useMutation(RetryMail)
  const [, cancel] = useMutation(CancelMail)
  const mayRetry = mail.state !== 'sent' && sendsMail
  const mayCancel = mail.state === 'waiting' || mail.state === 'kept'
  return (
    <>
      <PageHeader
        title={mail.subject}
        back={back}
        actions={
          (mayRetry || mayCancel) && (
            <>
              {mayRetry && (
                <ConfirmedButton
                  variant="primary"
                  tone="primary"
                  title={t('outbox.retry.title')}
                  explanation={t(mail.state === 'waiting' ? 'outbox.retry.now' : 'outbox.retry.body')}
                  action={t('outbox.retry.action')}
                  run={async () => {
                    dataOf(await retry({ mailId: mail.rowId }))
                    notify({ tone: 'success', title: t('outbox.retry.done') })
                    reread()
                  }}
                >
                  <Send className="size-4" aria-hidden="true" />
                  {t('outbox.retry.open')}
                </ConfirmedButton>
              )}
              {mayCancel && (
                <ConfirmedButton
                  title={t('outbox.cancel.title')}
                  explanation={t('outbox.cancel.body')}
                  action={t('outbox.cancel.action')}
                  run={async () => {
                    dataOf(await cancel({ mailId: mail.rowId }))
                    notify({ tone: 'success', title: t('outbox.cancel.done') })
                    reread()
                  }}
                >
                  <Ban className="size-4" aria-hidden="true" />
                  {t('outbox.cancel.open')}
                </ConfirmedButton>
              )}
            </>
          )
        }
      />
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_20rem]">
        <Card className="min-w-0 overflow-hidden">
          <RenderedMail mail={mail.preview} />
        </Card>
        <div className="flex min-w-0 flex-col gap-6">
          <Card className="p-5">
            <dl className="flex flex-col gap-3 text-sm">
              <Fact name={t('outbox.facts.state')}>
                <MailStatePill state={mail.state} />
                {mail.state === 'waiting' && mail.attempts > 0 && (
                  <span className="mt-1 block text-muted">
                    {t('outbox.facts.next')} <ExactTime at={mail.sendAt} />
                  </span>
                )}
              </Fact>
              <Fact name={t('outbox.facts.to')}>
                {mail.user && (
                  <TextLink to={`/desk/admin/people/${mail.user.rowId}`}>{mail.user.name}</TextLink>
                )}
                <span className="block text-muted [overflow-wrap:anywhere]">{mail.toAddress}</span>
              </Fact>
              <Fact name={t('outbox.facts.kind')}>{t(`kind.${mail.kind}.name`)}</Fact>
              {mail.ticket && (
                <Fact name={t('outbox.facts.ticket')}>
                  <TextLink to={`/desk/tickets/${mail.ticket.number}`}>{mail.ticket.reference}</TextLink>{' '}
                  {mail.ticket.subject}
                </Fact>
              )}
              {mail.attachmentIds.length > 0 && (
                <Fact name={t('outbox.facts.files')}>{String(mail.attachmentIds.length)}</Fact>
              )}
              <Fact name={t('outbox.facts.written')}>
                <RelativeTime at={mail.createdAt} />
              </Fact>
            </dl>
          </Card>
          <Card className="overflow-hidden">
            <h2 className="border-b border-border px-5 py-3 font-semibold">{t('outbox.history.title')}</h2>
            {mail.mailAttemptsByMailId.nodes.length === 0 ? (
              <p className="px-5 py-4 text-sm text-muted">{t('outbox.history.empty')}</p>
            ) : (
              <ol aria-label={t('outbox.history.title')} className="divide-y divide-border">
                {mail.mailAttemptsByMailId.nodes.map(
                  (attempt) =>
                    attempt && (
                      <li key={attempt.id} className="flex flex-col gap-0.5 px-5 py-3 text-sm">
                        <span className="flex flex-wrap items-baseline justify-between gap-x-3">
                          <span className="font-medium">{t(`outcome.${attempt.outcome}`)}</span>
                          <span className="text-muted">
                            <ExactTime at={attempt.createdAt} />
                          </span>
                        </span>
                        {attempt.response && (
                          <span className="font-mono text-xs text-muted [overflow-wrap:anywhere]">
                            {attempt.response}
                          </span>
                        )}
                      </li>
                    ),
                )}
              </ol>
            )}
          </Card>
        </div>
      </div>
    </>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[6.5rem_minmax(0,1fr)] gap-2">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  )
}

function ExactTime({ at }: { at: string }) {
  const { i18n } = useTranslation()
  return (
    <time dateTime={at} className="figures">
      {new Intl.DateTimeFormat(readerLocale(i18n.language), {
        dateStyle: 'short',
        timeStyle: 'medium',
      }).format(new Date(at))}
    </time>
  )
}
