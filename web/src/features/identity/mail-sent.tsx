import { MailCheck } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { ButtonLink } from '../../components/button-link.tsx'

export interface MailSentProps {
  children: string
  signInPath: string
}

/** After a mail was asked for: where to look, and the way back. What it says is the same for any address. */
export function MailSent({ children, signInPath }: MailSentProps) {
  const { t } = useTranslation('identity')
  return (
    <div className="flex flex-col gap-5">
      <p className="flex items-start gap-3 rounded-lg border border-border bg-surface p-4 shadow-card [overflow-wrap:anywhere]">
        <MailCheck className="mt-0.5 size-5 shrink-0 text-success-text" aria-hidden="true" />
        <span className="min-w-0">{children}</span>
      </p>
      <p className="text-sm text-muted">{t('mailSent.nothing')}</p>
      <ButtonLink to={signInPath} size="large" className="self-start">
        {t('backToSignIn')}
      </ButtonLink>
    </div>
  )
}
