import { lookup as systemLookup } from 'node:dns/promises'
import {
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { AddressRefusedError, refuseAddress } from '../outward/guarded-lookup.ts'

/** What is to be said to whom, as `app_private.take_webhook_delivery` answers, its secrets opened. */
export interface WebhookCall {
  url: string
  allowInternal: boolean
  messageId: string
  /** The very letters that are signed and sent. */
  body: string
  /** The one in use first. */
  secrets: readonly string[]
}

/** Why a call failed; the words of `app_public.webhook_fault`. */
export type WebhookFault =
  'response' | 'redirect' | 'timeout' | 'connection' | 'tls' | 'dns' | 'internal_address' | 'url' | 'secret'

/** What came of it, as `app_private.finish_webhook_attempt` takes it. */
export interface CallOutcome {
  fault?: WebhookFault
  error?: string
  address?: string
  requestHeaders?: Record<string, string>
  status?: number
  responseHeaders?: Record<string, string>
  responseBody?: string
  retryAfterSeconds?: number
  durationMs: number
}

/** All addresses of a name. */
export type Lookup = (hostname: string) => Promise<{ address: string; family: number }[]>

/** How long a receiver may take, and who says where names lead. */
export interface CallOptions {
  /** Until there is a connection, its certificate checked. */
  connectMilliseconds?: number
  /** Until the answer is there. */
  wholeMilliseconds?: number
  lookup?: Lookup
  signal?: AbortSignal
  /** Whether this installation calls its own network for those webhooks that may. */
  allowInternal?: boolean
}

/** An answer is kept up to here; more is not read. */
const keptBytes = 8_192
const keptHeaders = 50
const keptHeaderLength = 500
const longestRetryAfter = 86_400

class CallError extends Error {
  readonly fault: WebhookFault
  constructor(fault: WebhookFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

/**
 * Calls a webhook once. The name is resolved one time; each of its addresses is checked, and the connection is made to
 * those very addresses, so that a name which leads elsewhere the next time gains nothing. Redirects are not followed, and
 * no proxy is asked. Never throws: what went wrong is the outcome.
 */
export async function callWebhook(call: WebhookCall, options: CallOptions = {}): Promise<CallOutcome> {
  const began = performance.now()
  const outcome: Omit<CallOutcome, 'durationMs'> = {}
  // A timer of its own, because a name server that is silent cannot be called off.
  const stop = new AbortController()
  const whole = options.wholeMilliseconds ?? 15_000
  const timeout = setTimeout(
    () => stop.abort(new CallError('timeout', `No answer within ${whole} ms`)),
    whole,
  )
  const onEnd = () => stop.abort(new CallError('connection', 'The worker stopped'))
  options.signal?.addEventListener('abort', onEnd)
  try {
    await talk(call, options, stop.signal, outcome)
  } catch (error) {
    Object.assign(outcome, faultOf(stop.signal.aborted ? stop.signal.reason : error))
  } finally {
    clearTimeout(timeout)
    options.signal?.removeEventListener('abort', onEnd)
  }
  return { ...outcome, durationMs: Math.round(performance.now() - began) }
}

async function talk(
  call: WebhookCall,
  options: CallOptions,
  signal: AbortSignal,
  outcome: Omit<CallOutcome, 'durationMs'>,
): Promise<void> {
  const url = URL.parse(call.url)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new CallError('url', 'This is no address that can be called')
  }
  const headers = headersOf(call)
  const { 'webhook-signature': _signature, ...shown } = headers
  outcome.requestHeaders = shown

  const allowInternal = call.allowInternal && (options.allowInternal ?? true)
  const addresses = await checkedAddresses(url, allowInternal, options.lookup ?? resolve, signal)
  const response = await send(url, addresses, headers, call.body, options, signal, outcome)

  outcome.status = response.statusCode!
  outcome.responseHeaders = keptHeadersOf(response)
  const retryAfter = retryAfterOf(response)
  if (retryAfter !== undefined) outcome.retryAfterSeconds = retryAfter
  if (outcome.status >= 300 && outcome.status < 400) {
    Object.assign(outcome, { fault: 'redirect', error: 'Redirects are not followed' })
  } else if (outcome.status < 200 || outcome.status >= 300) {
    Object.assign(outcome, { fault: 'response', error: `The answer was ${outcome.status}` })
  }
  outcome.responseBody = await beginningOf(response, signal)
}

function headersOf({ messageId, body, secrets }: WebhookCall): Record<string, string> {
  const now = new Date()
  let signature: string
  try {
    signature = secrets.map((secret) => new Webhook(secret).sign(messageId, now, body)).join(' ')
  } catch (error) {
    throw new CallError('secret', 'The secret is none', { cause: error })
  }
  if (!signature) throw new CallError('secret', 'There is no secret to sign with')
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'ATUM-Desk-Webhooks/1',
    accept: '*/*',
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': signature,
  }
}

const resolve: Lookup = (hostname) => systemLookup(hostname, { all: true })

async function checkedAddresses(
  url: URL,
  allowInternal: boolean,
  lookup: Lookup,
  signal: AbortSignal,
): Promise<{ address: string; family: number }[]> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(hostname)
  const addresses = family
    ? [{ address: hostname, family }]
    : await orAborted(lookup(hostname), signal, 'dns')
  if (addresses.length === 0) throw new CallError('dns', `${hostname} leads nowhere`)
  // One is enough: whoever mixes an internal address among public ones has a reason.
  for (const { address } of addresses) refuseAddress(hostname, address, allowInternal)
  return addresses
}

