import { useTranslation } from 'react-i18next'
import { readerLocale } from '../../lib/reader-locale.ts'
import { wordsOf, type Told } from './notification-words.ts'

/** A notification in the reader's language. */
export interface Said {
  title: string
  subject: string | null
  detail: string | null
}

/** Puts notifications into words. */
export function useSaid(): (told: Pick<Told, 'kind' | 'facts'>) => Said {
  const { t, i18n } = useTranslation(['notifications', 'components'])
  return (told) => {
    const words = wordsOf(told)
    const dueAt = words.dueAt === null ? null : new Date(words.dueAt)
    const due =
      dueAt && !Number.isNaN(dueAt.getTime())
        ? t('due', {
            at: new Intl.DateTimeFormat(readerLocale(i18n.language), {
              dateStyle: 'medium',
              timeStyle: 'short',
            }).format(dueAt),
          })
        : null
    return {
      title: t(`said.${words.sentence}`, {
        actor: words.actor ?? t('theDesk'),
        status: words.status ? t(`components:status.${words.status}`) : '',
        target: t(`target.${words.target ?? 'resolution'}`),
        score: words.score ?? '',
      }),
      subject: words.subject,
      detail: words.detail ?? due ?? (words.waiting ? t('waiting', { count: words.waiting }) : null),
    }
  }
}
