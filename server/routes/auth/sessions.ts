import { Router } from 'express'
import { isFromThisMachine } from '../../caller.ts'
import type { Admission, Admitted } from './admission.ts'
import { visitorOf } from './asking.ts'
import type { AuthParts } from './auth-routes.ts'
import { field, fieldsOf, optionalField, parseJson } from './fields.ts'
import { onlyPrograms } from './own-pages.ts'
import type { Refused } from './refusals.ts'
import { endSessionUrl } from './single-sign-on.ts'

/** Logging in with a password, staying logged in and logging out. */
export function sessionRoutes(parts: AuthParts): Router {
  const { ask, askInLine, admissions, cookie, trustedProxies, production, smtpConfigured } = parts
  const routes = Router()

  routes.get('/methods', async (request, response) => {
    const organization = optionalField(request.query, 'organization')
    const methods = await ask<object>({ request, response }, 'login_methods', {
      organization_slug: organization,
    })
    response.json({ ...methods, mail: smtpConfigured })
  })

  routes.post('/login', parseJson, async (request, response) => {
    const fields = fieldsOf(request)
    const admission = await askInLine<Admission>({ request, response }, 'log_in', {
      email: field(fields, 'email').trim(),
      password: field(fields, 'password'),
      organization_slug: optionalField(fields, 'organization'),
      demo_allowed: !production && isFromThisMachine(request),
      ...visitorOf(request, trustedProxies),
    })
    await admissions.answer(response, admission)
  })

  routes.post('/refresh', onlyPrograms, async (request, response) => {
    const refreshToken = cookie.read(request)
    const admission =
      refreshToken === undefined
        ? ({ outcome: 'session_expired' } as const)
        : await ask<Admitted | Refused>({ request, response }, 'refresh_session', {
            refresh_token: refreshToken,
            ...visitorOf(request, trustedProxies),
          })
    // A session outlives a suspended organization and a network that is not allowed: only what has ended is forgotten.
    if (admission.outcome === 'session_expired') cookie.clear(response)
    await admissions.answer(response, admission)
  })

  routes.post('/logout', onlyPrograms, async (request, response) => {
    const refreshToken = cookie.read(request)
    cookie.clear(response)
    const exchange = { request, response }
    const ended =
      refreshToken === undefined
        ? null
        : await ask<{ providerId: string; idToken: string | null } | null>(exchange, 'log_out', {
            refresh_token: refreshToken,
          })
    const url = ended && (await endSessionUrl(parts, exchange, ended))
    if (url) response.json({ endSessionUrl: url })
    else response.status(204).end()
  })

  return routes
}
