import type { Request, Response } from 'express'
import type { Encryption } from '../../encryption.ts'
import { journeyCookie } from './cookies.ts'
import type { Journey } from './openid-provider.ts'

const journeyMilliseconds = 10 * 60_000
const context = 'sso-journey'
const longestNext = 1_000

/** A person on the way to an identity provider and back. */
export interface Traveller extends Journey {
  providerId: string
  /** Where in the app they want to go. */
  next: string
}

/** Keeps what a person must bring back from the provider in their browser, where they can neither read nor change it. */
export interface Journeys {
  begin(response: Response, traveller: Traveller): void
  /** The traveller, once: the cookie is taken back. Undefined without one, or after ten minutes. */
  end(request: Request, response: Response): Traveller | undefined
}

export function createJourneys(encryption: Encryption, publicOrigins: readonly string[]): Journeys {
  const cookie = journeyCookie(publicOrigins, journeyMilliseconds)

  return {
    begin(response, traveller) {
      const until = Date.now() + journeyMilliseconds
      cookie.set(response, encryption.encrypt(JSON.stringify({ ...traveller, until }), context))
    },
    end(request, response) {
      const sealed = cookie.read(request)
      cookie.clear(response)
      if (sealed === undefined) return undefined
      try {
        const { until, ...traveller } = JSON.parse(encryption.decrypt(sealed, context)) as Traveller & {
          until: number
        }
        return until > Date.now() ? traveller : undefined
      } catch {
        // Somebody else's, or of a key that is no more.
        return undefined
      }
    },
  }
}

/** Where a person wants to go, if that is inside the app; the portal otherwise. */
export function placeInApp(next: unknown): string {
  // One slash and no second: `//elsewhere.example` and `/\elsewhere.example` are other sites to a browser.
  return typeof next === 'string' &&
    next.length <= longestNext &&
    /^\/(?:portal|desk)(?:[/?]|$)/.test(next) &&
    !/[\\\p{Cc}]/u.test(next)
    ? next
    : '/portal'
}

/** The door that leads to a place in the app. */
export const doorTo = (place: string): 'desk' | 'portal' => (place.startsWith('/desk') ? 'desk' : 'portal')
