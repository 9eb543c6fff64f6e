import { createSecretKey } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { isUuid, keyIdOf, userRoles, type Claims } from './access-token.ts'
import { createKeyRing } from './key-ring.ts'

const issuer = 'atum-desk'
const audience = 'atum-desk files'
const algorithm = 'HS256'

/** How long a link to a file is good for. */
export const fileLinkSeconds = 300

/** What a link lets do. */
export type FileUse = 'download' | 'preview'

/** What a link says: which file, what for, and on whose behalf. */
export interface FileLink {
  attachmentId: string
  use: FileUse
  claims: Claims
}

export interface FileLinks {
  sign(link: { attachmentId: string; use: FileUse; claims: Omit<Claims, 'expiresAt'> }): {
    token: string
    expiresAt: Date
  }
  /** What a token of ours says that is still good; undefined for any other text. */
  verify(token: string): FileLink | undefined
}

/**
 * Signs links to files for what cannot show an access token, such as `<img src>`. A link is one person's, in one session:
 * when that has ended, the link is worth nothing. An access token is no link, and a link no access token: each is for
 * an audience of its own.
 */
export function createFileLinks(secrets: readonly string[]): FileLinks {
  const ring = createKeyRing(secrets, (secret) => createSecretKey(Buffer.from(secret, 'utf8')))

  return {
    sign({ attachmentId, use, claims: { userId, organizationId, role, sessionId } }) {
      const expiresAt = new Date((Math.floor(Date.now() / 1_000) + fileLinkSeconds) * 1_000)
      const token = jwt.sign(
        {
          org: organizationId,
          role,
          sid: sessionId,
          file: attachmentId,
          use,
          exp: expiresAt.getTime() / 1_000,
        },
        ring.current.key,
        { algorithm, keyid: ring.current.id, issuer, audience, subject: userId },
      )
      return { token, expiresAt }
    },
    verify(token) {
      try {
        const key = ring.find(keyIdOf(token))
        if (!key) return undefined
        const payload = jwt.verify(token, key, { algorithms: [algorithm], issuer, audience })
        if (typeof payload === 'string') return undefined
        const { sub, org, role, sid, exp, file, use } = payload as Record<string, unknown>
        if (typeof exp !== 'number' || !isUuid(sub) || !isUuid(org) || !isUuid(sid) || !isUuid(file))
          return undefined
        const known = userRoles.find((name) => name === role)
        if (!known || (use !== 'download' && use !== 'preview')) return undefined
        return {
          attachmentId: file,
          use,
          claims: {
            userId: sub,
            organizationId: org,
            role: known,
            sessionId: sid,
            expiresAt: exp,
          },
        }
      } catch {
        return undefined
      }
    },
  }
}
