import type { RequestHandler } from 'express'
import { RequestError } from '../../errors.ts'
import { isOwnOrigin } from '../../origins.ts'

/** Nothing here is kept by anybody on the way, nor asked by a page of another site. */
export function onlyOwnPages(publicOrigins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    response.set('cache-control', 'no-store')
    if (!isOwnOrigin(request, publicOrigins)) {
      throw new RequestError('FORBIDDEN', 'This page may not act for you here')
    }
    next()
  }
}

/** A form or an image of another site sends the cookie in some browsers, but cannot send a header of ours. */
export const onlyPrograms: RequestHandler = (request, _response, next) => {
  if (request.get('x-atum-request') !== '1') {
    throw new RequestError('FORBIDDEN', 'The header x-atum-request: 1 is missing')
  }
  next()
}
