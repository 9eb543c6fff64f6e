import { randomUUID } from 'node:crypto'

/** An error a client may see: a code for programs, a sentence for people, and what it is about. */
export interface PublicError {
  code: string
  status: number
  message: string
  details?: Record<string, unknown>
}

const statusByCode = {
  BAD_REQUEST: 400,
  UPLOAD_INVALID: 400,
  DOCUMENT_UNKNOWN: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  INTROSPECTION_DISABLED: 400,
  INVALID_INPUT: 400,
  QUERY_TOO_DEEP: 400,
  QUERY_TOO_EXPENSIVE: 400,
  INVALID_CREDENTIALS: 401,
  INVALID_CODE: 401,
  CHALLENGE_EXPIRED: 401,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  SESSION_REQUIRED: 403,
  DOCUMENT_REQUIRED: 403,
  TOKEN_SCOPE_MISSING: 403,
  ORGANIZATION_SUSPENDED: 403,
  ADDRESS_NOT_ALLOWED: 403,
  EMAIL_NOT_VERIFIED: 403,
  LOCAL_LOGIN_OFF: 403,
  REGISTRATION_CLOSED: 403,
  SSO_REFUSED: 403,
  NOT_FOUND: 404,
  ATTACHMENT_NOT_FOUND: 404,
  FILE_LINK_INVALID: 404,
  SURVEY_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  ORGANIZATION_REQUIRED: 409,
  CONFLICT: 409,
  RETRY: 409,
  LAST_ADMIN: 409,
  WOULD_LOCK_YOU_OUT: 409,
  NOT_YOURSELF: 409,
  ADDRESS_TAKEN: 409,
  TWO_FACTOR_ALREADY_ON: 409,
  TWO_FACTOR_OFF: 409,
  TICKET_CLOSED: 409,
  ASSIGNEE_NOT_STAFF: 409,
  SERVICE_ARCHIVED: 409,
  STATUS_MOVE_REFUSED: 409,
  VERSION_CONFLICT: 409,
  ASSIGNEE_OUTSIDE_TEAM: 409,
  TICKET_MERGED: 409,
  CHILDREN_OPEN: 409,
  SNOOZE_REFUSED: 409,
  COMMENT_CONFLICT: 409,
  MENTION_REFUSED: 409,
  REOPEN_WINDOW_OVER: 409,
  WATCHER_REFUSED: 409,
  RELATIONSHIP_REFUSED: 409,
  MERGE_REFUSED: 409,
  APPROVAL_REFUSED: 409,
  APPROVER_REFUSED: 409,
  APPROVAL_DECIDED: 409,
  CHECKLIST_TOO_LONG: 409,
  DRAFT_CONFLICT: 409,
  REPLY_NOT_ON_ITS_WAY: 409,
  MAIL_SENT_ALREADY: 409,
  MAIL_NOT_WAITING: 409,
  AUTHOR_GONE: 409,
  AUDIT_APPEND_ONLY: 409,
  ATTACHMENT_PENDING: 409,
  ATTACHMENT_BLOCKED: 409,
  TOO_MANY_UPLOADS: 409,
  ATTACHMENT_REMOVED: 410,
  MAILBOX_FROM_ENVIRONMENT: 409,
  MAIL_NOT_TAKEN_UP: 409,
  ATTACHMENT_TOO_LARGE: 413,
  SURVEY_EXPIRED: 410,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  PREVIEW_REFUSED: 415,
  ACTION_INVALID: 422,
  MAIL_VARIABLE_UNKNOWN: 422,
  MAIL_VARIABLE_MISSING: 422,
  CONDITION_INVALID: 422,
  SEARCH_INVALID: 422,
  VIEW_INVALID: 422,
  TOO_MANY_VIEWS: 409,
  TOO_MANY_TICKETS: 422,
  FIELD_UNKNOWN: 422,
  FIELD_INVALID: 422,
  FIELD_REQUIRED_TO_CREATE: 422,
  FIELD_REQUIRED_TO_RESOLVE: 422,
  FIELD_NOT_ASKED: 422,
  FIELD_DEFINITION_INVALID: 422,
  AUTOMATION_INVALID: 422,
  TOO_MANY_AUTOMATIONS: 422,
  ATTACHMENT_EMPTY: 422,
  ATTACHMENT_INFECTED: 422,
  ATTACHMENT_TYPE_REFUSED: 422,
  TOO_MANY_ATTACHMENTS: 422,
  SLA_CALENDAR_WITHOUT_HOURS: 422,
  SLA_CALENDAR_INVALID: 422,
  SLA_TARGET_TOO_LONG: 422,
  SLA_CALENDAR_IN_USE: 409,
  SLA_ORDER_INCOMPLETE: 409,
  SLA_TARGET_REFUSED: 422,
  WEBHOOK_ADDRESS_INTERNAL: 422,
  TOO_MANY_WEBHOOKS: 422,
  TOO_MANY_MAILBOXES: 422,
  WEBHOOK_NOT_READY: 409,
  TIME_IN_FUTURE: 422,
  TIME_OUT_OF_RANGE: 422,
  TIME_ACTIVITY_ARCHIVED: 422,
  TIME_UNCHANGED: 422,
  REASON_MISSING: 422,
  FILE_NOT_HELD: 409,
  FILE_REMOVED: 409,
  PASSWORD_TOO_LONG: 422,
  PASSWORD_TOO_SHORT: 422,
  PASSWORD_COMMON: 422,
  TOKEN_INVALID: 422,
  IDENTITY_PROVIDER_INVALID: 422,
  SCOPE_REFUSED: 422,
  RATE_LIMITED: 429,
  TOO_MANY_ATTEMPTS: 429,
  INTERNAL: 500,
  JOB_WITHOUT_ORGANIZATION: 500,
  SSO_FAILED: 502,
  SERVICE_UNAVAILABLE: 503,
  TIMEOUT: 504,
} as const

