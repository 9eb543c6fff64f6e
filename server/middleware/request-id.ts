import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'

const wellFormed = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/

/** Gives each request a name, or keeps the one that a proxy of ours gave it, so that a line of its log and of ours can be joined. */
export function requestId(trustedProxies: number): RequestHandler {
  return (request, response, next) => {
    const given = trustedProxies > 0 ? request.get('x-request-id') : undefined
    const id = given !== undefined && wellFormed.test(given) ? given : randomUUID()
    response.locals.requestId = id
    response.set('x-request-id', id)
    next()
  }
}
