import { RequestError, type ErrorCode } from '../../errors.ts'

/** What the database answers instead of raising, so that the failure is recorded, and what it is called here. */
const refusals = {
  invalid_credentials: ['INVALID_CREDENTIALS', 'The mail address or the password is wrong'],
  organization_required: ['ORGANIZATION_REQUIRED', 'Choose the organization to log in to'],
  too_many_attempts: ['TOO_MANY_ATTEMPTS', 'Too many attempts; wait before the next one'],
  organization_suspended: ['ORGANIZATION_SUSPENDED', 'This organization is closed for now'],
  address_not_allowed: ['ADDRESS_NOT_ALLOWED', 'Your organization does not allow logins from where you are'],
  email_not_verified: [
    'EMAIL_NOT_VERIFIED',
    'Verify your mail address first: open the link that was sent to you',
  ],
  local_login_off: ['LOCAL_LOGIN_OFF', 'Your organization logs in by its identity provider'],
  session_expired: ['UNAUTHENTICATED', 'Your session has ended; log in again'],
  challenge_expired: ['CHALLENGE_EXPIRED', 'This login took too long or was tried too often; log in again'],
  invalid_code: ['INVALID_CODE', 'This code is wrong, or was used before'],
  two_factor_already_on: ['TWO_FACTOR_ALREADY_ON', 'You log in with two factors already'],
  two_factor_off: ['TWO_FACTOR_OFF', 'You do not log in with two factors'],
  refused: ['SSO_REFUSED', 'Your organization has no place for this account'],
  not_found: ['NOT_FOUND', 'There is no such identity provider'],
} as const satisfies Record<string, readonly [ErrorCode, string]>

/** An answer of the database that refuses. */
export interface Refused {
  outcome: keyof typeof refusals
  retryAfterSeconds?: number
  organizations?: { slug: string; name: string }[]
  reason?: string
}

/** What it is called where nobody reads JSON. */
export const codeOf = ({ outcome }: Refused): ErrorCode => refusals[outcome][0]

/** Refuses the request as the database did. */
export function refuse({ outcome, ...about }: Refused): never {
  // Typed by hand: the database may have learnt another word.
  if (!(outcome in refusals)) throw new Error(`The database answered with the unknown outcome ${outcome}`)
  const [code, message] = refusals[outcome]
  throw new RequestError(code, message, Object.keys(about).length > 0 ? about : undefined)
}
