import { Mail } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Avatar } from '../../components/avatar.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useNow } from '../../lib/clock.ts'
import { readerLocale } from '../../lib/reader-locale.ts'

export const RequesterCardFragment = graphql(`
  fragment RequesterCard on User {
    id
    name
    email
    timeZone
  }
`)

/** Who asks, how to reach them and what time it is there. */
export function RequesterCard({ requester }: { requester: FragmentOf<typeof RequesterCardFragment> }) {
  const { t, i18n } = useTranslation('identity')
  const { name, email, timeZone } = readFragment(RequesterCardFragment, requester)
  const now = useNow('minute')
  return (
    <section aria-label={t('requester')} className="flex items-start gap-3">
      <Avatar name={name} size="large" />
      <div className="min-w-0 text-sm">
        <p className="truncate text-base font-medium">{name}</p>
        <a
          href={`mailto:${email}`}
          title={t('writeMail', { name })}
          className="flex items-center gap-1.5 text-muted underline-offset-4 hover:text-text hover:underline"
        >
          <Mail className="size-3.5 shrink-0" aria-hidden="true" />
          <span className="truncate">{email}</span>
        </a>
        {timeZone && (
          <p className="figures text-muted">
            {t('localTime', { time: localTime(now, timeZone, readerLocale(i18n.language)) })}
          </p>
        )}
      </div>
    </section>
  )
}

function localTime(now: number, timeZone: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit', timeZone }).format(now)
}
