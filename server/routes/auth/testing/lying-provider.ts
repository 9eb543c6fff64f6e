import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import jwt from 'jsonwebtoken'

/** What the provider says of itself, and how it answers, for a test to change. */
export interface LyingProvider {
  issuer: string
  /** Laid over its metadata. */
  metadata: Record<string, unknown>
  /** Laid over an id token that would be right. */
  idToken: Record<string, unknown>
  /** How the id token is signed. */
  signing: { key: KeyObject | string; algorithm: jwt.Algorithm; keyid: string }
  /** In place of the honest answer to what this path is asked. */
  instead: Record<string, (request: IncomingMessage, response: ServerResponse) => void>
  /** The paths that were asked for. */
  asked: string[]
  /** The key that it publishes. */
  key: KeyObject
  reset(): void
  close(): Promise<void>
}

const subject = 'liar'

/** An OpenID provider that says what no honest one would. Its code is the nonce that it has to put into the token. */
export async function startLyingProvider(clientId: string): Promise<LyingProvider> {
  const { privateKey: key, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const json = (response: ServerResponse, body: unknown) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, issuer)
    lying.asked.push(pathname)
    const instead = lying.instead[pathname]
    if (instead) return instead(request, response)
    if (pathname === '/.well-known/openid-configuration') {
      json(response, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        end_session_endpoint: `${issuer}/end`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        ...lying.metadata,
      })
    } else if (pathname === '/keys') {
      json(response, {
        keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'published', alg: 'RS256', use: 'sig' }],
      })
    } else if (pathname === '/token') {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      const claims = {
        iss: issuer,
        sub: subject,
        aud: clientId,
        nonce: new URLSearchParams(body).get('code'),
        iat: Math.floor(Date.now() / 1_000),
        exp: Math.floor(Date.now() / 1_000) + 300,
        email: 'liar@acme.test',
        email_verified: true,
        ...lying.idToken,
      }
      const { key: signingKey, algorithm, keyid } = lying.signing
      json(response, {
        access_token: 'access',
        token_type: 'Bearer',
        id_token: jwt.sign(claims, signingKey, { algorithm, keyid, allowInvalidAsymmetricKeyTypes: true }),
      })
    } else {
      response.writeHead(404).end()
    }
  }

  const honest = () => ({
    metadata: {},
    idToken: {},
    signing: { key, algorithm: 'RS256' as const, keyid: 'published' },
    instead: {},
    asked: [],
  })
  const lying: LyingProvider = {
    issuer,
    key,
    ...honest(),
    reset: () => Object.assign(lying, honest()),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return lying
}
