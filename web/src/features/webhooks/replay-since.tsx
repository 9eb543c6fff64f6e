import { History } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'

const ReplaySinceMutation = graphql(`
  mutation ReplayWebhookSince($webhookId: UUID!, $since: Datetime!, $includesDelivered: Boolean!) {
    replayWebhookSince(
      input: { webhookId: $webhookId, since: $since, includesDelivered: $includesDelivered }
    ) {
      replayed
    }
  }
`)

const HOURS = { hour: 1, day: 24, threeDays: 72, week: 168, month: 720 } as const
type Span = keyof typeof HOURS
const SPANS = Object.keys(HOURS) as Span[]

export interface ReplaySinceProps {
  webhookId: string
  onReplayed: () => void
}

/** Tells a webhook of what it missed, after it was away. */
export function ReplaySince({ webhookId, onReplayed }: ReplaySinceProps) {
  const { t } = useTranslation('webhooks')
  const [isOpen, setIsOpen] = useState(false)
  const [span, setSpan] = useState<Span>('day')
  const [includesDelivered, setIncludesDelivered] = useState(false)
  const [, replay] = useMutation(ReplaySinceMutation)
  const { send, isSending, problem, clear } = useSubmission()
  return (
    <>
      <Button
        onPress={() => {
          clear()
          setIsOpen(true)
        }}
      >
        <History className="size-4" aria-hidden="true" />
        {t('replay.open')}
      </Button>
      <Dialog title={t('replay.title')} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <p className="text-sm text-muted">{t('replay.body')}</p>
        <Select<Span>
          label={t('replay.since')}
          value={span}
          onChange={setSpan}
          choices={SPANS.map((value) => ({ value, label: t(`replay.span.${value}`) }))}
        />
        <Checkbox
          isSelected={includesDelivered}
          onChange={setIncludesDelivered}
          description={t('replay.deliveredHint')}
        >
          {t('replay.delivered')}
        </Checkbox>
        {problem && <ProblemAlert problem={problem} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onPress={() => setIsOpen(false)}>{t('cancel')}</Button>
          <Button
            variant="primary"
            isPending={isSending}
            onPress={() =>
              void send(async () => {
                const since = new Date(Date.now() - HOURS[span] * 3_600_000).toISOString()
                const { replayWebhookSince: answer } = dataOf(
                  await replay({ webhookId, since, includesDelivered }),
                )
                setIsOpen(false)
                notify({ tone: 'success', title: t('replay.done', { count: answer?.replayed ?? 0 }) })
                onReplayed()
              })
            }
          >
            {t('replay.act')}
          </Button>
        </div>
      </Dialog>
    </>
  )
}
