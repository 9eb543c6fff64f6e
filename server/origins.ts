import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * Whether the page that sent a request is ours: its origin is one we are reached by, or the very host it asked where
 * that is an address. A name must be listed, because anybody can make a name point here. Without an `origin` it was no
 * page of a browser.
 */
export function isOwnOrigin(request: IncomingMessage, publicOrigins: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined) return true
  if (publicOrigins.includes(origin)) return true
  const parsed = URL.parse(origin)
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.host !== host) return false
  const name = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || isIP(name) !== 0
}
