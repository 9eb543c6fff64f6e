import { createHash } from 'node:crypto'
import type { Pool } from 'pg'
import type { UserRole } from './access-token.ts'
import { withTransaction } from './database.ts'
import { RequestError } from './errors.ts'
import { limits, networkOf, type RateLimits } from './rate-limits.ts'
import { RememberedAnswers } from './remembered-answers.ts'
import type { Revocations } from './revocations.ts'

const prefix = 'atum_'
const pattern = /^atum_[0-9a-f]{56}$/
const secretLength = prefix.length + 48
const remembered = 10_000
const rememberedMilliseconds = 60_000

/** What an API token says about its bearer. */
export interface ApiTokenClaims {
  apiTokenId: string
  /** The sha256 of the token, by which it is asked for again. */
  tokenHash: string
  /** In whose name. */
  userId: string
  organizationId: string
  /** No more than the scopes give. */
  role: UserRole
  isReadOnly: boolean
  /** Seconds since 1970; null where it does not end by itself. */
  expiresAt: number | null
}

type Answer =
  | (Omit<ApiTokenClaims, 'tokenHash' | 'isReadOnly'> & { readOnly: boolean; refused?: undefined })
  | { refused: 'organization_suspended' | 'address_not_allowed'; readOnly?: undefined }

/** Whether a text is meant as an API token, and not as an access token. */
export const isApiToken = (token: string): boolean => token.startsWith(prefix)

/** Whether a text can be an API token: its last eight digits follow from the rest. */
export function isWellFormed(token: string): boolean {
  return pattern.test(token) && checksumOf(token.slice(0, secretLength)) === token.slice(secretLength)
}

/** The checksum at the end of a token, over all that stands before it. */
export const checksumOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 8)

/** Asks the database about API tokens, and remembers the good ones for a minute. */
export class ApiTokens {
  readonly #pool: Pool
  readonly #rateLimits: RateLimits
  readonly #answers: RememberedAnswers<ApiTokenClaims | undefined>

  constructor(options: { pool: Pool; revocations: Revocations; rateLimits: RateLimits }) {
    const { pool, revocations, rateLimits } = options
    this.#pool = pool
    this.#rateLimits = rateLimits
    this.#answers = new RememberedAnswers<ApiTokenClaims | undefined>({
      isHearing: () => revocations.isComplete,
      isKept: (claims) => claims !== undefined,
      maximum: remembered,
      milliseconds: rememberedMilliseconds,
    })
    revocations.listen((news) => {
      if (news.kind === 'everything') this.#answers.forgetAll()
      else if (news.kind !== 'session') {
        this.#answers.forget((_key, claims) => claims !== undefined && concerns(claims, news.id))
      }
    })
  }

  /** The claims of a token that is good from this address; undefined where it is none of ours. */
  async claimsOf(token: string, ipAddress: string, requestId?: string): Promise<ApiTokenClaims | undefined> {
    if (!isWellFormed(token)) return undefined
    return this.claimsOfHash(createHash('sha256').update(token).digest('hex'), ipAddress, requestId)
  }

  /** The same for a token of which only the hash is known. */
  async claimsOfHash(
    tokenHash: string,
    ipAddress: string,
    requestId = '',
  ): Promise<ApiTokenClaims | undefined> {
    const key = `${tokenHash} ${ipAddress}`
    // Who has guessed too often is not even looked up. A token that is known to be good is not in question.
    if (!this.#answers.has(key)) this.#rateLimits.refuseWhenSpent(limits.wrongToken, networkOf(ipAddress))
    const claims = await this.#answers.get(key, () => this.#ask(tokenHash, ipAddress, requestId))
    if (claims?.expiresAt != null && claims.expiresAt * 1_000 <= Date.now()) return undefined
    return claims
  }

  async #ask(tokenHash: string, ipAddress: string, requestId: string): Promise<ApiTokenClaims | undefined> {
    // A use from a new address is recorded, with where it came from and in which request.
    const origin = { 'atum.ip_address': ipAddress, 'atum.request_id': requestId }
    const { rows } = await withTransaction(this.#pool, origin, (client) =>
      client.query<{ answer: Answer | null }>('select app_private.api_token_claims($1, $2) as answer', [
        Buffer.from(tokenHash, 'hex'),
        ipAddress,
      ]),
    )
    const { answer } = rows[0]!
    if (!answer || answer.refused) {
      await this.#rateLimits.spend(limits.wrongToken, networkOf(ipAddress))
      if (!answer) return undefined
      throw answer.refused === 'organization_suspended' ? organizationSuspended() : addressNotAllowed()
    }
    const { apiTokenId, userId, organizationId, role, readOnly, expiresAt } = answer
    return { apiTokenId, tokenHash, userId, organizationId, role, isReadOnly: readOnly, expiresAt }
  }
}

/** All ids are UUIDs, so that of which thing the id is does not matter. */
const concerns = (claims: ApiTokenClaims, id: string): boolean =>
  claims.apiTokenId === id || claims.userId === id || claims.organizationId === id

export const organizationSuspended = (): RequestError =>
  new RequestError('ORGANIZATION_SUSPENDED', 'Your organization is closed for the time being')

export const addressNotAllowed = (): RequestError =>
  new RequestError('ADDRESS_NOT_ALLOWED', 'Your organization does not allow access from this address')
