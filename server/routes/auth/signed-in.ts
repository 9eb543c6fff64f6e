import type { Request, Response } from 'express'
import type { Pool } from 'pg'
import { bearerToken } from '../../access-token.ts'
import type { Authentication } from '../../authentication.ts'
import { clientAddress, settingsOf } from '../../caller.ts'
import { withTransaction } from '../../database.ts'
import { RequestError } from '../../errors.ts'

/** A person who is logged in, in a session of theirs. */
export interface SignedInPerson {
  organizationId: string
  userId: string
  /** What a transaction is told of them. */
  claims: Record<string, string>
  email(): Promise<string>
}

/** Who asks. UNAUTHENTICATED for strangers, SESSION_REQUIRED for programs with an API token. */
export type SignedIn = (request: Request, response: Response) => Promise<SignedInPerson>

export function createSignedIn(options: {
  pool: Pool
  authentication: Authentication
  trustedProxies: number
}): SignedIn {
  const { pool, authentication, trustedProxies } = options

  return async (request, response) => {
    const ipAddress = clientAddress(request, trustedProxies)
    const token = bearerToken(request.get('authorization'))
    if (token === undefined) throw new RequestError('UNAUTHENTICATED', 'Log in first')
    const requestId = response.locals.requestId as string
    const bearer = await authentication.identify(token, ipAddress, requestId)
    if (!('sessionId' in bearer)) {
      throw new RequestError('SESSION_REQUIRED', 'Only a person who logged in may do that, not an API token')
    }
    const { organizationId, userId, sessionId } = bearer
    return {
      organizationId,
      userId,
      claims: {
        'atum.organization_id': organizationId,
        'atum.user_id': userId,
        'atum.session_id': sessionId,
      },
      email: () =>
        withTransaction(pool, settingsOf({ claims: bearer, ipAddress, requestId }), async (client) => {
          const { rows } = await client.query<{ email: string }>(
            'select email from app_public."current_user"()',
          )
          return rows[0]!.email
        }),
    }
  }
}
