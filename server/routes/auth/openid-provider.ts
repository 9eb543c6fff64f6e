import * as openid from 'openid-client'
import { placeOf, type Encryption } from '../../encryption.ts'
import {
  isThisMachine,
  type OpenIdProvider,
  ProviderFailure,
  type ProvidedPerson,
} from './identity-providers.ts'

const patienceSeconds = 5
const discoveryMilliseconds = 5 * 60_000
const mostBytes = 1024 * 1024
const mostGroups = 1_000

/** What we must know again when a person comes back from the provider. */
export interface Journey {
  state: string
  nonce: string
  codeVerifier: string
}

/** A person, and the token by which the provider knows at logout whom we mean. */
export type Arrival = ProvidedPerson & { idToken: string }

/** Speaks OpenID Connect with identity providers. Whatever goes wrong is a ProviderFailure. */
export interface OpenIdClient {
  /** Where to send a person, and what to remember until they come back. */
  depart(provider: OpenIdProvider, redirectUri: string): Promise<{ url: URL; journey: Journey }>
  /** Who came back with the answer in `url`; undefined where the provider or the person said no. */
  arrive(provider: OpenIdProvider, url: URL, journey: Journey): Promise<Arrival | undefined>
  /** Where a person logs out at the provider; undefined where it has no such place. */
  endSessionUrl(
    provider: OpenIdProvider,
    idToken: string | null,
    returnTo: string,
  ): Promise<string | undefined>
}

/** A provider that was discovered: one configuration for each way to prove that we are its client. */
type Discovered = openid.Configuration[]

export function createOpenIdClient(options: { encryption: Encryption; production: boolean }): OpenIdClient {
  const { encryption, production } = options
  const discovered = new Map<string, { settings: string; until: number; provider: Promise<Discovered> }>()

  async function discover(provider: OpenIdProvider): Promise<Discovered> {
    const issuer = new URL(provider.issuer)
    const secret =
      provider.secret === null
        ? null
        : encryption.decrypt(provider.secret, placeOf.identityProvider(provider.id))
    const mayBePlain = issuer.protocol === 'http:' && (isThisMachine(issuer.hostname) || !production)
    // The signature counts even though the token comes straight from the provider: it may come unencrypted.
    const demands = [openid.enableNonRepudiationChecks, ...(mayBePlain ? [openid.allowInsecureRequests] : [])]
    const hosts = new Set([issuer.host])
    const fetchFromProvider = createFetch(hosts)

    const found = await openid.discovery(issuer, provider.clientId, undefined, openid.None(), {
      execute: demands,
      timeout: patienceSeconds,
      [openid.customFetch]: fetchFromProvider,
    })
    const metadata = found.serverMetadata()
    for (const [name, value] of Object.entries(metadata)) {
      if (/_endpoint$|^jwks_uri$/.test(name)) hosts.add(URL.parse(String(value))?.host ?? issuer.host)
    }
    return authentications(metadata, secret).map((authentication) => {
      const configuration = new openid.Configuration(metadata, provider.clientId, undefined, authentication)
      configuration.timeout = patienceSeconds
      configuration[openid.customFetch] = fetchFromProvider
      for (const demand of demands) demand(configuration)
      return configuration
    })
  }

  /** Discovered anew after some minutes, or when an admin changed something. */
  async function discoveredOf(provider: OpenIdProvider): Promise<Discovered> {
    const settings = JSON.stringify(provider)
    const now = Date.now()
    const known = discovered.get(provider.id)
    if (known?.settings === settings && known.until > now) return known.provider
    for (const [id, { until }] of discovered) if (until <= now) discovered.delete(id)
    const entry = { settings, until: now + discoveryMilliseconds, provider: discover(provider) }
    discovered.set(provider.id, entry)
    try {
      return await entry.provider
    } catch (error) {
      if (discovered.get(provider.id) === entry) discovered.delete(provider.id)
      throw error
    }
  }

  /** Trades the code for tokens, proving who we are in the next way where one is refused before the code is looked at. */
  async function trade(configurations: Discovered, url: URL, { state, nonce, codeVerifier }: Journey) {
    for (;;) {
      const [configuration, next] = configurations
      try {
        const tokens = await openid.authorizationCodeGrant(configuration!, url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        })
        return { tokens, configuration: configuration! }
      } catch (error) {
        const otherWay = error instanceof openid.ResponseBodyError && error.error === 'invalid_client' && next
        if (!otherWay) throw error
        // Somebody else may have come this far at the same moment.
        if (configurations[0] === configuration) configurations.shift()
      }
    }
  }

  return {
    depart: (provider, redirectUri) =>
      telling(async () => {
        const [configuration] = await discoveredOf(provider)
        const journey = {
          state: openid.randomState(),
          nonce: openid.randomNonce(),
          codeVerifier: openid.randomPKCECodeVerifier(),
        }
        const url = openid.buildAuthorizationUrl(configuration!, {
          redirect_uri: redirectUri,
          scope: [...new Set(['openid', ...provider.scopes])].join(' '),
          state: journey.state,
          nonce: journey.nonce,
          code_challenge: await openid.calculatePKCECodeChallenge(journey.codeVerifier),
          code_challenge_method: 'S256',
        })
        return { url, journey }
      }),

    arrive: (provider, url, journey) =>
      telling(async () => {
        try {
          const { tokens, configuration } = await trade(await discoveredOf(provider), url, journey)
          const idClaims = tokens.claims()!
          const asked = isComplete(idClaims, provider.roleClaim)
            ? {}
            : await userInfo(configuration, tokens.access_token, idClaims.sub)
          return { ...personOf(idClaims, asked, provider.roleClaim), idToken: tokens.id_token! }
        } catch (error) {
          if (error instanceof openid.AuthorizationResponseError && error.error === 'access_denied') {
            return undefined
          }
          throw error
        }
      }),

    endSessionUrl: (provider, idToken, returnTo) =>
      telling(async () => {
        const [configuration] = await discoveredOf(provider)
        if (configuration!.serverMetadata().end_session_endpoint === undefined) return undefined
        return openid.buildEndSessionUrl(configuration!, {
          ...(idToken === null ? {} : { id_token_hint: idToken }),
          client_id: provider.clientId,
          post_logout_redirect_uri: returnTo,
        }).href
      }),
  }
}

