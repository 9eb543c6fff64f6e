import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { guardedLookup, refuseAddress } from '../outward/guarded-lookup.ts'

/** What a token endpoint said; nothing where it was no JSON. */
export interface TokenEndpointAnswer {
  status: number
  body: unknown
}

const patience = 15_000
const longestAnswer = 65_536

/**
 * Posts a form to a token endpoint. Redirects are not followed: they would carry the secrets elsewhere. Throws where it
 * cannot be reached or may not be called.
 */
export async function askTokenEndpoint(
  address: string,
  form: URLSearchParams,
  allowInternal: boolean,
): Promise<TokenEndpointAnswer> {
  const url = new URL(address)
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(hostname)) refuseAddress(hostname, hostname, allowInternal)
  const body = form.toString()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      agent: false,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
      },
      lookup: guardedLookup(allowInternal),
      signal: AbortSignal.timeout(patience),
    })
    request.once('response', resolve)
    request.once('error', reject)
    // Where an endpoint changes the protocol (101) there is neither an answer nor an error.
    request.once('close', () => reject(new Error('The connection ended without an answer')))
    request.end(body)
  })
  let text = ''
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    if (text.length > longestAnswer) {
      response.destroy()
      throw new Error('The answer is too long')
    }
  }
  return { status: response.statusCode!, body: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
