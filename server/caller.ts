import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Claims } from './access-token.ts'
import type { ApiTokenClaims } from './api-tokens.ts'

/** Whoever showed a good token: a person in a session, or a program with an API token of a person. */
export type Bearer = Claims | ApiTokenClaims

/** Who asks, from where, and what the request is called. */
export interface Caller {
  /** Null for strangers. */
  claims: Bearer | null
  ipAddress: string
  requestId: string
}

const unknownAddress = '0.0.0.0'
const proxyHeaders = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via']

const callers = new WeakMap<IncomingMessage, Caller>()

export function rememberCaller(request: IncomingMessage, caller: Caller): void {
  callers.set(request, caller)
}

export function callerOf(request: IncomingMessage): Caller {
  const caller = callers.get(request)
  if (!caller) throw new Error('A request reached the database without anybody having asked who it is from')
  return caller
}

/** What a transaction of this caller is told with `set local`: the role it becomes, and the claims policies read. */
export function settingsOf({ claims, ipAddress, requestId }: Caller): Record<string, string> {
  const origin = { 'atum.ip_address': ipAddress, 'atum.request_id': requestId }
  if (!claims) return { role: 'atum_anonymous', ...origin }
  return {
    role: `atum_${claims.role}`,
    'atum.organization_id': claims.organizationId,
    'atum.user_id': claims.userId,
    ...('sessionId' in claims
      ? { 'atum.session_id': claims.sessionId }
      : {
          'atum.api_token_id': claims.apiTokenId,
          // Postgres holds to it whatever a function does, and lets nobody take it back within the transaction.
          ...(claims.isReadOnly ? { transaction_read_only: 'on' } : {}),
        }),
    ...origin,
  }
}

/** The other end of the connection, be it the caller or a proxy. */
export function peerAddress(request: IncomingMessage): string {
  return withoutMapping(request.socket.remoteAddress ?? '')
}

/**
 * Where the caller is. Of `x-forwarded-for` the entries that our own proxies added are believed, counted from the end;
 * anybody can write the ones before them.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  const peer = peerAddress(request)
  if (trustedProxies === 0) return peer
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((entry) => withoutMapping(withoutPort(entry.trim())))
    .filter(Boolean)
  const address = [...forwarded, peer].at(-1 - Math.min(trustedProxies, forwarded.length)) ?? peer
  // Whoever wrote what cannot be read is somewhere, but not at the proxy's own address.
  return isIP(address) ? address : unknownAddress
}

/**
 * Whether somebody at this machine asks, by its own name: not through a proxy, and not by a page of another site whose
 * name was made to point here.
 */
export function isFromThisMachine(request: IncomingMessage): boolean {
  const { headers } = request
  return (
    isLoopback(peerAddress(request)) &&
    proxyHeaders.every((name) => headers[name] === undefined) &&
    /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? '')
  )
}

export const isLoopback = (address: string): boolean =>
  address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address)

/** The address alone of `1.2.3.4:55`, `[::1]:55` and `fe80::1%eth0`. */
function withoutPort(entry: string): string {
  const [address = entry] = entry.split('%')
  return /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address
}

/** An IPv4 address that came through an IPv6 socket, as people write it. */
function withoutMapping(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
