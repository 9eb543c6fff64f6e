import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { useNow } from '../lib/clock.ts'
import { clockParts, deadlineTone, type DeadlineTone } from '../lib/deadline.ts'
import { readerLocale } from '../lib/reader-locale.ts'

const TONES: Record<DeadlineTone, string> = {
  calm: 'text-muted',
  near: 'font-medium text-warning-text',
  overdue: 'font-medium text-danger-text',
}

export interface DeadlineProps {
  dueAt: string
  targetSeconds?: number
  className?: string
}

/** What is left until a due time, or how long it is over. Colour only repeats what the words say. */
export function Deadline({ dueAt, targetSeconds, className }: DeadlineProps) {
  const { t, i18n } = useTranslation('components')
  const due = new Date(dueAt)
  const left = due.getTime() - useNow('second')
  const tone = deadlineTone(due.getTime(), due.getTime() - left, targetSeconds)
  const { scale, ...parts } = clockParts(left)
  const length = t(`clock.${scale}`, { ...parts })
  return (
    <time
      dateTime={dueAt}
      title={new Intl.DateTimeFormat(readerLocale(i18n.language), {
        dateStyle: 'full',
        timeStyle: 'short',
      }).format(due)}
      className={classNames('figures whitespace-nowrap', TONES[tone], className)}
    >
      {tone === 'overdue' ? t('deadline.overdue', { length }) : t('deadline.left', { length })}
    </time>
  )
}
