import type { ErrorRequestHandler, RequestHandler } from 'express'
import { internalError, isUnavailable, publicError, RequestError, type PublicError } from '../errors.ts'
import type { Logger } from '../log.ts'

/** What the body parser says, in our codes. */
const bodyErrors: Record<string, RequestError> = {
  'entity.too.large': new RequestError('PAYLOAD_TOO_LARGE', 'This is more than one request may hold'),
  'entity.parse.failed': new RequestError('BAD_REQUEST', 'The body is not JSON'),
  'encoding.unsupported': new RequestError(
    'UNSUPPORTED_MEDIA_TYPE',
    'This content encoding is not supported',
  ),
  'charset.unsupported': new RequestError('UNSUPPORTED_MEDIA_TYPE', 'The body must be UTF-8'),
}

function asKnown(error: unknown): PublicError | undefined {
  const { type, status } = error as { type?: unknown; status?: unknown }
  const parsing = typeof type === 'string' ? bodyErrors[type] : undefined
  if (parsing) return publicError(parsing)
  const known = publicError(error)
  if (known) return known
  // What the framework refuses itself: addresses that are not well-formed, requests that were cut off.
  return typeof status === 'number' && status >= 400 && status < 500
    ? { code: 'BAD_REQUEST', status, message: 'The request could not be read' }
    : undefined
}

/** Answers what went wrong in the shape its reader expects: GraphQL's for /graphql, ours for everything else. */
export function errorAnswers(logger: Logger): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (isUnavailable(error)) logger.warn({ reason: (error as Error).message }, 'the database is away')
    let known = asKnown(error)
    if (!known) {
      const internal = internalError()
      logger.error({ err: error, errorId: internal.details.errorId }, 'a request failed')
      known = internal
    }
    if (response.headersSent) {
      next(error)
      return
    }
    const { code, status, message, details } = known
    response.set('cache-control', 'no-store').status(status)
    if (typeof details?.retryAfterSeconds === 'number') {
      response.set('retry-after', String(details.retryAfterSeconds))
    }
    if (request.path === '/graphql') {
      response.json({ errors: [{ message, extensions: details ? { code, details } : { code } }] })
    } else {
      response.json({ error: details ? { code, message, details } : { code, message } })
    }
  }
}

/** What nothing else answered. */
export const nothingHere: RequestHandler = () => {
  throw new RequestError('NOT_FOUND', 'There is nothing at this address')
}
