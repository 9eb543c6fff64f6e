import { createSecretKey } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { createKeyRing } from './key-ring.ts'

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

/** Whether a value is a UUID as Postgres writes it. */
export const isUuid = (value: unknown): value is string =>
  typeof value === 'string' && uuidPattern.test(value)

/**
 * Signs access tokens with the first secret and checks them with the one they name: two live side by side while one
 * replaces the other.
 */
export function createAccessTokens(secrets: readonly string[]): AccessTokens {
  // Key objects once: from a text the library would make one for each request.
  const ring = createKeyRing(secrets, (secret) => createSecretKey(Buffer.from(secret, 'utf8')))

  return {
    sign: ({ userId, organizationId, role, sessionId }) =>
      jwt.sign({ org: organizationId, role, sid: sessionId }, ring.current.key, {
        algorithm,
        keyid: ring.current.id,
        issuer,
        audience: issuer,
        subject: userId,
        expiresIn: accessTokenSeconds,
      }),
    verify(token) {
      try {
        const key = ring.find(keyIdOf(token))
        if (!key) return undefined
        // The token chooses among our keys, and never how it is checked.
        const payload = jwt.verify(token, key, { algorithms: [algorithm], issuer, audience: issuer })
        if (typeof payload === 'string') return undefined
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

/** The name of the key that a token says it was signed with. */
export function keyIdOf(token: string): string {
  const [header = ''] = token.split('.', 1)
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { kid?: unknown }
  return typeof kid === 'string' ? kid : ''
}

/** The token of an `authorization` value; undefined when there is none, an empty text when it is of another kind. */
export function bearerToken(authorization: unknown): string | undefined {
  if (authorization === undefined || authorization === null) return undefined
  if (typeof authorization !== 'string') return ''
  return /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization)?.[1] ?? ''
}
