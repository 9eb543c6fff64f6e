import type { CombinedError } from 'urql'
import { RestError } from '../lib/rest.ts'

/** The codes that have words of their own in `locales/en.json`; every other one is told as `UNKNOWN`. */
const TOLD = [
  'ACTION_INVALID',
  'ADDRESS_NOT_ALLOWED',
  'ADDRESS_TAKEN',
  'APPROVAL_DECIDED',
  'APPROVAL_REFUSED',
  'APPROVER_REFUSED',
  'ASSIGNEE_NOT_STAFF',
  'ASSIGNEE_OUTSIDE_TEAM',
  'ATTACHMENT_BLOCKED',
  'ATTACHMENT_EMPTY',
  'ATTACHMENT_INFECTED',
  'ATTACHMENT_NOT_FOUND',
  'ATTACHMENT_PENDING',
  'ATTACHMENT_REMOVED',
  'ATTACHMENT_TOO_LARGE',
  'ATTACHMENT_TYPE_REFUSED',
  'AUTHOR_GONE',
  'AUTOMATION_INVALID',
  'CHALLENGE_EXPIRED',
  'CHECKLIST_TOO_LONG',
  'CHILDREN_OPEN',
  'COMMENT_CONFLICT',
  'CONDITION_INVALID',
  'CONFLICT',
  'DOCUMENT_REQUIRED',
  'DOCUMENT_UNKNOWN',
  'DRAFT_CONFLICT',
  'EMAIL_NOT_VERIFIED',
  'FIELD_DEFINITION_INVALID',
  'FIELD_INVALID',
  'FIELD_NOT_ASKED',
  'FIELD_REQUIRED_TO_CREATE',
  'FIELD_REQUIRED_TO_RESOLVE',
  'FIELD_UNKNOWN',
  'FILE_LINK_INVALID',
  'FORBIDDEN',
  'IDENTITY_PROVIDER_INVALID',
  'INVALID_CODE',
  'INVALID_CREDENTIALS',
  'INVALID_INPUT',
  'LAST_ADMIN',
  'LOCAL_LOGIN_OFF',
  'MAIL_NOT_WAITING',
  'MAIL_SENT_ALREADY',
  'MAIL_VARIABLE_MISSING',
  'MAIL_VARIABLE_UNKNOWN',
  'MAILBOX_FROM_ENVIRONMENT',
  'MAIL_NOT_TAKEN_UP',
  'MENTION_REFUSED',
  'MERGE_REFUSED',
  'NETWORK',
  'NOT_FOUND',
  'NOT_YOURSELF',
  'ORGANIZATION_SUSPENDED',
  'PASSWORD_COMMON',
  'PASSWORD_TOO_LONG',
  'PASSWORD_TOO_SHORT',
  'PREVIEW_REFUSED',
  'RATE_LIMITED',
  'REGISTRATION_CLOSED',
  'RELATIONSHIP_REFUSED',
  'REOPEN_WINDOW_OVER',
  'REPLY_NOT_ON_ITS_WAY',
  'RETRY',
  'SCOPE_REFUSED',
  'SEARCH_INVALID',
  'SERVICE_ARCHIVED',
  'SERVICE_UNAVAILABLE',
  'SESSION_REQUIRED',
  'SLA_CALENDAR_INVALID',
  'SLA_CALENDAR_IN_USE',
  'SLA_CALENDAR_WITHOUT_HOURS',
  'SLA_ORDER_INCOMPLETE',
  'SLA_TARGET_REFUSED',
  'SNOOZE_REFUSED',
  'SSO_FAILED',
  'SSO_REFUSED',
  'STATUS_MOVE_REFUSED',
  'SURVEY_EXPIRED',
  'SURVEY_NOT_FOUND',
  'TICKET_CLOSED',
  'TICKET_MERGED',
  'TIME_ACTIVITY_ARCHIVED',
  'TIME_IN_FUTURE',
  'TIME_OUT_OF_RANGE',
  'TIME_UNCHANGED',
  'REASON_MISSING',
  'FILE_NOT_HELD',
  'FILE_REMOVED',
  'TOKEN_INVALID',
  'TOO_MANY_ATTACHMENTS',
  'TOO_MANY_ATTEMPTS',
  'TOO_MANY_AUTOMATIONS',
  'TOO_MANY_MAILBOXES',
  'TOO_MANY_TICKETS',
  'TOO_MANY_UPLOADS',
  'TOO_MANY_VIEWS',
  'TOO_MANY_WEBHOOKS',
  'TWO_FACTOR_ALREADY_ON',
  'TWO_FACTOR_OFF',
  'UNAUTHENTICATED',
  'UNKNOWN',
  'UPLOAD_INVALID',
  'VERSION_CONFLICT',
  'VIEW_INVALID',
  'WATCHER_REFUSED',
  'WEBHOOK_ADDRESS_INTERNAL',
  'WEBHOOK_NOT_READY',
  'WOULD_LOCK_YOU_OUT',
] as const

export type ProblemCode = (typeof TOLD)[number]

export interface Problem {
  code: ProblemCode
  /** The input field the server refused, where it named one. */
  field?: string
  /** When the server lets one try again, where it asks to wait. */
  retryAt?: number
}

/** What went wrong, in a form a screen can put into words; the server's own message is never shown. */
export function problemOf(error: CombinedError | RestError | Error): Problem {
  if (error instanceof RestError) {
    const { code, retryAt } = error
    return { code: told(code), ...(retryAt === null ? {} : { retryAt }) }
  }
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

/** A code as far as there are words for it: it may come from an address, which anybody can write. */
export function told(code: unknown): ProblemCode {
  return TOLD.find((candidate) => candidate === code) ?? 'UNKNOWN'
}

/** What a refusal is called that the database told by its SQLSTATE, as docs/ERROR_CODES.md lists them. */
const BY_STATE: Readonly<Record<string, ProblemCode>> = {
  AD101: 'NOT_FOUND',
  AD102: 'TICKET_CLOSED',
  AD103: 'ASSIGNEE_NOT_STAFF',
  AD104: 'SERVICE_ARCHIVED',
  AD105: 'STATUS_MOVE_REFUSED',
  AD107: 'ASSIGNEE_OUTSIDE_TEAM',
  AD108: 'TICKET_MERGED',
  AD109: 'CHILDREN_OPEN',
  AD110: 'SNOOZE_REFUSED',
  AD111: 'COMMENT_CONFLICT',
  AD112: 'MENTION_REFUSED',
  AD182: 'AUTHOR_GONE',
  AD232: 'TOO_MANY_ATTACHMENTS',
  AD233: 'ATTACHMENT_NOT_FOUND',
  AD234: 'ATTACHMENT_INFECTED',
  AD237: 'ATTACHMENT_REMOVED',
  '42501': 'FORBIDDEN',
}

/** The code of a SQLSTATE that was kept with what was refused. */
export const codeOfState = (state: string): ProblemCode =>
  BY_STATE[state] ?? (/^2[23]/.test(state) ? 'INVALID_INPUT' : 'UNKNOWN')

function responseStatus(error: CombinedError): number | undefined {
  const response: unknown = error.response
  return response instanceof Response ? response.status : undefined
}
