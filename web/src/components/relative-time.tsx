import { useTranslation } from 'react-i18next'
import { useNow } from '../lib/clock.ts'
import { readerLocale } from '../lib/reader-locale.ts'
import { relativeTime, type AgeLength } from '../lib/relative-time.ts'

export interface RelativeTimeProps {
  at: string
  /** `short` only where many stand under each other. */
  length?: AgeLength
  className?: string
}

/** How long ago, kept up to date; the exact time is its tooltip and its machine-readable value. */
export function RelativeTime({ at, length, className }: RelativeTimeProps) {
  const { i18n } = useTranslation()
  const now = useNow('minute')
  const then = new Date(at)
  const exact = new Intl.DateTimeFormat(readerLocale(i18n.language), {
    dateStyle: 'full',
    timeStyle: 'short',
  }).format(then)
  return (
    <time dateTime={at} title={exact} className={className}>
      {relativeTime(then.getTime(), Math.max(now, then.getTime()), i18n.language, length)}
    </time>
  )
}