export type ErrorCode = keyof typeof statusByCode

/** Refuses a request with a code that clients know. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: ErrorCode
  readonly status: number
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, details?: Record<string, unknown>) {
    super(message)
    this.code = code
    this.status = statusByCode[code]
    this.details = details
  }
}

/**
 * Every SQLSTATE that a client can cause. One without a message carries its own, written for people: those of class AD
 * are raised by our functions. Whatever is not here is our fault and told as INTERNAL.
 */
export const sqlStates: Readonly<Record<string, { code: ErrorCode; message?: string }>> = {
  AD001: { code: 'UNAUTHENTICATED' },
  AD003: { code: 'PASSWORD_TOO_LONG' },
  AD004: { code: 'SESSION_REQUIRED' },
  AD005: { code: 'PASSWORD_TOO_SHORT' },
  AD006: { code: 'PASSWORD_COMMON' },
  AD007: { code: 'LAST_ADMIN' },
  AD008: { code: 'WOULD_LOCK_YOU_OUT' },
  AD009: { code: 'NOT_YOURSELF' },
  AD010: { code: 'TOKEN_INVALID' },
  AD011: { code: 'ADDRESS_TAKEN' },
  AD012: { code: 'REGISTRATION_CLOSED' },
  AD013: { code: 'IDENTITY_PROVIDER_INVALID' },
  AD014: { code: 'SCOPE_REFUSED' },
  AD101: { code: 'NOT_FOUND' },
  AD102: { code: 'TICKET_CLOSED' },
  AD103: { code: 'ASSIGNEE_NOT_STAFF' },
  AD104: { code: 'SERVICE_ARCHIVED' },
  AD105: { code: 'STATUS_MOVE_REFUSED' },
  AD106: { code: 'VERSION_CONFLICT' },
  AD107: { code: 'ASSIGNEE_OUTSIDE_TEAM' },
  AD108: { code: 'TICKET_MERGED' },
  AD109: { code: 'CHILDREN_OPEN' },
  AD110: { code: 'SNOOZE_REFUSED' },
  AD111: { code: 'COMMENT_CONFLICT' },
  AD112: { code: 'MENTION_REFUSED' },
  AD113: { code: 'REOPEN_WINDOW_OVER' },
  AD114: { code: 'WATCHER_REFUSED' },
  AD115: { code: 'RELATIONSHIP_REFUSED' },
  AD116: { code: 'MERGE_REFUSED' },
  AD117: { code: 'ACTION_INVALID' },
  AD118: { code: 'TOO_MANY_TICKETS' },
  AD119: { code: 'CONDITION_INVALID' },
  AD140: { code: 'FIELD_UNKNOWN' },
  AD141: { code: 'FIELD_INVALID' },
  AD142: { code: 'FIELD_REQUIRED_TO_CREATE' },
  AD143: { code: 'FIELD_REQUIRED_TO_RESOLVE' },
  AD144: { code: 'FIELD_NOT_ASKED' },
  AD145: { code: 'FIELD_DEFINITION_INVALID' },
  AD150: { code: 'APPROVAL_REFUSED' },
  AD151: { code: 'APPROVER_REFUSED' },
  AD152: { code: 'APPROVAL_DECIDED' },
  AD153: { code: 'CHECKLIST_TOO_LONG' },
  AD160: { code: 'SEARCH_INVALID' },
  AD161: { code: 'VIEW_INVALID' },
  AD162: { code: 'TOO_MANY_VIEWS' },
  AD180: { code: 'DRAFT_CONFLICT' },
  AD181: { code: 'REPLY_NOT_ON_ITS_WAY' },
  AD182: { code: 'AUTHOR_GONE' },
  AD190: { code: 'AUTOMATION_INVALID' },
  AD191: { code: 'TOO_MANY_AUTOMATIONS' },
  AD201: { code: 'SLA_CALENDAR_WITHOUT_HOURS' },
  AD202: { code: 'SLA_CALENDAR_INVALID' },
  AD203: { code: 'SLA_TARGET_TOO_LONG' },
  AD204: { code: 'SLA_CALENDAR_IN_USE' },
  AD205: { code: 'SLA_ORDER_INCOMPLETE' },
  AD206: { code: 'SLA_TARGET_REFUSED' },
  AD220: { code: 'TIME_IN_FUTURE' },
  AD221: { code: 'TIME_OUT_OF_RANGE' },
  AD222: { code: 'TIME_ACTIVITY_ARCHIVED' },
  AD223: { code: 'TIME_UNCHANGED' },
  AD230: { code: 'ATTACHMENT_TOO_LARGE' },
  AD231: { code: 'ATTACHMENT_TYPE_REFUSED' },
  AD232: { code: 'TOO_MANY_ATTACHMENTS' },
  AD233: { code: 'ATTACHMENT_NOT_FOUND' },
  AD234: { code: 'ATTACHMENT_INFECTED' },
  AD236: { code: 'ATTACHMENT_EMPTY' },
  AD237: { code: 'ATTACHMENT_REMOVED' },
  AD238: { code: 'TOO_MANY_UPLOADS' },
  AD260: { code: 'MAILBOX_FROM_ENVIRONMENT' },
  AD261: { code: 'MAIL_NOT_TAKEN_UP' },
  AD262: { code: 'TOO_MANY_MAILBOXES' },
  AD290: { code: 'SURVEY_NOT_FOUND' },
  AD291: { code: 'SURVEY_EXPIRED' },
  AD240: { code: 'REASON_MISSING' },
  AD241: { code: 'FILE_NOT_HELD' },
  AD242: { code: 'FILE_REMOVED' },
  AD250: { code: 'MAIL_SENT_ALREADY' },
  AD251: { code: 'MAIL_NOT_WAITING' },
  AD252: { code: 'MAIL_VARIABLE_UNKNOWN' },
  AD253: { code: 'MAIL_VARIABLE_MISSING' },
  AD270: { code: 'WEBHOOK_ADDRESS_INTERNAL' },
  AD271: { code: 'TOO_MANY_WEBHOOKS' },
  AD272: { code: 'WEBHOOK_NOT_READY' },
  AD301: { code: 'JOB_WITHOUT_ORGANIZATION' },
  AD401: { code: 'AUDIT_APPEND_ONLY' },
  '25006': { code: 'TOKEN_SCOPE_MISSING', message: 'This API token may read, and change nothing' },
  '42501': { code: 'FORBIDDEN', message: 'You are not allowed to do that' },
  '23505': { code: 'CONFLICT', message: 'That is already taken' },
  '23503': { code: 'NOT_FOUND', message: 'Something this refers to is not there' },
  '23514': { code: 'INVALID_INPUT', message: 'A value is empty, too long or not of the expected form' },
  '23502': { code: 'INVALID_INPUT', message: 'A required value is missing' },
  '22001': { code: 'INVALID_INPUT', message: 'A value is too long' },
  '22003': { code: 'INVALID_INPUT', message: 'A number is out of range' },
  '22007': { code: 'INVALID_INPUT', message: 'A date or time is not of the expected form' },
  '22008': { code: 'INVALID_INPUT', message: 'A date or time is out of range' },
  '22009': { code: 'INVALID_INPUT', message: 'A time zone is out of range' },
  '22021': { code: 'INVALID_INPUT', message: 'A text holds a character that cannot be stored' },
  '22023': { code: 'INVALID_INPUT', message: 'A value is not acceptable' },
  '22P02': { code: 'INVALID_INPUT', message: 'A value is not of the expected form' },
  '22P05': { code: 'INVALID_INPUT', message: 'A text holds a character that cannot be stored' },
  '54001': { code: 'QUERY_TOO_EXPENSIVE', message: 'This asks for too much at once' },
  '57014': { code: 'TIMEOUT', message: 'This took too long and was given up' },
  '40001': { code: 'RETRY', message: 'Somebody changed the same thing at the same moment; try again' },
  '40P01': { code: 'RETRY', message: 'Somebody changed the same thing at the same moment; try again' },
  '55P03': { code: 'RETRY', message: 'Somebody is changing the same thing; try again' },
}

