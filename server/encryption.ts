import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { createKeyRing } from './key-ring.ts'

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const ivBytes = 12
const tagBytes = 16

/** Secrets that must be read back, as they are kept in the database. */
export interface Encryption {
  /** Seals a text for one place: `context` says which, and is not secret. */
  encrypt(text: string, context: string): string
  /** Opens what was sealed for that place by one of the keys; throws for anything else. */
  decrypt(sealed: string, context: string): string
  /** Whether the key in use sealed it, as opposed to one that is being replaced. */
  isCurrent(sealed: string): boolean
}

/** Where a secret is kept, as it is sealed for that place. */
export const placeOf = {
  /** The secret of a person's one-time codes. */
  authenticator: (organizationId: string, userId: string): string => `totp:${organizationId}:${userId}`,
  /** What an identity provider knows us by. */
  identityProvider: (providerId: string): string => `provider:${providerId}`,
  /** What an identity provider said of a person who logged in, to log out there too. */
  idToken: (providerId: string): string => `id-token:${providerId}`,
  /** What a webhook's calls are signed with; the one before has the same place. */
  webhook: (organizationId: string, webhookId: string): string => `webhook:${organizationId}:${webhookId}`,
  /** What a mailbox is opened with. */
  mailbox: (organizationId: string, mailboxId: string): string => `mailbox:${organizationId}:${mailboxId}`,
  /** What servers tell each other of who is at a ticket. */
  presence: 'presence',
} as const

/**
 * AES-256-GCM. What is sealed reads `v1.<key id>.<iv>.<ciphertext and tag>`. The context is authenticated with it, so
 * that a secret which somebody copies into another row of the database does not open there.
 */
export function createEncryption(keys: readonly string[]): Encryption {
  const ring = createKeyRing(keys, (key) =>
    Buffer.from(hkdfSync('sha256', key, '', 'atum-desk encryption', keyBytes)),
  )

  return {
    encrypt(text, context) {
      const { id, key } = ring.current
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagBytes })
      cipher.setAAD(Buffer.from(context, 'utf8'))
      const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${id}.${iv.toString('base64url')}.${ciphertext.toString('base64url')}`
    },
    decrypt(sealed, context) {
      const { id, iv, ciphertext, tag } = parts(sealed)
      const key = ring.find(id)
      if (!key) throw new Error(`The key ${id}, which sealed a secret, is not among ours`)
      const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes })
      decipher.setAAD(Buffer.from(context, 'utf8'))
      decipher.setAuthTag(tag)
      try {
        return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8')
      } catch (error) {
        throw new Error('A secret was changed, or sealed for another place', { cause: error })
      }
    },
    isCurrent: (sealed) => parts(sealed).id === ring.current.id,
  }
}

function parts(sealed: string): { id: string; iv: Buffer; ciphertext: Buffer; tag: Buffer } {
  const [version, id = '', iv = '', rest = '', ...more] = sealed.split('.')
  const bytes = Buffer.from(rest, 'base64url')
  const vector = Buffer.from(iv, 'base64url')
  if (version !== 'v1' || more.length > 0 || vector.length !== ivBytes || bytes.length < tagBytes) {
    throw new Error('This is not a sealed secret')
  }
  return { id, iv: vector, ciphertext: bytes.subarray(0, -tagBytes), tag: bytes.subarray(-tagBytes) }
}
