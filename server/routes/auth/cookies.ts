import type { CookieOptions, Request, Response } from 'express'

/** As long as a session lasts; the database has the last word. */
const refreshMilliseconds = 14 * 24 * 60 * 60 * 1_000

/** A cookie that no script reads. */
export interface Cookie {
  set(response: Response, value: string): void
  read(request: Request): string | undefined
  clear(response: Response): void
}

/** The refresh token. It goes to nobody but us, and along with no request that another site caused. */
export function refreshCookie(publicOrigins: readonly string[]): Cookie {
  return createCookie('atum_refresh', publicOrigins, {
    sameSite: 'strict',
    path: '/api/v1/auth',
    maxAge: refreshMilliseconds,
    // The database makes 96 hexadecimal digits, so nothing else is worth asking it about.
    pattern: /^[0-9a-f]{96}$/,
  })
}

/** What is remembered while a person is away at an identity provider, which sends them back: `lax` lets it come along. */
export function journeyCookie(publicOrigins: readonly string[], milliseconds: number): Cookie {
  return createCookie('atum_sso', publicOrigins, {
    sameSite: 'lax',
    path: '/api/v1/auth/sso',
    maxAge: milliseconds,
    pattern: /^[\w.-]{1,3500}$/,
  })
}

function createCookie(
  name: string,
  publicOrigins: readonly string[],
  { pattern, maxAge, ...attributes }: CookieOptions & { pattern: RegExp; maxAge: number },
): Cookie {
  // Browsers give a cookie to every port of a host: two desks on one machine would log each other out.
  const port = publicOrigins.map((origin) => URL.parse(origin)?.port).find(Boolean)
  const secure = publicOrigins.every((origin) => origin.startsWith('https:'))
  // A name that browsers take over TLS only, so that nobody on the way puts a cookie of their own in its place.
  const fullName = `${secure ? '__Secure-' : ''}${name}${port ? `_${port}` : ''}`
  const options = { ...attributes, httpOnly: true, secure }

  return {
    set: (response, value) => {
      response.cookie(fullName, value, { ...options, maxAge })
    },
    read(request) {
      for (const pair of (request.headers.cookie ?? '').split(';')) {
        const [given, value] = pair.trim().split('=', 2)
        if (given === fullName && value && pattern.test(value)) return value
      }
      return undefined
    },
    clear: (response) => {
      response.clearCookie(fullName, options)
    },
  }
}
