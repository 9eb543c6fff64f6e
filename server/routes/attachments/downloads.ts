import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Pool } from 'pg'
import { isUuid } from '../../access-token.ts'
import type { Authentication } from '../../authentication.ts'
import { callerOf, clientAddress, rememberCaller } from '../../caller.ts'
import { RequestError } from '../../errors.ts'
import { type FileLinks, fileLinkSeconds, type FileUse } from '../../file-links.ts'
import { limitRequests } from '../../middleware/rate-limit.ts'
import { limits, type RateLimits } from '../../rate-limits.ts'
import type { FileStorage } from '../../storage/file-storage.ts'
import { factsOf, findFile, notThere, refuseHeldBack } from './attachment-files.ts'
import { hasPreview, serveFile } from './serve-file.ts'

/** Hands files out to who may see them, which row-level security says. */
export function downloadRoutes(options: {
  pool: Pool
  storage: FileStorage
  authentication: Authentication
  authenticate: RequestHandler
  fileLinks: FileLinks
  rateLimits: RateLimits
  trustedProxies: number
}): Router {
  const { pool, storage, authentication, authenticate, fileLinks, rateLimits, trustedProxies } = options
  const limit = limitRequests(rateLimits, limits.file)

  /** Who asks: by an access token, or by a link that was made for exactly this. */
  const byTokenOrLink =
    (use: FileUse): RequestHandler =>
    async (request, response, next) => {
      const { token } = request.query
      if (token === undefined) {
        await authenticate(request, response, next)
        return
      }
      const link = typeof token === 'string' ? fileLinks.verify(token) : undefined
      if (link?.use !== use || link.attachmentId !== attachmentIdOf(request)) throw linkIsOver()
      const ipAddress = clientAddress(request, trustedProxies)
      // The session may have ended since, or its person be somewhere else.
      await authentication.confirm(link.claims, ipAddress).catch((error: unknown) => {
        throw error instanceof RequestError && error.code === 'UNAUTHENTICATED' ? linkIsOver() : error
      })
      rememberCaller(request, {
        claims: link.claims,
        ipAddress,
        requestId: response.locals.requestId as string,
      })
      next()
    }

  const serve = (use: FileUse) => async (request: Request, response: Response) => {
    await serveFile(response, storage, await findFile(pool, callerOf(request), attachmentIdOf(request)), use)
  }

  const routes = Router()
  routes.get('/:id', byTokenOrLink('download'), loggedIn, limit, serve('download'))
  routes.get('/:id/preview', byTokenOrLink('preview'), loggedIn, limit, serve('preview'))

  routes.get('/:id/state', authenticate, loggedIn, limit, async (request, response) => {
    const file = await findFile(pool, callerOf(request), attachmentIdOf(request))
    response.set('cache-control', 'no-store').json(factsOf(file))
  })

  routes.post('/:id/link', authenticate, loggedIn, limit, async (request, response) => {
    const caller = callerOf(request)
    const { claims } = caller
    if (!claims || !('sessionId' in claims)) {
      throw new RequestError(
        'SESSION_REQUIRED',
        'A program downloads with its API token; links are for browsers',
      )
    }
    const use = request.query['use'] ?? 'download'
    if (use !== 'download' && use !== 'preview') {
      throw new RequestError('INVALID_INPUT', 'use must be download or preview', { field: 'use' })
    }
    const file = await findFile(pool, caller, attachmentIdOf(request))
    refuseHeldBack(file)
    if (use === 'preview' && !hasPreview(file.contentType)) {
      throw new RequestError('PREVIEW_REFUSED', 'Only pictures and PDF are shown; download this file')
    }
    const { token, expiresAt } = fileLinks.sign({ attachmentId: file.id, use, claims })
    const path = `/api/v1/attachments/${file.id}${use === 'preview' ? '/preview' : ''}`
    response
      .set('cache-control', 'no-store')
      .json({ url: `${path}?token=${token}`, expiresAt: expiresAt.toISOString(), seconds: fileLinkSeconds })
  })
  return routes
}

function attachmentIdOf(request: Request): string {
  const { id } = request.params
  if (!isUuid(id)) throw notThere()
  return id.toLowerCase()
}

/** Refuses strangers. */
export const loggedIn: RequestHandler = (request, _response, next) => {
  if (!callerOf(request).claims) throw new RequestError('UNAUTHENTICATED', 'Log in first')
  next()
}

const linkIsOver = () => new RequestError('FILE_LINK_INVALID', 'This link is not valid, or no longer')
