import { CircleAlert, CircleCheck, CirclePause, KeyRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Pill } from '../../components/pill.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'

export const WebhookHealthFragment = graphql(`
  fragment WebhookHealth on Webhook {
    id
    isEnabled
    hasSecret
    failingSince
    disabledAt
    disabledReason
  }
`)

const LOOKS = {
  healthy: { tone: 'success', sign: CircleCheck },
  failing: { tone: 'danger', sign: CircleAlert },
  noSecret: { tone: 'warning', sign: KeyRound },
  stopped: { tone: 'danger', sign: CirclePause },
  off: { tone: 'neutral', sign: CirclePause },
} as const

/** How a webhook is getting on, in a word or two. */
export function WebhookHealth({ webhook }: { webhook: FragmentOf<typeof WebhookHealthFragment> }) {
  const { t } = useTranslation('webhooks')
  const { isEnabled, hasSecret, failingSince, disabledAt } = readFragment(WebhookHealthFragment, webhook)
  const health = disabledAt
    ? 'stopped'
    : !isEnabled
      ? 'off'
      : !hasSecret
        ? 'noSecret'
        : failingSince
          ? 'failing'
          : 'healthy'
  const { tone, sign } = LOOKS[health]
  return (
    <Pill tone={tone} sign={sign}>
      {t(`health.${health}`)}
    </Pill>
  )
}
