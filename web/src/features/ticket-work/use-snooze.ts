import { useTranslation } from 'react-i18next'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useTicketChange } from './use-ticket-change.ts'

/** A time as people say it who look at their calendar: "Mon, 9 Mar, 09:00". */
export function useTimeInWords(): (time: Date | string) => string {
  const { i18n } = useTranslation()
  return (time) =>
    new Intl.DateTimeFormat(readerLocale(i18n.language), {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: 'numeric',
      minute: '2-digit',
    }).format(new Date(time))
}

/** Puts a ticket aside until a time, or wakes it; the way back is in the notice. */
export function useSnooze(id: string, snoozedUntil: string | null) {
  const { t } = useTranslation(['ticket-work', 'errors'])
  const changeTicket = useTicketChange()
  const inWords = useTimeInWords()

  async function change(until: string | null): Promise<boolean> {
    const { error } = await changeTicket({ id, patch: { snoozedUntil: until } })
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
    return !error
  }

  return async (until: Date | null) => {
    if (!(await change(until?.toISOString() ?? null))) return
    notify({
      tone: 'success',
      title: until ? t('snooze.done', { time: inWords(until) }) : t('snooze.woken'),
      action: { label: t('undo'), onPress: () => void change(snoozedUntil) },
    })
  }
}
