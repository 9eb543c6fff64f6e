import { Ban, CircleAlert, CircleCheck, Hourglass } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Pill } from '../../components/pill.tsx'

export const STATES = ['waiting', 'delivered', 'failed', 'cancelled'] as const
export type DeliveryState = (typeof STATES)[number]

const LOOKS = {
  waiting: { tone: 'info', sign: Hourglass },
  delivered: { tone: 'success', sign: CircleCheck },
  failed: { tone: 'danger', sign: CircleAlert },
  cancelled: { tone: 'neutral', sign: Ban },
} as const

/** Where a call is. */
export function DeliveryStatePill({ state }: { state: DeliveryState }) {
  const { t } = useTranslation('webhooks')
  const { tone, sign } = LOOKS[state]
  return (
    <Pill tone={tone} sign={sign}>
      {t(`state.${state}`)}
    </Pill>
  )
}

export type Fault =
  'response' | 'redirect' | 'timeout' | 'connection' | 'tls' | 'dns' | 'internal_address' | 'url' | 'secret'

/** What came of an attempt, in a few words. */
export function useOutcomeWords(): (status: number | null, fault: Fault | null) => string {
  const { t } = useTranslation('webhooks')
  return (status, fault) => {
    if (fault === null) return status === null ? t('outcome.none') : t('outcome.answered', { status })
    if (fault === 'response' || fault === 'redirect') return t(`outcome.${fault}`, { status })
    return t(`outcome.${fault}`)
  }
}

/** Letters that a machine sent or answered. */
export function MachineText({ label, children }: { label: string; children: string }) {
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <p className="text-xs font-medium text-muted">{label}</p>
      {/* It scrolls, and whoever has no mouse scrolls it too. */}
      <pre
        dir="ltr"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label={label}
        role="region"
        className="max-h-72 overflow-auto rounded-md border border-border bg-sunken p-3 font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere] text-text"
      >
        {children}
      </pre>
    </div>
  )
}

/** Headers as they stand in a message. */
export function headerLines(headers: unknown): string {
  return typeof headers === 'object' && headers !== null
    ? Object.entries(headers)
        .map(([name, value]) => `${name}: ${String(value)}`)
        .join('\n')
    : ''
}

/** JSON as one reads it; what is none as it is. */
export function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
