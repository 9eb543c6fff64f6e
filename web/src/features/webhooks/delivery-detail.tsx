import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Ban, RefreshCw } from 'lucide-react'
import { Button } from '../../components/button.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useSubmission } from '../../lib/submission.ts'
import { headerLines, MachineText, readable, useOutcomeWords } from './delivery-parts.tsx'

const DeliveryQuery = graphql(`
  query WebhookDelivery($deliveryId: UUID!) {
    webhookDeliveries(first: 1, filter: { rowId: { equalTo: $deliveryId } }) {
      nodes {
        id
        rowId
        state
        messageId
        payload
        nextAttemptAt
        giveUpAt
        attemptLog(first: 50, orderBy: [ATTEMPTED_AT_DESC]) {
          nodes {
            id
            attemptedAt
            endedAt
            remoteAddress
            requestHeaders
            status
            responseHeaders
            responseBody
            fault
            error
            durationMs
          }
        }
      }
    }
  }
`)

const ReplayDelivery = graphql(`
  mutation ReplayWebhookDelivery($deliveryId: UUID!) {
    replayWebhookDelivery(input: { deliveryId: $deliveryId }) {
      webhookDelivery {
        id
      }
    }
  }
`)

const CancelDelivery = graphql(`
  mutation CancelWebhookDelivery($deliveryId: UUID!) {
    cancelWebhookDelivery(input: { deliveryId: $deliveryId }) {
      webhookDelivery {
        id
        state
        endedAt
      }
    }
  }
`)

export interface DeliveryDetailProps {
  deliveryId: string
  /** It was replayed or cancelled. */
  onChanged: () => void
}

/** What was sent, and what was answered each time. */
export function DeliveryDetail({ deliveryId, onChanged }: DeliveryDetailProps) {
  const { t, i18n } = useTranslation(['webhooks', 'errors'])
  const outcomeWords = useOutcomeWords()
  const [{ data, error }, read] = useQuery({
    query: DeliveryQuery,
    variables: { deliveryId },
    requestPolicy: 'cache-and-network',
  })
  const [, replay] = useMutation(ReplayDelivery)
  const [, cancel] = useMutation(CancelDelivery)
  const { send, isSending, problem } = useSubmission()
  const delivery = data?.webhookDeliveries.nodes[0]
  if (!delivery) {
    return error ? (
      <ErrorState title={t('log.error')} onRetry={() => read({ requestPolicy: 'network-only' })}>
        {t(`errors:${problemOf(error).code}`)}
      </ErrorState>
    ) : (
      <Skeleton className="h-24" />
    )
  }
  const attempts = delivery.attemptLog.nodes.filter((node) => node !== null)
  const time = (at: string) =>
    new Intl.DateTimeFormat(readerLocale(i18n.language), { dateStyle: 'short', timeStyle: 'medium' }).format(
      new Date(at),
    )

  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-center gap-2">
        <Button
          size="small"
          isPending={isSending}
          onPress={() =>
            void send(async () => {
              dataOf(await replay({ deliveryId }))
              notify({ tone: 'success', title: t('log.replayed') })
              onChanged()
            })
          }
        >
          <RefreshCw className="size-4" aria-hidden="true" />
          {t('log.replay')}
        </Button>
        {delivery.state === 'waiting' && (
          <Button
            size="small"
            variant="quiet"
            isDisabled={isSending}
            onPress={() =>
              void send(async () => {
                dataOf(await cancel({ deliveryId }))
                notify({ tone: 'success', title: t('log.cancelled') })
                onChanged()
              })
            }
          >
            <Ban className="size-4" aria-hidden="true" />
            {t('log.cancel')}
          </Button>
        )}
        {delivery.state === 'waiting' && attempts.length > 0 && (
          <p className="text-sm text-muted">{t('log.next', { at: time(delivery.nextAttemptAt) })}</p>
        )}
      </div>
      {problem && <ProblemAlert problem={problem} />}
      <MachineText label={t('log.body', { id: delivery.messageId })}>
        {JSON.stringify(delivery.payload, null, 2)}
      </MachineText>
      {attempts.length === 0 ? (
        <p className="text-sm text-muted">{t('log.noAttempt')}</p>
      ) : (
        <ol aria-label={t('log.attempts')} className="flex flex-col gap-5">
          {attempts.map((attempt) => (
            <li key={attempt.id} className="flex flex-col gap-3 border-s-2 border-border ps-4">
              <p className="text-sm">
                <span className="font-medium">
                  {attempt.endedAt ? outcomeWords(attempt.status, attempt.fault) : t('outcome.lost')}
                </span>{' '}
                <span className="text-muted">
                  <RelativeTime at={attempt.attemptedAt} />
                  {attempt.durationMs !== null && <> · {t('log.took', { count: attempt.durationMs })}</>}
                  {attempt.remoteAddress && (
                    <>
                      {' '}
                      · <bdi>{attempt.remoteAddress.replace(/\/(32|128)$/, '')}</bdi>
                    </>
                  )}
                </span>
              </p>
              {attempt.error && attempt.fault !== 'response' && attempt.fault !== 'redirect' && (
                <p className="text-sm [overflow-wrap:anywhere] text-muted">{attempt.error}</p>
              )}
              <div className="grid gap-4 lg:grid-cols-2">
                {headerLines(attempt.requestHeaders) && (
                  <MachineText label={t('log.requestHeaders')}>
                    {headerLines(attempt.requestHeaders)}
                  </MachineText>
                )}
                {headerLines(attempt.responseHeaders) && (
                  <MachineText label={t('log.responseHeaders')}>
                    {headerLines(attempt.responseHeaders)}
                  </MachineText>
                )}
              </div>
              {attempt.responseBody && (
                <MachineText label={t('log.responseBody')}>{readable(attempt.responseBody)}</MachineText>
              )}
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}