const unavailable: PublicError = {
  code: 'SERVICE_UNAVAILABLE',
  status: statusByCode.SERVICE_UNAVAILABLE,
  message: 'The service is not available right now; try again in a moment',
}

// Classes 08 (connection) and 57P01 to 57P05 (the server is going or not yet there), too many connections.
const unavailableState = /^(08...|57P0[1-5]|53300)$/
const unavailableSystemCode =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/
// What `pg` says of connections in words alone.
const unavailableWords =
  /^(timeout exceeded when trying to connect|connection terminated|client has encountered a connection error|cannot use a pool after)/i

interface DatabaseError extends Error {
  code?: string
  syscall?: string
  table?: string
  column?: string
  constraint?: string
}

/** Whether `error` says that the database cannot be reached, as opposed to that it refused something. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, message, syscall } = error as DatabaseError
  // A missing socket is a database that is away; a missing file is not.
  if (code === 'ENOENT') return syscall === 'connect'
  if (code && (unavailableState.test(code) || unavailableSystemCode.test(code))) return true
  return unavailableWords.test(message)
}

/** What a client may know about `error`; undefined when it is our fault and nothing may be said. */
export function publicError(error: unknown): PublicError | undefined {
  if (error instanceof RequestError) {
    const { code, status, message, details } = error
    return details ? { code, status, message, details } : { code, status, message }
  }
  if (isUnavailable(error)) return unavailable
  if (!(error instanceof Error)) return undefined
  const { code: state } = error as DatabaseError
  const known = state === undefined ? undefined : sqlStates[state]
  if (!known) return undefined
  const answer = {
    code: known.code,
    status: statusByCode[known.code],
    message: known.message ?? error.message,
  }
  const field = fieldOf(error)
  return field ? { ...answer, details: { field } } : answer
}

/** The answer to a fault of ours: an id to look up in the log, where the caller writes it with the error. */
export function internalError(): PublicError & { details: { errorId: string } } {
  const errorId = randomUUID()
  return {
    code: 'INTERNAL',
    status: statusByCode.INTERNAL,
    message: `Something went wrong here. Tell your administrator the error id ${errorId}`,
    details: { errorId },
  }
}

/** What an error is about, as the API names it: `tickets_subject_check` is about `subject`. */
function fieldOf(error: DatabaseError): string | undefined {
  const { code, table, column, constraint } = error
  // Ours name it as the API does.
  if (column && code?.startsWith('AD')) return column
  const named = column ?? (table && constraint ? columnOfConstraint(table, constraint) : undefined)
  return named && named !== 'organization_id' ? camelCase(named) : undefined
}

function columnOfConstraint(table: string, constraint: string): string | undefined {
  if (!constraint.startsWith(`${table}_`)) return undefined
  const rest = constraint.slice(table.length + 1)
  return /^(.+)_check$/.exec(rest)?.[1] ?? /^organization_id_(.+)_fkey$/.exec(rest)?.[1]
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
