import { randomBytes } from 'node:crypto'
import { type RequestHandler, Router } from 'express'
import type { Pool } from 'pg'
import type { Authentication } from '../authentication.ts'
import { type Encryption, placeOf } from '../encryption.ts'
import { RequestError } from '../errors.ts'
import { limitRequests } from '../middleware/rate-limit.ts'
import type { RateLimits } from '../rate-limits.ts'
import { createAsk } from './auth/asking.ts'
import { asInvalidInput, type Fields, fieldsOf, isUuid, parseJson } from './auth/fields.ts'
import { createSignedIn } from './auth/signed-in.ts'

const secretBytes = 32
const usualOverlap = 24 * 3_600
const longestOverlap = 7 * 24 * 3_600

/** Makes the secrets of webhooks. An admin is shown each once, when it is made; it is kept sealed, and comes out for nobody. */
export function webhookRoutes(options: {
  pool: Pool
  authentication: Authentication
  /** Knows who asks before requests are counted. */
  authenticate: RequestHandler
  rateLimits: RateLimits
  encryption: Encryption
  trustedProxies: number
}): Router {
  const { pool, trustedProxies, encryption, authenticate, rateLimits } = options
  const ask = createAsk(pool, trustedProxies)
  const signedIn = createSignedIn(options)

  const routes = Router()
  routes.post(
    '/:webhookId/secret',
    authenticate,
    limitRequests(rateLimits),
    parseJson,
    async (request, response) => {
      response.set('cache-control', 'no-store')
      const { claims, organizationId } = await signedIn(request, response)
      const webhookId = String(request.params.webhookId).toLowerCase()
      if (!isUuid(webhookId)) {
        throw new RequestError('INVALID_INPUT', 'The webhook is named by a UUID', { field: 'webhookId' })
      }
      const overlap = overlapOf(fieldsOf(request))

      // As the Standard Webhooks specification writes a secret.
      const secret = `whsec_${randomBytes(secretBytes).toString('base64')}`
      const answer = await ask<{ outcome: 'ok'; previousUntil: string | null } | { outcome: 'not_found' }>(
        { request, response },
        'set_webhook_secret',
        {
          webhook_id: webhookId,
          secret: encryption.encrypt(secret, placeOf.webhook(organizationId, webhookId)),
          keep_previous: `${overlap} seconds`,
        },
        claims,
      )
      if (answer.outcome !== 'ok') throw new RequestError('NOT_FOUND', 'There is no such webhook')
      response.status(201).json({ secret, previousUntil: answer.previousUntil })
    },
  )

  routes.use(asInvalidInput)
  return routes
}

function overlapOf({ keepPreviousSeconds: value = usualOverlap }: Fields): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > longestOverlap) {
    throw new RequestError(
      'INVALID_INPUT',
      `keepPreviousSeconds must be a whole number from 0 to ${longestOverlap}`,
      { field: 'keepPreviousSeconds' },
    )
  }
  return value
}
