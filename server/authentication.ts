import type { Pool } from 'pg'
import type { AccessTokens, Claims } from './access-token.ts'
import {
  addressNotAllowed,
  ApiTokens,
  isApiToken,
  organizationSuspended,
  type ApiTokenClaims,
} from './api-tokens.ts'
import type { Bearer } from './caller.ts'
import { RequestError } from './errors.ts'
import { IpVerdicts } from './ip-verdicts.ts'
import type { RateLimits } from './rate-limits.ts'
import type { Revocations } from './revocations.ts'

/** Says who asks. */
export interface Authentication {
  /**
   * Whoever showed `token` at an address; nobody, and never silently a stranger, where it is not good: then it throws
   * UNAUTHENTICATED, ORGANIZATION_SUSPENDED, ADDRESS_NOT_ALLOWED or, to who guesses, RATE_LIMITED.
   */
  identify(token: string, ipAddress: string, requestId?: string): Promise<Bearer>
  /** Throws the same where somebody who was let in before would not be let in now. */
  confirm(bearer: Bearer, ipAddress: string): Promise<void>
}

/**
 * A token says who it is from; whether that still holds is known from what was heard to be taken back, and where
 * nothing would be heard the database is asked each time.
 */
export function createAuthentication(options: {
  pool: Pool
  accessTokens: AccessTokens
  revocations: Revocations
  rateLimits: RateLimits
}): Authentication {
  const { pool, accessTokens, revocations, rateLimits } = options
  const ipVerdicts = new IpVerdicts({ pool, revocations })
  const apiTokens = new ApiTokens({ pool, revocations, rateLimits })

  async function isLive(organizationId: string, sessionId: string): Promise<boolean> {
    const { rows } = await pool.query<{ live: boolean }>(
      'select app_private.session_is_live($1, $2) as live',
      [organizationId, sessionId],
    )
    return rows[0]!.live
  }

  async function confirmSession(claims: Claims, ipAddress: string): Promise<void> {
    const { organizationId, sessionId, role } = claims
    const isSessionLive = () => isLive(organizationId, sessionId)
    if (await revocations.isSessionEnded(sessionId, isSessionLive)) throw unauthenticated()
    if (revocations.isComplete) {
      if (revocations.isOrganizationSuspended(organizationId)) throw organizationSuspended()
    } else if (!(await isSessionLive())) throw unauthenticated()
    if (!(await ipVerdicts.isAllowed(organizationId, role, ipAddress))) throw addressNotAllowed()
  }

  async function confirmApiToken(claims: ApiTokenClaims, ipAddress: string): Promise<void> {
    const now = await apiTokens.claimsOfHash(claims.tokenHash, ipAddress)
    if (now?.role !== claims.role || now.isReadOnly !== claims.isReadOnly) throw unauthenticated()
  }

  return {
    async identify(token, ipAddress, requestId) {
      if (isApiToken(token)) {
        const claims = await apiTokens.claimsOf(token, ipAddress, requestId)
        if (!claims) throw unauthenticated('This API token is not good, or not any more')
        return claims
      }
      const claims = accessTokens.verify(token)
      if (!claims) throw unauthenticated()
      await confirmSession(claims, ipAddress)
      return claims
    },
    confirm: (bearer, ipAddress) =>
      'sessionId' in bearer ? confirmSession(bearer, ipAddress) : confirmApiToken(bearer, ipAddress),
  }
}

const unauthenticated = (message = 'Your session has ended; log in again'): RequestError =>
  new RequestError('UNAUTHENTICATED', message)
