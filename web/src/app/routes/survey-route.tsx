import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLoaderData } from 'react-router'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { DoorPage } from '../../features/identity/door-page.tsx'
import { AnswerForm } from '../../features/satisfaction/answer-form.tsx'
import { readScore } from '../../features/satisfaction/scores.ts'
import { answerByLink, type LinkedSurvey } from '../../features/satisfaction/survey-link.ts'
import type { SurveyArrival } from '../survey-loader.ts'

/** Behind the link in a mail that asks how it went: for whoever has it, without an account. */
export function Component() {
  const { t } = useTranslation('satisfaction')
  const { answer, ...arrival } = useLoaderData<SurveyArrival>()
  if ('survey' in answer) {
    return answer.survey.expired ? (
      <Over organization={answer.survey.organization} />
    ) : (
      <Survey {...arrival} survey={answer.survey} />
    )
  }
  const { problem } = answer
  if (problem.code === 'SURVEY_NOT_FOUND' || problem.code === 'INVALID_INPUT') {
    return (
      <DoorPage title={t('link.uselessTitle')} intro={t('link.uselessBody')} step="useless">
        {null}
      </DoorPage>
    )
  }
  return (
    <DoorPage title={t('link.errorTitle')} step="error">
      <ProblemAlert problem={problem} />
      <Button className="self-start" onPress={() => location.reload()}>
        {t('link.retry')}
      </Button>
    </DoorPage>
  )
}

function Survey({ token, chosen, survey: read }: Omit<SurveyArrival, 'answer'> & { survey: LinkedSurvey }) {
  const { t } = useTranslation('satisfaction')
  const [survey, setSurvey] = useState(read)
  const question = survey.question ?? t('question')
  return (
    <DoorPage
      title={question}
      intro={
        <>
          <span className="figures">{survey.reference}</span> · {survey.subject}
        </>
      }
      organization={survey.organization}
      step="survey"
      width="medium"
    >
      <Card className="p-4 sm:p-6">
        <AnswerForm
          question={question}
          score={readScore(survey.score)}
          comment={survey.comment}
          expiresAt={survey.expiresAt}
          chosen={chosen}
          onAnswer={async (score, comment) => setSurvey(await answerByLink(token, score, comment))}
        />
      </Card>
    </DoorPage>
  )
}

function Over({ organization }: { organization: string }) {
  const { t } = useTranslation('satisfaction')
  return (
    <DoorPage title={t('link.overTitle')} intro={t('link.overBody')} organization={organization} step="over">
      {null}
    </DoorPage>
  )
}
