import { createHash, createSecretKey } from 'node:crypto'
import jwt from 'jsonwebtoken'

const issuer = 'atum-desk'
const algorithm = 'HS256'

/** How long an access token is good for. */
export const accessTokenSeconds = 600

export const userRoles = ['customer', 'agent', 'manager', 'admin'] as const
export type UserRole = (typeof userRoles)[number]

/** What an access token says about its bearer. */
export interface Claims {
  userId: string
  organizationId: string
  role: UserRole
  sessionId: string
  /** Seconds since 1970. */
  expiresAt: number
}

export interface AccessTokens {
  sign(claims: Omit<Claims, 'expiresAt'>): string
  /** The claims of a token that is ours and still good; undefined for any other text. */
  verify(token: string): Claims | undefined
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const isUuid = (value: unknown): value is string => typeof value === 'string' && uuidPattern.test(value)

/** Signs and checks access tokens with one secret. The key's id is derived from it, so a new secret is a new key. */
export function createAccessTokens(secret: string): AccessTokens {
  // A key object once: from a string the library would make one for each request.
  const key = createSecretKey(Buffer.from(secret, 'utf8'))
  const keyid = createHash('sha256').update(`atum key id:${secret}`).digest('base64url').slice(0, 11)

  return {
    sign: ({ userId, organizationId, role, sessionId }) =>
      jwt.sign({ org: organizationId, role, sid: sessionId }, key, {
        algorithm,
        keyid,
        issuer,
        audience: issuer,
        subject: userId,
        expiresIn: accessTokenSeconds,
      }),
    verify(token) {
      try {
        const { header, payload } = jwt.verify(token, key, {
          algorithms: [algorithm],
          issuer,
          audience: issuer,
          complete: true,
        })
        if (header.kid !== keyid || typeof payload === 'string') return undefined
        const { sub, org, role, sid, exp } = payload as Record<string, unknown>
        // The library accepts a token without an end.
        if (typeof exp !== 'number' || !isUuid(sub) || !isUuid(org) || !isUuid(sid)) return undefined
        const known = userRoles.find((name) => name === role)
        if (!known) return undefined
        return { userId: sub, organizationId: org, role: known, sessionId: sid, expiresAt: exp }
      } catch {
        return undefined
      }
    },
  }
}

/** The token of an `authorization` value; undefined when there is none, an empty text when it is of another kind. */
export function bearerToken(authorization: unknown): string | undefined {
  if (authorization === undefined || authorization === null) return undefined
  if (typeof authorization !== 'string') return ''
  return /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization)?.[1] ?? ''
}
