import type { IncomingMessage } from 'node:http'

/**
 * Whether the page that sent a request is ours: its origin is one we are reached by, or the very host it asked.
 * Without an `origin` it was no page of a browser.
 */
export function isOwnOrigin(request: IncomingMessage, publicOrigins: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined) return true
  if (publicOrigins.includes(origin)) return true
  const parsed = URL.parse(origin)
  return parsed !== null && host !== undefined && /^https?:$/.test(parsed.protocol) && parsed.host === host
}
