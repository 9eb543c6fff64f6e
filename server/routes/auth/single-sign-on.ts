import { placeOf } from '../../encryption.ts'
import { Router, type Response } from 'express'
import { publicError, RequestError } from '../../errors.ts'
import { type Admission, challengeOf, isAdmitted, isChallenged } from './admission.ts'
import { type Exchange, visitorOf } from './asking.ts'
import type { AuthParts } from './auth-routes.ts'
import { identityProvider, ProviderFailure } from './identity-providers.ts'
import { codeOf } from './refusals.ts'
import { createJourneys, doorTo, placeInApp } from './sso-journey.ts'

const callbackPath = '/api/v1/auth/sso/callback'

// What a browser says of a request that no page asked for, or one of ours; nothing over plain HTTP.
const ownSites = new Set([undefined, 'none', 'same-origin'])

/**
 * Logging in by OpenID Connect. The browser walks: from us to the provider and back, so whatever goes wrong is a page
 * with a code and no JSON.
 */
export function singleSignOnRoutes(parts: AuthParts): Router {
  const { ask, admissions, openIdClient, encryption, publicOrigins, trustedProxies } = parts
  const journeys = createJourneys(encryption, publicOrigins)
  const canonicalOrigin = publicOrigins[0]!
  // Each provider sends people back to an address of its own. With one for all, a provider could send somebody on to
  // another one, and we would hand it the code of that one.
  const redirectUriOf = (providerId: string) => `${canonicalOrigin}${callbackPath}/${providerId}`
  const routes = Router()

  routes.get('/sso/callback/:providerId', async (request, response) => {
    const traveller = journeys.end(request, response)
    const next = placeInApp(traveller?.next)
    await orToTheDoor(parts, response, next, async () => {
      if (!traveller) throw new RequestError('SSO_FAILED', 'Nobody is on the way back from here')
      if (request.params.providerId !== traveller.providerId) {
        throw new RequestError('SSO_FAILED', 'Somebody came back from another provider than they went to')
      }
      const provider = await identityProvider(ask, { request, response }, 'oidc', traveller.providerId)
      const url = new URL(new URL(request.originalUrl, canonicalOrigin).search, redirectUriOf(provider.id))
      const person = await openIdClient.arrive(provider, url, traveller)
      if (!person) throw new RequestError('SSO_REFUSED', 'The identity provider or the person said no')

      const { emailVerified, idToken, ...known } = person
      const admission = await ask<Admission>({ request, response }, 'log_in_by_provider', {
        provider_id: provider.id,
        ...known,
        email_verified: emailVerified,
        id_token: encryption.encrypt(idToken, placeOf.idToken(provider.id)),
        ...visitorOf(request, trustedProxies),
      })
      if (isChallenged(admission)) {
        const { challenge, step } = challengeOf(admission)
        // Behind the hash, which no server is sent and no log keeps.
        response.redirect(`/two-factor#${new URLSearchParams({ challenge, step, next }).toString()}`)
      } else if (isAdmitted(admission)) {
        if (admission.refreshToken !== undefined) await admissions.keep(response, admission.refreshToken)
        response.redirect(`/signed-in?${new URLSearchParams({ next }).toString()}`)
      } else {
        throw new RequestError(codeOf(admission), 'The database refused')
      }
    })
  })

  routes.get('/sso/:providerId/start', async (request, response) => {
    const next = placeInApp(request.query.next)
    // The cookie must be where the provider sends people back to.
    const asked = publicOrigins.slice(1).find((origin) => URL.parse(origin)?.host === request.headers.host)
    if (asked !== undefined) {
      const { pathname, search } = new URL(request.originalUrl, canonicalOrigin)
      response.redirect(canonicalOrigin + pathname + search)
      return
    }
    await orToTheDoor(parts, response, next, async () => {
      const { providerId } = request.params
      const provider = await identityProvider(ask, { request, response }, 'oidc', providerId)
      // A link of another site could log somebody in as whoever the provider takes them for. They are asked at our
      // own page first; so is who was sent here from another address of ours.
      if (!ownSites.has(request.get('sec-fetch-site'))) {
        response.redirect(signInPage(provider.organizationSlug, next))
        return
      }
      const { url, journey } = await openIdClient.depart(provider, redirectUriOf(provider.id))
      journeys.begin(response, { ...journey, providerId: provider.id, next })
      response.redirect(url.href)
    })
  })

  return routes
}

/** Where a person who logged out here logs out at their provider; undefined where that is nowhere. */
export async function endSessionUrl(
  { ask, openIdClient, encryption, publicOrigins, logger }: AuthParts,
  exchange: Exchange,
  { providerId, idToken }: { providerId: string; idToken: string | null },
): Promise<string | undefined> {
  try {
    const provider = await identityProvider(ask, exchange, 'oidc', providerId)
    return await openIdClient.endSessionUrl(
      provider,
      idToken && encryption.decrypt(idToken, placeOf.idToken(providerId)),
      `${publicOrigins[0]!}/portal/login`,
    )
  } catch (error) {
    // The session here has ended, whatever becomes of the one there.
    if (error instanceof RequestError && error.code === 'NOT_FOUND') return undefined
    logger.warn({ reason: (error as Error).message, providerId }, 'nobody can be logged out at the provider')
    return undefined
  }
}

/** Where an organization's people begin to log in on their way to a place in the app. */
function signInPage(organizationSlug: string, next: string): string {
  const door = doorTo(next) === 'desk' ? '/desk' : ''
  return `/o/${encodeURIComponent(organizationSlug)}${door}?${new URLSearchParams({ next }).toString()}`
}

/** Brings a person for whom `walk` fails back to the door they came from, which says why. */
async function orToTheDoor(
  { logger }: AuthParts,
  response: Response,
  next: string,
  walk: () => Promise<void>,
): Promise<void> {
  try {
    await walk()
  } catch (error) {
    const problem = problemOf(error)
    if (problem === 'INTERNAL') logger.error({ err: error }, 'a single sign-on failed')
    else logger.info({ reason: (error as Error).message, problem }, 'a single sign-on was refused')
    response.redirect(`/${doorTo(next)}/login?${new URLSearchParams({ problem }).toString()}`)
  }
}

function problemOf(error: unknown): string {
  if (error instanceof ProviderFailure) return 'SSO_FAILED'
  const known = publicError(error)?.code ?? 'INTERNAL'
  // A provider that is gone is to people what a provider that does not answer is.
  return known === 'NOT_FOUND' ? 'SSO_FAILED' : known
}
