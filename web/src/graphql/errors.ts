import type { CombinedError } from 'urql'
import { RestError } from '../lib/rest.ts'

/** The codes that have words of their own in `locales/en.json`; every other one is told as `UNKNOWN`. */
const TOLD = [
  'ASSIGNEE_NOT_STAFF',
  'CONFLICT',
  'FORBIDDEN',
  'INVALID_CREDENTIALS',
  'INVALID_INPUT',
  'NETWORK',
  'NOT_FOUND',
  'RATE_LIMITED',
  'SERVICE_ARCHIVED',
  'SERVICE_UNAVAILABLE',
  'STATUS_MOVE_REFUSED',
  'TICKET_CLOSED',
  'UNAUTHENTICATED',
  'UNKNOWN',
] as const

export type ProblemCode = (typeof TOLD)[number]

export interface Problem {
  code: ProblemCode
  /** The input field the server refused, where it named one. */
  field?: string
}

/** What went wrong, in a form a screen can put into words; the server's own message is never shown. */
export function problemOf(error: CombinedError | RestError | Error): Problem {
  if (error instanceof RestError) return { code: told(error.code) }
  if (!('graphQLErrors' in error)) return { code: 'UNKNOWN' }
  const [first] = error.graphQLErrors
  if (first) {
    const details: unknown = first.extensions['details']
    const field =
      typeof details === 'object' && details !== null && 'field' in details ? details.field : undefined
    return { code: told(first.extensions['code']), ...(typeof field === 'string' ? { field } : {}) }
  }
  const status = responseStatus(error)
  if (status === 429) return { code: 'RATE_LIMITED' }
  if (status === 401) return { code: 'UNAUTHENTICATED' }
  if (status !== undefined && status >= 500) return { code: 'SERVICE_UNAVAILABLE' }
  return { code: 'NETWORK' }
}

function told(code: unknown): ProblemCode {
  return TOLD.find((candidate) => candidate === code) ?? 'UNKNOWN'
}

function responseStatus(error: CombinedError): number | undefined {
  const response: unknown = error.response
  return response instanceof Response ? response.status : undefined
}
