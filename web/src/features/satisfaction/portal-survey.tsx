import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Card } from '../../components/card.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useNow } from '../../lib/clock.ts'
import { AnswerForm } from './answer-form.tsx'
import { readScore } from './scores.ts'

export const PortalSurveyFragment = graphql(`
  fragment PortalSurvey on CsatSurvey {
    id
    rowId
    question
    score
    comment
    expiresAt
  }
`)

const AnswerSurvey = graphql(
  `
    mutation AnswerSurvey($surveyId: UUID!, $score: Int!, $comment: String) {
      answerSurvey(input: { surveyId: $surveyId, score: $score, comment: $comment }) {
        survey {
          id
          ...PortalSurvey
        }
      }
    }
  `,
  [PortalSurveyFragment],
)

type HeldSurvey = FragmentOf<typeof PortalSurveyFragment>

/** The survey while it can be answered: from when somebody was asked until the time is over. */
export function useOpenSurvey(held: HeldSurvey | null | undefined): HeldSurvey | null {
  const now = useNow('minute')
  if (!held) return null
  const { expiresAt } = readFragment(PortalSurveyFragment, held)
  return expiresAt !== null && Date.parse(expiresAt) > now ? held : null
}

/** Asks whoever made a request how it went. */
export function PortalSurvey({ survey: held }: { survey: HeldSurvey }) {
  const { t } = useTranslation('satisfaction')
  const survey = readFragment(PortalSurveyFragment, held)
  const heading = useId()
  const [, answer] = useMutation(AnswerSurvey)
  if (survey.expiresAt === null) return null
  const question = survey.question ?? t('question')
  return (
    <section aria-labelledby={heading}>
      <Card className="flex flex-col gap-4 p-5 sm:p-6">
        <h2 id={heading} className="text-lg font-semibold [overflow-wrap:anywhere]">
          {question}
        </h2>
        <AnswerForm
          question={question}
          score={readScore(survey.score)}
          comment={survey.comment}
          expiresAt={survey.expiresAt}
          onAnswer={async (score, comment) => {
            dataOf(await answer({ surveyId: survey.rowId, score, comment: comment ?? null }))
          }}
        />
      </Card>
    </section>
  )
}
