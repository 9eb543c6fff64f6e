import { postJson } from '../../lib/rest.ts'
import type { Score } from './scores.ts'

/** What the link in a mail asks. */
export interface LinkedSurvey {
  organization: string
  reference: string
  subject: string
  /** Null for the usual question. */
  question: string | null
  locale: string
  score: number | null
  comment: string | null
  expiresAt: string
  expired: boolean
}

/** Reads what a link asks. Throws a RestError: SURVEY_NOT_FOUND. */
export async function readSurvey(token: string): Promise<LinkedSurvey> {
  return (await postJson('/surveys/look', { token })) as LinkedSurvey
}

/** Answers by a link. Throws a RestError: SURVEY_NOT_FOUND, SURVEY_EXPIRED. */
export async function answerByLink(token: string, score: Score, comment?: string): Promise<LinkedSurvey> {
  return (await postJson('/surveys/answer', {
    token,
    score,
    ...(comment === undefined ? {} : { comment }),
  })) as LinkedSurvey
}

/**
 * When somebody looks at this page: at once, or when a tab that was opened behind or drawn before it was asked for comes
 * to the front.
 */
export function whenSeen(): Promise<void> {
  if (document.visibilityState === 'visible') return Promise.resolve()
  return new Promise((resolve) => {
    const listen = () => {
      if (document.visibilityState !== 'visible') return
      document.removeEventListener('visibilitychange', listen)
      resolve()
    }
    document.addEventListener('visibilitychange', listen)
  })
}
