import { useTranslation } from 'react-i18next'
import { PanelSection } from '../../components/panel-section.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { ScoreFace } from './score-face.tsx'
import { readScore } from './scores.ts'

export const TicketRatingFragment = graphql(`
  fragment TicketRating on Ticket {
    id
    survey {
      id
      state
      score
      comment
      plannedFor
      sentAt
      expiresAt
      answeredAt
    }
  }
`)

/** What the requester said of how it went, or where the question is. */
export function TicketRating({ ticket: held }: { ticket: FragmentOf<typeof TicketRatingFragment> }) {
  const { t, i18n } = useTranslation('satisfaction')
  const { survey } = readFragment(TicketRatingFragment, held)
  if (!survey || survey.state === 'cancelled') return null
  const score = readScore(survey.score)
  return (
    <PanelSection title={t('rating.title')}>
      {score !== null ? (
        <div className="flex items-start gap-3">
          <ScoreFace score={score} className="mt-0.5 size-6" />
          <div className="flex min-w-0 flex-1 flex-col gap-1.5 text-sm">
            <p className="flex flex-wrap items-baseline justify-between gap-x-3">
              <span className="font-medium">
                {t('rating.score', { score })} · {t(`score.${score}`)}
              </span>
              {survey.answeredAt && <RelativeTime at={survey.answeredAt} className="text-muted" />}
            </p>
            {survey.comment && (
              <blockquote className="border-s-2 border-border ps-3 [overflow-wrap:anywhere] whitespace-pre-line">
                {survey.comment}
              </blockquote>
            )}
          </div>
        </div>
      ) : (
        <p className="text-sm text-muted">
          {survey.state === 'planned' &&
            t('rating.planned', {
              time: new Intl.DateTimeFormat(readerLocale(i18n.language), {
                dateStyle: 'medium',
                timeStyle: 'short',
              }).format(new Date(survey.plannedFor)),
            })}
          {survey.state === 'sent' && t('rating.sent')}
          {survey.state === 'expired' && t('rating.expired')}{' '}
          {survey.sentAt && <RelativeTime at={survey.sentAt} />}
        </p>
      )}
    </PanelSection>
  )
}
