import { Send } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Spinner } from '../../components/spinner.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { useOutcomeWords } from './delivery-parts.tsx'

const SendTest = graphql(`
  mutation SendTestWebhook($webhookId: UUID!) {
    sendTestWebhook(input: { webhookId: $webhookId }) {
      webhookDelivery {
        id
        rowId
      }
    }
  }
`)

const TestQuery = graphql(`
  query WebhookTest($deliveryId: UUID!) {
    webhookDeliveries(first: 1, filter: { rowId: { equalTo: $deliveryId } }) {
      nodes {
        id
        state
        lastStatus
        lastFault
        attemptLog(first: 1) {
          nodes {
            id
            error
            durationMs
          }
        }
      }
    }
  }
`)

/** How often it is looked whether the answer is there, and for how long. */
const LOOK_MS = 700
const PATIENCE_MS = 40_000

export interface TestSectionProps {
  webhookId: string
  /** Another address is typed than the one that is saved and called. */
  isOther: boolean
  onTested: () => void
}

/** Calls the address once, now, and says how that went. */
export function TestSection({ webhookId, isOther, onTested }: TestSectionProps) {
  const { t } = useTranslation('webhooks')
  const [deliveryId, setDeliveryId] = useState<string | null>(null)
  const [, sendTest] = useMutation(SendTest)
  const { send, isSending, problem } = useSubmission()
  // What the former address answered says nothing of another.
  if (isOther && deliveryId !== null) setDeliveryId(null)
  return (
    <SettingsSection title={t('test.title')} intro={t('test.intro')}>
      <div className="flex flex-col gap-4 p-5">
        <Button
          className="self-start"
          isPending={isSending}
          isDisabled={isOther}
          onPress={() =>
            void send(async () => {
              setDeliveryId(null)
              const { sendTestWebhook: answer } = dataOf(await sendTest({ webhookId }))
              setDeliveryId(answer?.webhookDelivery?.rowId ?? null)
            })
          }
        >
          <Send className="size-4" aria-hidden="true" />
          {t('test.act')}
        </Button>
        {/* There from the beginning, so that what comes to stand in it is read out. */}
        <p role="status" className="text-sm text-muted empty:hidden">
          {isOther && t('test.unsaved')}
        </p>
        {problem && <ProblemAlert problem={problem} />}
        {deliveryId && <TestOutcome key={deliveryId} deliveryId={deliveryId} onTested={onTested} />}
      </div>
    </SettingsSection>
  )
}

function TestOutcome({ deliveryId, onTested }: { deliveryId: string; onTested: () => void }) {
  const { t } = useTranslation('webhooks')
  const outcomeWords = useOutcomeWords()
  const [isLate, setIsLate] = useState(false)
  const [{ data }, read] = useQuery({
    query: TestQuery,
    variables: { deliveryId },
    requestPolicy: 'network-only',
  })
  const test = data?.webhookDeliveries.nodes[0]
  const isOver = test !== undefined && test !== null && test.state !== 'waiting'

  useEffect(() => {
    if (isOver) {
      onTested()
      return
    }
    const look = setInterval(() => read({ requestPolicy: 'network-only' }), LOOK_MS)
    const giveUp = setTimeout(() => {
      clearInterval(look)
      setIsLate(true)
    }, PATIENCE_MS)
    return () => {
      clearInterval(look)
      clearTimeout(giveUp)
    }
  }, [isOver, read, onTested])

  if (!isOver) {
    return isLate ? (
      <InlineAlert tone="info">{t('test.late')}</InlineAlert>
    ) : (
      <p role="status" className="flex items-center gap-2 text-sm text-muted">
        <Spinner className="size-4" />
        {t('test.underWay')}
      </p>
    )
  }
  const attempt = test.attemptLog.nodes[0]
  const words = outcomeWords(test.lastStatus, test.lastFault)
  const took = attempt?.durationMs ?? null
  return (
    <InlineAlert tone={test.state === 'delivered' ? 'success' : 'danger'}>
      {test.state === 'delivered' && took !== null ? t('test.taken', { words, count: took }) : words}
      {test.state === 'failed' && attempt?.error && (
        <span className="block [overflow-wrap:anywhere]">{attempt.error}</span>
      )}
    </InlineAlert>
  )
}
