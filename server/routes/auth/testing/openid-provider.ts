import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Adapter, type AdapterPayload, type ClientMetadata } from 'oidc-provider'

/** Somebody whom a provider knows. */
export interface Account {
  sub: string
  email?: string
  email_verified?: boolean
  name?: string
  groups?: string[] | string
  access?: { roles: string[] }
  'https://acme.test/roles'?: string[]
}

export interface TestProvider {
  issuer: string
  /** Who sits at the browser; undefined for somebody who clicks "cancel". */
  account: Account | undefined
  close(): Promise<void>
}

/** A real OpenID provider on a port of its own, whose people log in without being asked. */
export async function startProvider(
  clients: ClientMetadata[],
  { claimsInIdToken = false } = {},
): Promise<TestProvider> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const minutes = 10 * 60
  const accounts = new Map<string, Account>()
  const provider: Provider = new Provider(issuer, {
    clients,
    adapter: createAdapter(),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kty: 'RSA', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['a key for the cookies of a test'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      groups: ['groups', 'access', 'https://acme.test/roles'],
    },
    conformIdTokenClaims: !claimsInIdToken,
    ttl: { AccessToken: minutes, IdToken: minutes, Interaction: minutes, Session: minutes, Grant: minutes },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        logoutSource(context, form) {
          context.body = form
        },
      },
    },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ ...accounts.get(id), sub: id }),
    }),
    // Nobody is asked whether the desk may know them: the organization decided that.
    async loadExistingGrant({ oidc }) {
      const { clientId } = oidc.client!
      const grant = new provider.Grant({ clientId, accountId: oidc.session!.accountId! })
      grant.addOIDCScope('openid email profile groups')
      await grant.save()
      return grant
    },
    renderError(context, out) {
      context.body = JSON.stringify(out)
    },
  })
  const answer = provider.callback()

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!request.url?.startsWith('/interaction/')) return answer(request, response)
    const { account } = testProvider
    if (account) accounts.set(account.sub, account)
    await provider.interactionFinished(
      request,
      response,
      account ? { login: { accountId: account.sub } } : { error: 'access_denied' },
    )
  }

  const testProvider: TestProvider = {
    issuer,
    account: undefined,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return testProvider
}

/** Where a provider keeps what it must remember. The one it brings warns at each start that it forgets. */
function createAdapter(): (model: string) => Adapter {
  const models = new Map<string, Map<string, AdapterPayload>>()

  return (model) => {
    const stored = models.get(model) ?? new Map<string, AdapterPayload>()
    models.set(model, stored)
    return {
      upsert: async (id, payload) => {
        stored.set(id, payload)
      },
      find: async (id) => stored.get(id),
      findByUid: async (uid) => [...stored.values()].find((payload) => payload.uid === uid),
      findByUserCode: async () => undefined,
      consume: async (id) => {
        stored.get(id)!.consumed = Math.floor(Date.now() / 1_000)
      },
      destroy: async (id) => {
        stored.delete(id)
      },
      revokeByGrantId: async (grantId) => {
        for (const [id, payload] of stored) if (payload.grantId === grantId) stored.delete(id)
      },
    }
  }
}
