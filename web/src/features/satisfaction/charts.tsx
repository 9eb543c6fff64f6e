import { useTranslation } from 'react-i18next'
import { classNames } from '../../lib/class-names.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { shareOf } from './report.ts'
import { ScoreFace } from './score-face.tsx'
import { moodOf, SCORES, type Score } from './scores.ts'

/** How a share of answers is drawn, from the worst to the best. */
const SHADE: Record<Score, string> = {
  1: 'bg-danger-text',
  2: 'bg-danger-text/55',
  3: 'bg-warning-text/70',
  4: 'bg-success-text/60',
  5: 'bg-success-text',
}

const BAR = { bad: 'bg-danger-text', even: 'bg-warning-text', good: 'bg-success-text' } as const

export interface DistributionProps {
  distribution: readonly (number | null)[]
  answered: number
}

/** How many answers there are of each score: a table whose bars say nothing that its numbers do not. */
export function Distribution({ distribution, answered }: DistributionProps) {
  const { t, i18n } = useTranslation('satisfaction')
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent' })
  return (
    <table className="w-full text-sm">
      <caption className="sr-only">{t('report.distribution')}</caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">{t('report.scoreColumn')}</th>
          <th scope="col">{t('report.answers')}</th>
          <th scope="col">{t('report.share')}</th>
        </tr>
      </thead>
      <tbody>
        {SCORES.toReversed().map((score) => {
          const count = distribution[score - 1] ?? 0
          const share = shareOf(count, answered) ?? 0
          return (
            <tr key={score}>
              <th scope="row" className="w-px py-1.5 pe-3 text-start font-normal whitespace-nowrap">
                <span className="flex items-center gap-2">
                  <ScoreFace score={score} className="size-4.5" />
                  <span className="figures font-medium">{score}</span>
                  <span className="text-muted max-sm:sr-only">{t(`score.${score}`)}</span>
                </span>
              </th>
              <td className="py-1.5">
                <span className="flex items-center gap-3">
                  <span className="h-2.5 flex-1 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
                    <span
                      className={classNames('block h-full rounded-full', BAR[moodOf(score)])}
                      style={{ inlineSize: `${share * 100}%` }}
                    />
                  </span>
                  <span className="figures w-8 text-end">{count.toLocaleString(i18n.language)}</span>
                </span>
              </td>
              <td className="figures w-px py-1.5 ps-3 text-end whitespace-nowrap text-muted">
                {percent.format(share)}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

/** The same in one line, for many under each other; the numbers stand in its name. */
export function DistributionLine({ distribution, answered }: DistributionProps) {
  const { t, i18n } = useTranslation('satisfaction')
  const words = SCORES.map((score) => t('report.ofScore', { score, count: distribution[score - 1] ?? 0 }))
  return (
    <span
      role="img"
      aria-label={new Intl.ListFormat(i18n.language).format(words)}
      title={words.join(', ')}
      className="flex h-2.5 min-w-24 gap-px overflow-hidden rounded-full bg-sunken"
    >
      {/* One without a share would still take its gap. */}
      {SCORES.filter((score) => (distribution[score - 1] ?? 0) > 0).map((score) => (
        <span
          key={score}
          className={SHADE[score]}
          style={{ inlineSize: `${(shareOf(distribution[score - 1] ?? 0, answered) ?? 0) * 100}%` }}
        />
      ))}
    </span>
  )
}

export interface MonthsProps {
  months: readonly { month: string | null; answered: number; csat: number | null }[]
}

/** How satisfied customers were month by month, as columns that are a list to whoever does not see them. */
export function Months({ months }: MonthsProps) {
  const { t, i18n } = useTranslation('satisfaction')
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent' })
  const nameOf = (month: string, length: 'short' | 'long') =>
    new Intl.DateTimeFormat(readerLocale(i18n.language), {
      month: length,
      ...(length === 'long' ? { year: 'numeric' as const } : {}),
      timeZone: 'UTC',
    }).format(new Date(month))
  return (
    <ol
      aria-label={t('report.months')}
      className="relative flex h-44 items-stretch gap-2 overflow-x-auto [scrollbar-width:thin]"
    >
      {months.map(({ month, answered, csat }) =>
        month === null ? null : (
          <li key={month} className="flex min-w-9 flex-1 flex-col items-center justify-end gap-1.5">
            <span className="sr-only">
              {nameOf(month, 'long')}:{' '}
              {csat === null
                ? t('report.noAnswer')
                : t('report.monthShare', { share: percent.format(csat), count: answered })}
            </span>
            <span className="figures text-xs text-muted" aria-hidden="true">
              {csat === null ? '–' : percent.format(csat)}
            </span>
            <span
              className="flex min-h-0 w-full max-w-12 flex-1 items-end rounded-md bg-sunken"
              aria-hidden="true"
            >
              <span
                className="w-full rounded-md bg-accent"
                style={{ blockSize: `${Math.max((csat ?? 0) * 100, csat === null ? 0 : 2)}%` }}
              />
            </span>
            <span className="text-xs text-muted" aria-hidden="true">
              {nameOf(month, 'short')}
            </span>
          </li>
        ),
      )}
    </ol>
  )
}
