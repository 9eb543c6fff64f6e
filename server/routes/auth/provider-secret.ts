import { placeOf } from '../../encryption.ts'
import { Router } from 'express'
import { RequestError } from '../../errors.ts'
import type { AuthParts } from './auth-routes.ts'
import { field, fieldsOf, isUuid, parseJson } from './fields.ts'
import { refuse, type Refused } from './refusals.ts'

/** Takes the secret of an identity provider from an admin. It goes in encrypted and comes out for nobody. */
export function providerSecretRoutes({ ask, encryption, signedIn }: AuthParts): Router {
  const routes = Router()

  routes.post('/identity-provider-secret', parseJson, async (request, response) => {
    const { claims } = await signedIn(request, response)
    const fields = fieldsOf(request)
    const providerId = field(fields, 'providerId').toLowerCase()
    const secret = field(fields, 'secret')
    if (!isUuid(providerId)) {
      throw new RequestError('INVALID_INPUT', 'providerId must be a UUID', { field: 'providerId' })
    }
    const answer = await ask<{ outcome: 'ok' } | Refused>(
      { request, response },
      'set_identity_provider_secret',
      { provider_id: providerId, secret: encryption.encrypt(secret, placeOf.identityProvider(providerId)) },
      claims,
    )
    if (answer.outcome !== 'ok') refuse(answer)
    response.status(204).end()
  })

  return routes
}
