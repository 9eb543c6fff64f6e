import type { Encryption } from '../../server/encryption.ts'
import { placeOf } from '../../server/encryption.ts'
import { AddressRefusedError } from '../outward/guarded-lookup.ts'
import { type Credentials, MailboxError, type MailboxSettings } from './imap.ts'
import { askTokenEndpoint, type TokenEndpointAnswer } from './token-endpoint.ts'

/** What is sealed for a mailbox. */
interface Secret {
  password?: string
  accessToken?: string
  refreshToken?: string
  clientSecret?: string
}

/** Where credentials come from. */
export interface CredentialSources {
  encryption: Encryption | undefined
  /** Whether a token endpoint may be inside the own network. */
  allowInternal: boolean
  /** The password of the mailbox that the environment names. */
  environmentPassword: string | undefined
  /** Stores a secret that the token endpoint replaced. */
  renew: (settings: MailboxSettings, sealed: string) => Promise<unknown>
}

/** Tokens are asked for anew this long before they end. */
const margin = 60_000

/** What to log in to mailboxes with. Access tokens are kept for as long as they are good. */
export class MailboxCredentials {
  readonly #sources: CredentialSources
  readonly #tokens = new Map<string, { secret: string; accessToken: string; until: number }>()

  constructor(sources: CredentialSources) {
    this.#sources = sources
  }

  /** What to log in to a mailbox with; throws a MailboxError where there is nothing. */
  async of(settings: MailboxSettings): Promise<Credentials> {
    if (settings.fromEnvironment) {
      const password = this.#sources.environmentPassword
      if (password === undefined)
        throw new MailboxError('no_secret', 'This worker has no IMAP_PASSWORD in its environment')
      return { password }
    }
    const secret = this.#open(settings)
    if (settings.auth === 'password') {
      if (!secret.password) throw new MailboxError('no_secret', 'No password was given for this mailbox')
      return { password: secret.password }
    }
    if (!settings.tokenEndpoint) {
      if (!secret.accessToken)
        throw new MailboxError('no_secret', 'No access token was given for this mailbox')
      return { accessToken: secret.accessToken }
    }
    if (!secret.refreshToken)
      throw new MailboxError('no_secret', 'No refresh token was given for this mailbox')
    const known = this.#tokens.get(settings.mailboxId)
    if (known?.secret === settings.secret && known.until > Date.now())
      return { accessToken: known.accessToken }
    return { accessToken: await this.#exchange(settings, secret) }
  }

  /** Forgets the token of a mailbox that refused it. */
  forget({ mailboxId }: MailboxSettings): void {
    this.#tokens.delete(mailboxId)
  }

  #open({ organizationId, mailboxId, secret }: MailboxSettings): Secret {
    const { encryption } = this.#sources
    if (!secret) throw new MailboxError('no_secret', 'No password was given for this mailbox')
    if (!encryption)
      throw new MailboxError('no_secret', 'This worker has no ATUM_ENCRYPTION_KEY to open the password with')
    try {
      return JSON.parse(encryption.decrypt(secret, placeOf.mailbox(organizationId, mailboxId))) as Secret
    } catch (error) {
      throw new MailboxError('no_secret', (error as Error).message)
    }
  }

  async #exchange(settings: MailboxSettings, secret: Secret): Promise<string> {
    const answer = await tokenFrom(settings, secret, this.#sources.allowInternal)
    this.#tokens.set(settings.mailboxId, {
      secret: settings.secret!,
      accessToken: answer.access_token,
      until: Date.now() + Math.max(0, (answer.expires_in ?? 300) * 1_000 - margin),
    })
    if (answer.refresh_token && answer.refresh_token !== secret.refreshToken) {
      const { encryption } = this.#sources
      const place = placeOf.mailbox(settings.organizationId, settings.mailboxId)
      await this.#sources.renew(
        settings,
        encryption!.encrypt(JSON.stringify({ ...secret, refreshToken: answer.refresh_token }), place),
      )
    }
    return answer.access_token
  }
}

interface TokenAnswer {
  access_token: string
  expires_in?: number
  refresh_token?: string
}

/** Exchanges a refresh token (RFC 6749, section 6). What a token endpoint says may quote what it was sent: it is not repeated. */
async function tokenFrom(
  { tokenEndpoint, clientId, scopes }: MailboxSettings,
  { refreshToken, clientSecret }: Secret,
  allowInternal: boolean,
): Promise<TokenAnswer> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken!,
    client_id: clientId ?? '',
  })
  if (clientSecret) body.set('client_secret', clientSecret)
  if (scopes) body.set('scope', scopes)
  let response: TokenEndpointAnswer
  try {
    response = await askTokenEndpoint(tokenEndpoint!, body, allowInternal)
  } catch (error) {
    // Only what we say ourselves: anything else may quote what was sent.
    const words = error instanceof AddressRefusedError ? `: ${error.message}` : ''
    throw new MailboxError('unreachable', `The token endpoint cannot be reached${words}`)
  }
  const answer = response.body as (Partial<TokenAnswer> & { error?: unknown }) | null | undefined
  if (response.status !== 200 || typeof answer?.access_token !== 'string') {
    const word =
      typeof answer?.error === 'string' && /^[a-z_]{1,40}$/.test(answer.error) ? ` ${answer.error}` : ''
    throw new MailboxError('token_refused', `The token endpoint gave no token: ${response.status}${word}`)
  }
  return answer as TokenAnswer
}
