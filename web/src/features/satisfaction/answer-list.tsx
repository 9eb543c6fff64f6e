import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import type { Days } from '../../lib/periods.ts'
import { ScoreFace } from './score-face.tsx'
import { readScore } from './scores.ts'

const AnswerRowFragment = graphql(`
  fragment AnswerRow on CsatSurvey {
    id
    score
    comment
    answeredAt
    requester {
      id
      name
    }
    assignee {
      id
      name
    }
    ticket {
      id
      number
      reference
      subject
    }
  }
`)

const AnswersQuery = graphql(
  `
    query SatisfactionAnswers(
      $from: Date!
      $to: Date!
      $low: Boolean!
      $commented: Boolean!
      $after: Cursor
    ) {
      csatAnswers(
        fromDay: $from
        toDay: $to
        onlyLow: $low
        onlyCommented: $commented
        first: 20
        after: $after
      ) {
        nodes {
          id
          ...AnswerRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [AnswerRowFragment],
)

const answersConnection = (data: ResultOf<typeof AnswersQuery>) => data.csatAnswers

/** What customers said, one by one. */
export function AnswerList({ days: { from, to } }: { days: Days }) {
  const { t } = useTranslation(['satisfaction', 'errors'])
  const [low, setLow] = useState(false)
  const [commented, setCommented] = useState(true)
  const pages = usePages({
    document: AnswersQuery,
    variables: { from, to, low, commented },
    connectionOf: answersConnection,
  })
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap gap-x-6 gap-y-2">
        <Checkbox isSelected={commented} onChange={setCommented}>
          {t('report.onlyCommented')}
        </Checkbox>
        <Checkbox isSelected={low} onChange={setLow}>
          {t('report.onlyLow')}
        </Checkbox>
      </div>
      <Card>
        {pages.error && pages.nodes.length === 0 ? (
          <ErrorState title={t('report.answersError')} onRetry={pages.reread}>
            {t(`errors:${problemOf(pages.error).code}`)}
          </ErrorState>
        ) : pages.isLoading ? (
          <div role="status" aria-label={t('report.answersLoading')} className="flex flex-col gap-4 p-5">
            {Array.from({ length: 3 }, (_, index) => (
              <Skeleton key={index} className="h-10" />
            ))}
          </div>
        ) : pages.nodes.length === 0 ? (
          <EmptyState title={t('report.noAnswersTitle')}>{t('report.noAnswersBody')}</EmptyState>
        ) : (
          <ul aria-busy={pages.isStale} className="divide-y divide-border">
            {pages.nodes.map((node) => (
              <AnswerRow key={node.id} answer={node} />
            ))}
          </ul>
        )}
      </Card>
      {pages.hasMore && (
        <Button className="self-center" onPress={pages.more} isPending={pages.isLoadingMore}>
          {t('report.moreAnswers')}
        </Button>
      )}
    </div>
  )
}

function AnswerRow({ answer: held }: { answer: FragmentOf<typeof AnswerRowFragment> }) {
  const { t } = useTranslation('satisfaction')
  const {
    score: given,
    comment,
    answeredAt,
    requester,
    assignee,
    ticket,
  } = readFragment(AnswerRowFragment, held)
  const score = readScore(given)
  if (score === null) return null
  return (
    <li className="flex gap-3 px-4 py-4 text-sm sm:px-5">
      <ScoreFace score={score} className="mt-0.5 size-6" />
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <p className="flex flex-wrap items-baseline justify-between gap-x-3 gap-y-0.5">
          <span>
            <span className="font-semibold">{t('rating.score', { score })}</span>
            {requester && <span className="text-muted"> · {requester.name}</span>}
          </span>
          {answeredAt && <RelativeTime at={answeredAt} className="text-muted" />}
        </p>
        {comment && <p className="[overflow-wrap:anywhere] whitespace-pre-line">{comment}</p>}
        {ticket && (
          <p className="text-muted [overflow-wrap:anywhere]">
            <TextLink to={`/desk/tickets/${ticket.number}`}>
              <span className="figures">{ticket.reference}</span> {ticket.subject}
            </TextLink>
            {assignee && <> · {t('report.assigned', { name: assignee.name })}</>}
          </p>
        )}
      </div>
    </li>
  )
}
