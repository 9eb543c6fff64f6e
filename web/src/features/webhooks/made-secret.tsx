import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { SecretText } from '../../components/secret-text.tsx'
import { readerLocale } from '../../lib/reader-locale.ts'
import type { MadeSecret as Made } from './webhook-secret.ts'

export interface MadeSecretProps {
  made: Made
  /** What the button that ends it says. */
  action: string
  onKept: () => void
  /** `h3` inside a section that has a heading of its own. */
  heading?: 'h2' | 'h3'
}

/** A new secret, for the only time. */
export function MadeSecret({ made, action, onKept, heading: Heading = 'h3' }: MadeSecretProps) {
  const { t, i18n } = useTranslation('webhooks')
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  const until =
    made.previousUntil &&
    new Intl.DateTimeFormat(readerLocale(i18n.language), { dateStyle: 'medium', timeStyle: 'short' }).format(
      new Date(made.previousUntil),
    )
  return (
    <div className="flex flex-col gap-3 rounded-xl bg-success-soft px-5 py-4">
      <Heading ref={heading} tabIndex={-1} className="font-semibold text-success-text">
        {t('secret.madeTitle')}
      </Heading>
      <p className="text-sm">{t('secret.madeHint')}</p>
      <SecretText copyLabel={t('secret.copy')}>{made.secret}</SecretText>
      {until && <p className="text-sm">{t('secret.previousUntil', { until })}</p>}
      <Button className="self-start" onPress={onKept}>
        {action}
      </Button>
    </div>
  )
}
