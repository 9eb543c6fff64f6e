import type { RequestHandler } from 'express'
import { callerOf, clientAddress } from '../caller.ts'
import { type Limit, limits, networkOf, spendRequest, type RateLimits } from '../rate-limits.ts'

const onlyStayingLoggedIn = new Set(['/refresh', '/logout'])

/** Counts a request of whoever it is known to be from. */
export function limitRequests(rateLimits: RateLimits, limit: Limit = limits.api): RequestHandler {
  return async (request, _response, next) => {
    const { claims, ipAddress } = callerOf(request)
    await spendRequest(rateLimits, claims, ipAddress, limit)
    next()
  }
}

/**
 * Counts what is asked at /api/v1/auth, where nobody is known yet. What is posted there is, but for staying logged in
 * and logging out, where passwords, codes and tokens are guessed.
 */
export function limitLogins(rateLimits: RateLimits, trustedProxies: number): RequestHandler {
  return async (request, _response, next) => {
    const ipAddress = clientAddress(request, trustedProxies)
    const isLogin = request.method === 'POST' && !onlyStayingLoggedIn.has(request.path)
    if (isLogin) await rateLimits.spend(limits.login, networkOf(ipAddress))
    else await spendRequest(rateLimits, null, ipAddress)
    next()
  }
}