/** The ways in which the provider says a client proves itself, the one that is the standard's default first. */
function authentications(metadata: openid.ServerMetadata, secret: string | null): openid.ClientAuth[] {
  if (secret === null) return [openid.None()]
  const supported = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  const ways = [
    ...(supported.includes('client_secret_basic') ? [openid.ClientSecretBasic(secret)] : []),
    ...(supported.includes('client_secret_post') ? [openid.ClientSecretPost(secret)] : []),
  ]
  return ways.length > 0 ? ways : [openid.ClientSecretBasic(secret)]
}

/** Fetches from hosts that the provider named, and no more than it has reason to send. */
function createFetch(hosts: ReadonlySet<string>): openid.CustomFetch {
  return async (url, options) => {
    if (!hosts.has(new URL(url).host)) throw new Error('The provider did not name this host')
    const response = await fetch(url, options as RequestInit)
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length
      if (bytes > mostBytes) throw new Error('The provider sends too much')
      chunks.push(chunk)
    }
    const { status, statusText, headers } = response
    return new Response(response.body === null ? null : Buffer.concat(chunks), {
      status,
      statusText,
      headers,
    })
  }
}

const isComplete = (claims: Record<string, unknown>, roleClaim: string | null) =>
  typeof claims.email === 'string' &&
  claims.email_verified !== undefined &&
  (roleClaim === null || claimAt(claims, roleClaim) !== undefined)

async function userInfo(
  configuration: openid.Configuration,
  accessToken: string,
  subject: string,
): Promise<Record<string, unknown>> {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return {}
  return { ...(await openid.fetchUserInfo(configuration, accessToken, subject)) }
}

/** A person from what the id token says, and where it is silent the userinfo. */
function personOf(
  idClaims: openid.IDToken,
  asked: Record<string, unknown>,
  roleClaim: string | null,
): ProvidedPerson {
  const email = text(idClaims.email) ?? text(asked.email)
  // Whether an address is verified is believed only from who said that very address.
  const witnesses = [idClaims, asked].filter((claims) => email !== null && claims.email === email)
  const verified = witnesses.map((claims) => claims.email_verified).find((value) => value !== undefined)
  const groups = roleClaim === null ? [] : (claimAt(idClaims, roleClaim) ?? claimAt(asked, roleClaim) ?? [])
  return {
    subject: idClaims.sub,
    email,
    // Some say it in words. Silence is no yes.
    emailVerified: verified === true || verified === 'true',
    name: text(idClaims.name) ?? text(asked.name),
    groups: (Array.isArray(groups) ? groups : [groups])
      .filter((group) => typeof group === 'string')
      .slice(0, mostGroups),
  }
}

const text = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : null

/** A claim by its name, which may have dots in it, or by the names on the way to it with dots between. */
function claimAt(claims: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined,
      claims,
    )
}

/** Makes a ProviderFailure of every fault, with its kind and without its contents. */
async function telling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, error: word } = error as { code?: unknown; error?: unknown }
    const kinds = [code, word].filter((kind) => typeof kind === 'string' && /^[\w.-]{1,60}$/.test(kind))
    const { message } = error as Error
    throw new ProviderFailure([message, ...kinds].join(': '))
  }
}
