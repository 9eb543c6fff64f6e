import express, {
  Router,
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import type { Pool } from 'pg'
import { accessTokenSeconds, userRoles, type AccessTokens, type UserRole } from '../access-token.ts'
import { clientAddress, isFromThisMachine } from '../caller.ts'
import { withTransaction } from '../database.ts'
import { RequestError } from '../errors.ts'
import { isOwnOrigin } from '../origins.ts'

/** As long as a session lasts; the database has the last word. */
const cookieMilliseconds = 14 * 24 * 60 * 60 * 1_000
const longestField = 1_024

interface Identity {
  id: string
  name: string
  email: string
  role: UserRole
  locale: string
  timeZone: string
  organization: { id: string; slug: string; name: string }
}

type LoginOutcome =
  | { outcome: 'ok'; user: Identity; sessionId: string; refreshToken?: string }
  | { outcome: 'organization_required'; organizations: { slug: string; name: string }[] }
  | { outcome: 'invalid_credentials' }

type RefreshOutcome =
  { outcome: 'ok'; user: Identity; sessionId: string; refreshToken?: string } | { outcome: 'session_expired' }

/** Logging in, staying logged in and logging out. What is right is decided in SQL; here are tokens and cookies. */
export function authRoutes(options: {
  pool: Pool
  accessTokens: AccessTokens
  publicOrigins: readonly string[]
  trustedProxies: number
  production: boolean
}): Router {
  const { pool, accessTokens, publicOrigins, trustedProxies, production } = options
  const secure = publicOrigins.every((origin) => origin.startsWith('https:'))
  // Browsers give a cookie to every port of a host: two desks on one machine would log each other out.
  const port = publicOrigins.map((origin) => URL.parse(origin)?.port).find(Boolean)
  const cookieName = port ? `atum_refresh_${port}` : 'atum_refresh'
  const cookie = { httpOnly: true, sameSite: 'strict', path: '/api/v1/auth', secure } as const

  const ask = <T>(request: Request, response: Response, text: string, values: unknown[]) =>
    withTransaction(
      pool,
      {
        'atum.request_id': response.locals.requestId as string,
        'atum.ip_address': clientAddress(request, trustedProxies),
      },
      async (client) => {
        const { rows } = await client.query<{ answer: T }>(text, values)
        return rows[0]!.answer
      },
    )

  const admit = (response: Response, { user, sessionId, refreshToken }: LoginOutcome & { outcome: 'ok' }) => {
    const { id, name, email, role, locale, timeZone, organization } = user
    if (!userRoles.includes(role)) throw new Error(`A user has the unknown role ${role}`)
    if (refreshToken !== undefined) {
      response.cookie(cookieName, refreshToken, { ...cookie, maxAge: cookieMilliseconds })
    }
    response.json({
      accessToken: accessTokens.sign({ userId: id, organizationId: organization.id, role, sessionId }),
      expiresIn: accessTokenSeconds,
      user: {
        id,
        name,
        email,
        role,
        locale,
        timeZone,
        organization: { name: organization.name, slug: organization.slug },
      },
    })
  }

  const onlyOwnPages: RequestHandler = (request, response, next) => {
    response.set('cache-control', 'no-store')
    if (!isOwnOrigin(request, publicOrigins)) {
      throw new RequestError('FORBIDDEN', 'This page may not act for you here')
    }
    next()
  }

  // A form or an image of another site sends the cookie in some browsers, but cannot send a header of ours.
  const onlyPrograms: RequestHandler = (request, _response, next) => {
    if (request.get('x-atum-request') !== '1') {
      throw new RequestError('FORBIDDEN', 'The header x-atum-request: 1 is missing')
    }
    next()
  }

  const routes = Router()
  routes.use(onlyOwnPages)

  routes.post('/login', express.json({ limit: '16kb' }), async (request, response) => {
    const { email, password, organization } = credentials(request)
    const ipAddress = clientAddress(request, trustedProxies)
    const demoAllowed = !production && isFromThisMachine(request)
    const answer = await ask<LoginOutcome>(
      request,
      response,
      'select app_private.log_in($1, $2, $3, $4, $5, $6) as answer',
      [email, password, organization, demoAllowed, ipAddress, request.get('user-agent') ?? null],
    )
    if (answer.outcome === 'ok') {
      admit(response, answer)
    } else if (answer.outcome === 'organization_required') {
      throw new RequestError('ORGANIZATION_REQUIRED', 'Choose the organization to log in to', {
        organizations: answer.organizations,
      })
    } else {
      throw new RequestError('INVALID_CREDENTIALS', 'The mail address or the password is wrong')
    }
  })

  routes.post('/refresh', onlyPrograms, async (request, response) => {
    const refreshToken = readCookie(request, cookieName)
    const answer: RefreshOutcome =
      refreshToken === undefined
        ? { outcome: 'session_expired' }
        : await ask<RefreshOutcome>(
            request,
            response,
            'select app_private.refresh_session($1, $2, $3) as answer',
            [refreshToken, clientAddress(request, trustedProxies), request.get('user-agent') ?? null],
          )
    if (answer.outcome !== 'ok') {
      response.clearCookie(cookieName, cookie)
      throw new RequestError('UNAUTHENTICATED', 'Your session has ended; log in again')
    }
    admit(response, answer)
  })

  routes.post('/logout', onlyPrograms, async (request, response) => {
    const refreshToken = readCookie(request, cookieName)
    response.clearCookie(cookieName, cookie)
    if (refreshToken !== undefined) {
      await ask(request, response, 'select app_private.log_out($1) as answer', [refreshToken])
    }
    response.status(204).end()
  })

  routes.use(asInvalidInput)
  return routes
}

function credentials(request: Request): { email: string; password: string; organization: string | null } {
  if (!request.is('application/json')) {
    throw new RequestError('INVALID_INPUT', 'The content type must be application/json')
  }
  const body = (request.body ?? {}) as Record<string, unknown>
  const email = field(body, 'email').trim()
  const password = field(body, 'password')
  const organization =
    body.organization === undefined || body.organization === null ? null : field(body, 'organization')
  return { email, password, organization }
}

function field(body: Record<string, unknown>, name: string): string {
  const value = body[name]
  if (
    typeof value !== 'string' ||
    value === '' ||
    Buffer.byteLength(value) > longestField ||
    value.includes('\0')
  ) {
    throw new RequestError('INVALID_INPUT', `${name} must be a text of 1 to ${longestField} bytes`, {
      field: name,
    })
  }
  return value
}

function readCookie(request: Request, cookieName: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2)
    // The database makes 96 hexadecimal digits, so nothing else is worth asking it about.
    if (name === cookieName && value && /^[0-9a-f]{96}$/.test(value)) return value
  }
  return undefined
}

/** A body that is not JSON is a login that is not one. */
const asInvalidInput: ErrorRequestHandler = (error: { type?: unknown }, _request, _response, next) => {
  next(
    error.type === 'entity.parse.failed' ||
      error.type === 'charset.unsupported' ||
      error.type === 'encoding.unsupported'
      ? new RequestError('INVALID_INPUT', 'The body must be JSON')
      : error,
  )
}