function orAborted<Result>(work: Promise<Result>, signal: AbortSignal, fault: WebhookFault): Promise<Result> {
  return new Promise((resolveIt, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work
      .then(resolveIt, (error: Error) => reject(new CallError(fault, error.message, { cause: error })))
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function send(
  url: URL,
  addresses: { address: string; family: number }[],
  headers: Record<string, string>,
  body: string,
  options: CallOptions,
  signal: AbortSignal,
  outcome: { address?: string },
): Promise<IncomingMessage> {
  // Whoever asks where the name leads is told what was checked. The name itself stays: in Host, and for the certificate.
  const told: LookupFunction = (_hostname, { all }, callback) => {
    if (all) callback(null, addresses)
    else callback(null, addresses[0]!.address, addresses[0]!.family)
  }
  const isSecure = url.protocol === 'https:'
  const how: RequestOptions = { method: 'POST', headers, lookup: told, signal }
  return new Promise((resolveIt, reject) => {
    const agent = { keepAlive: false, timeout: 0 }
    const request = isSecure
      ? httpsRequest(url, { ...how, agent: new HttpsAgent(agent), rejectUnauthorized: true })
      : httpRequest(url, { ...how, agent: new HttpAgent(agent) })
    const connect = options.connectMilliseconds ?? 5_000
    const connecting = setTimeout(
      () => request.destroy(new CallError('timeout', `No connection within ${connect} ms`)),
      connect,
    )
    request.on('socket', (socket) => {
      socket.once(isSecure ? 'secureConnect' : 'connect', () => {
        clearTimeout(connecting)
        const { remoteAddress } = socket
        if (!remoteAddress) return
        outcome.address = remoteAddress.replace(/%.*$/, '')
        // It cannot be another one; should it ever, nothing was sent yet that matters.
        if (!addresses.some(({ address }) => isSame(address, remoteAddress))) {
          request.destroy(new CallError('internal_address', `${remoteAddress} was not checked`))
        }
      })
    })
    request.once('response', resolveIt)
    request.once('error', reject)
    request.once('close', () => {
      clearTimeout(connecting)
      // Where a receiver changes the protocol (101) there is neither an answer nor an error.
      reject(new CallError('connection', 'The connection ended without an answer'))
    })
    request.end(body)
  })
}

const isSame = (one: string, other: string): boolean =>
  URL.parse(`http://[${asIPv6(one)}]`)?.hostname === URL.parse(`http://[${asIPv6(other)}]`)?.hostname

const asIPv6 = (address: string): string =>
  (isIP(address) === 4 ? `::ffff:${address}` : address).replace(/%.*$/, '')

/** What was answered, up to what is kept; the connection is closed on the rest. */
async function beginningOf(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  // The status is known: who dawdles over the words, or breaks off, has answered all the same.
  const enough = delay(2_000, undefined, { signal, ref: false }).catch(() => undefined)
  const reading = (async () => {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= keptBytes) return
    }
  })().catch(() => undefined)
  await Promise.race([reading, enough])
  response.destroy()
  return asKeptText(Buffer.concat(chunks))
}

/** Bytes of strangers as a text that the database takes: no zeros, and no more bytes than are kept. */
function asKeptText(bytes: Buffer): string {
  let text = bytes.subarray(0, keptBytes).toString('utf8').replaceAll('\0', '\u{FFFD}')
  // A byte that is none becomes a character of three.
  while (Buffer.byteLength(text) > keptBytes) {
    text = text.slice(0, Math.max(0, text.length - Math.ceil((Buffer.byteLength(text) - keptBytes) / 3)))
  }
  return text.toWellFormed()
}

function keptHeadersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      // A cookie is a key to something of theirs.
      .filter(([name]) => name !== 'set-cookie')
      .slice(0, keptHeaders)
      .map(([name, value]) => [
        name.slice(0, keptHeaderLength),
        String(value).slice(0, keptHeaderLength).replaceAll('\0', ''),
      ]),
  )
}

function retryAfterOf({ headers }: IncomingMessage): number | undefined {
  const value = headers['retry-after']?.trim() ?? ''
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1_000
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, longestRetryAfter) : undefined
}

const tlsCodes = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED|EPROTO|HOSTNAME_MISMATCH)/

function faultOf(error: unknown): { fault: WebhookFault; error: string } {
  if (error instanceof CallError) return { fault: error.fault, error: error.message }
  if (error instanceof AddressRefusedError) return { fault: 'internal_address', error: error.message }
  const { code = '', message = String(error) } = error as { code?: string; message?: string }
  // Where several addresses were tried there is one error for each.
  const words = error instanceof AggregateError ? error.errors.map(String).join('; ') : message
  return { fault: tlsCodes.test(code) ? 'tls' : 'connection', error: `${code ? `${code}: ` : ''}${words}` }
}
