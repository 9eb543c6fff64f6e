import type { LoaderFunctionArgs } from 'react-router'
import { readScore, type Score } from '../features/satisfaction/scores.ts'
import { readSurvey, type LinkedSurvey } from '../features/satisfaction/survey-link.ts'
import { problemOf, type Problem } from '../graphql/errors.ts'
import { speakLanguage } from './i18n.ts'

/** What the link in a mail led to. */
export interface SurveyArrival {
  token: string
  /** What was clicked in the mail. */
  chosen: Score | null
  answer: { survey: LinkedSurvey } | { problem: Problem }
}

/**
 * Reads what a link asks, and speaks the language of whoever was asked. It answers nothing: the page does, when somebody
 * sees it. What was clicked leaves the address, so that loading the page again does not say it again after a second
 * thought.
 */
export async function arriveAtSurvey({ params, request }: LoaderFunctionArgs): Promise<SurveyArrival> {
  const token = params['token'] ?? ''
  const chosen = readScore(new URL(request.url).searchParams.get('score'))
  if (location.search !== '') history.replaceState(history.state, '', location.pathname)
  try {
    const survey = await readSurvey(token)
    await speakLanguage(survey.locale)
    return { token, chosen, answer: { survey } }
  } catch (error) {
    return { token, chosen, answer: { problem: problemOf(error as Error) } }
  }
}
