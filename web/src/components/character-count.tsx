import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'

/** Shown from nine tenths of the limit on: earlier it would only be noise. */
const SHOWN_FROM = 0.9

/** How many characters are left, or too many. Said politely to a screen reader at the limit only. */
export function CharacterCount({ length, limit }: { length: number; limit: number }) {
  const { t, i18n } = useTranslation('components')
  if (length < limit * SHOWN_FROM) return null
  const left = limit - length
  return (
    <span
      className={classNames(
        'figures ms-auto shrink-0 text-sm',
        left < 0 ? 'font-medium text-danger-text' : 'text-muted',
      )}
      aria-live={left < 0 ? 'polite' : 'off'}
    >
      {t(left < 0 ? 'charactersOver' : 'charactersLeft', {
        count: Math.abs(left),
        amount: new Intl.NumberFormat(i18n.language).format(Math.abs(left)),
      })}
    </span>
  )
}
