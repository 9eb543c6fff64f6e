import express, { type RequestHandler } from 'express'
import { bearerToken } from '../access-token.ts'
import type { Authentication } from '../authentication.ts'
import { callerOf, clientAddress, rememberCaller } from '../caller.ts'
import { RequestError } from '../errors.ts'
import type { TrustedDocuments } from '../trusted-documents.ts'

/** The largest request: a comment of 64 KiB in which every character needs four bytes to be escaped. */
const bodyLimit = 256 * 1024

/** Asks who it is. Without a token a stranger; with a token that is not good nobody, and never silently a stranger. */
export function authenticate(authentication: Authentication, trustedProxies: number): RequestHandler {
  return async (request, response, next) => {
    const token = bearerToken(request.get('authorization'))
    const ipAddress = clientAddress(request, trustedProxies)
    const requestId = response.locals.requestId as string
    try {
      rememberCaller(request, {
        claims: token === undefined ? null : await authentication.identify(token, ipAddress, requestId),
        ipAddress,
        requestId,
      })
    } catch (error) {
      if (error instanceof RequestError && error.code === 'UNAUTHENTICATED') {
        response.set('www-authenticate', 'Bearer error="invalid_token"')
      }
      throw error
    }
    next()
  }
}

/** Only `POST`, which no link can send, and only JSON, which no form of another site can send. */
export const onlyJsonPosts: RequestHandler = (request, response, next) => {
  response.set('cache-control', 'no-store')
  if (request.method !== 'POST') {
    response.set('allow', 'POST')
    throw new RequestError('METHOD_NOT_ALLOWED', 'GraphQL is asked with POST')
  }
  if (!request.is('application/json')) {
    throw new RequestError('UNSUPPORTED_MEDIA_TYPE', 'The content type must be application/json')
  }
  next()
}

export const parseBody: RequestHandler = express.json({ limit: bodyLimit })

/** Puts the text of an operation in place of its hash, and refuses what the caller may not ask in words of their own. */
export function fillInDocument(trustedDocuments: TrustedDocuments): RequestHandler {
  return (request, _response, next) => {
    const body: unknown = request.body
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
      request.body = { ...body, query: trustedDocuments.textOf(body, callerOf(request)) }
    }
    next()
  }
}

/** One operation a request, in the shape that every GraphQL client sends. */
export const onlyOneOperation: RequestHandler = (request, _response, next) => {
  const body: unknown = request.body
  if (Array.isArray(body))
    throw new RequestError('BAD_REQUEST', 'One operation a request: batches are not answered')
  if (typeof body !== 'object' || body === null)
    throw new RequestError('BAD_REQUEST', 'The body must be an object')
  const { query, operationName, variables, extensions, onError } = body as Record<string, unknown>
  if (typeof query !== 'string') throw new RequestError('BAD_REQUEST', 'query must be a text')
  if (!isAbsent(operationName) && typeof operationName !== 'string') {
    throw new RequestError('BAD_REQUEST', 'operationName must be a text')
  }
  for (const [name, value] of Object.entries({ variables, extensions })) {
    if (!isAbsent(value) && (typeof value !== 'object' || Array.isArray(value))) {
      throw new RequestError('BAD_REQUEST', `${name} must be an object`)
    }
  }
  if (!isAbsent(onError)) throw new RequestError('BAD_REQUEST', 'onError is not supported')
  next()
}

const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined
