import { placeOf } from '../../encryption.ts'
import { Router } from 'express'
import { RequestError } from '../../errors.ts'
import type { Admission } from './admission.ts'
import { visitorOf } from './asking.ts'
import type { AuthParts } from './auth-routes.ts'
import { askDirectory } from './directory-client.ts'
import { field, fieldsOf, parseJson } from './fields.ts'
import { identityProvider, ProviderFailure } from './identity-providers.ts'
import { onlyPrograms } from './own-pages.ts'
import { refuse, type Refused } from './refusals.ts'

/** That a password may be tried, and what to show again when that was done. */
interface Allowed {
  outcome: 'ok'
  receipt: unknown
}

/** Logging in with the name and password of an organization's own directory. */
export function directoryRoutes(parts: AuthParts): Router {
  const { ask, admissions, encryption, trustedProxies, logger } = parts
  const routes = Router()

  routes.post('/directory/:providerId', onlyPrograms, parseJson, async (request, response) => {
    const exchange = { request, response }
    const fields = fieldsOf(request)
    const username = field(fields, 'username').trim()
    const password = field(fields, 'password')
    const directory = await identityProvider(ask, exchange, 'ldap', String(request.params.providerId))
    const visitor = visitorOf(request, trustedProxies)
    const attempt = { provider_id: directory.id, username, ip_address: visitor.ip_address }

    const bindPassword =
      directory.secret === null
        ? null
        : encryption.decrypt(directory.secret, placeOf.identityProvider(directory.id))

    // Counted before it is tried, so that guesses that come at once do not all pass.
    const allowed = await ask<Allowed | Refused>(exchange, 'directory_attempt', attempt)
    if (allowed.outcome !== 'ok') refuse(allowed)
    const answered = (answer: 'right' | 'wrong' | 'none') =>
      ask<null>(exchange, 'directory_answered', { ...attempt, receipt: allowed.receipt, answer })

    const person = await askDirectory(directory, bindPassword, username, password).catch(
      async (error: unknown) => {
        if (!(error instanceof ProviderFailure)) throw error
        await answered('none')
        logger.warn({ reason: error.message, providerId: directory.id }, 'a directory did not answer')
        throw new RequestError('SSO_FAILED', 'Your directory does not answer right now')
      },
    )
    await answered(person ? 'right' : 'wrong')
    if (!person) refuse({ outcome: 'invalid_credentials' })

    const { emailVerified, ...known } = person
    const admission = await ask<Admission>(exchange, 'log_in_by_provider', {
      provider_id: directory.id,
      ...known,
      email_verified: emailVerified,
      id_token: null,
      ...visitor,
    })
    await admissions.answer(response, admission)
  })

  return routes
}
