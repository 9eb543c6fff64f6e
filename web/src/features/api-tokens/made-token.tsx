import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { SecretText } from '../../components/secret-text.tsx'

/** A new token, for the only time. */
export function MadeToken({ name, secret, onKept }: { name: string; secret: string; onKept: () => void }) {
  const { t } = useTranslation('api-tokens')
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <div className="flex flex-col gap-3 rounded-t-xl border-b border-border bg-success-soft px-5 py-4">
      <h3 ref={heading} tabIndex={-1} className="font-semibold text-success-text">
        {t('madeTitle', { name })}
      </h3>
      <p className="text-sm">{t('madeHint')}</p>
      <SecretText copyLabel={t('copy')}>{secret}</SecretText>
      <Button className="self-start" onPress={onKept}>
        {t('kept')}
      </Button>
    </div>
  )
}
