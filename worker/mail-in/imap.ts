import { isIP } from 'node:net'
import { ImapFlow } from 'imapflow'
import { guardedLookup, refuseAddress } from '../outward/guarded-lookup.ts'

/** How a mailbox is reached, as the database says it. */
export interface MailboxSettings {
  organizationId: string
  mailboxId: string
  address: string
  host: string
  port: number
  security: 'tls' | 'starttls' | 'none'
  auth: 'password' | 'oauth2'
  username: string
  folder: string
  processedFolder: string | null
  tokenEndpoint: string | null
  clientId: string | null
  scopes: string | null
  fromEnvironment: boolean
  maxMailBytes: number
  /** Sealed; null where none was given, or it is in the environment. */
  secret: string | null
}

/** What one logs in with. */
export type Credentials = { password: string } | { accessToken: string }

/** Why a mailbox cannot be read, in a word of `mailbox_states.test_outcome`. */
export type MailboxFault =
  'unreachable' | 'certificate' | 'refused' | 'no_folder' | 'no_secret' | 'token_refused' | 'failed'

/** A mailbox cannot be read. Says why, and no secret. */
export class MailboxError extends Error {
  override readonly name = 'MailboxError'
  readonly fault: MailboxFault

  constructor(fault: MailboxFault, message: string) {
    super(message)
    this.fault = fault
  }
}

/** More mails than a folder has that is read. Of a server that says otherwise each one would be kept in a list. */
const mostMails = 1_000_000
/** More than go while one is connected: each is told of by itself, and a server needs no more than a line for all. */
const mostGone = 100_000
/** What a server says that hands out no mail; room for the numbers of half a million. */
export const mostWords = 4_194_304

/**
 * A connection that is not yet made. Where admins of an organization named the server, it is not one inside the own
 * network unless `allowInternal`; throws an AddressRefusedError, or fails with one.
 */
export function imapClient(
  settings: MailboxSettings,
  credentials: Credentials,
  allowInternal: boolean,
): ImapFlow {
  const { host, port, security, username, fromEnvironment, maxMailBytes } = settings
  const longestLiteral = maxMailBytes + 65_536
  if (!fromEnvironment && isIP(host)) refuseAddress(host, host, allowInternal)
  let gone = 0
  const client: ImapFlow = new ImapFlow({
    host,
    port,
    secure: security === 'tls',
    ...(security !== 'tls' && { doSTARTTLS: security === 'starttls' }),
    auth: {
      user: username,
      ...('password' in credentials
        ? { pass: credentials.password }
        : { accessToken: credentials.accessToken }),
    },
    // Goes to whatever makes the connection, with TLS or without.
    ...(!fromEnvironment && { tls: { lookup: guardedLookup(allowInternal) } }),
    logger: false,
    clientInfo: { name: 'ATUM Desk' },
    connectionTimeout: 15_000,
    greetingTimeout: 15_000,
    // Longer than a server lets one wait for new mail without a word.
    socketTimeout: 300_000,
    disableAutoIdle: true,
    // Or a few bytes would be as many as one likes.
    disableCompression: true,
    // What a server says of the size of a mail need not be true: it is cut off before the memory is full. Some count a
    // little less than they send.
    maxLiteralSize: longestLiteral,
    // The same by many lines, or by one that never ends; a list of all mails of a large folder has its place.
    maxResponseSize: longestLiteral + 16_777_216,
    expungeHandler: () => {
      gone += 1
      if (gone <= mostGone) return undefined
      client.close()
      // It goes on with the next one when this one was told of.
      return new Promise(() => {})
    },
  })
  // Whoever waits for something of it hears of it there.
  client.on('error', () => {})
  client.on('exists', ({ count }) => {
    if (count > mostMails) client.close()
  })
  return client
}

/**
 * Does something with a connection, which is closed where the server says more than so many bytes meanwhile: most of what
 * it says is kept until the end, and the limits of the connection are for one answer of many.
 */
export async function withinBytes<Result>(
  client: ImapFlow,
  mostBytes: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = client.stats().received
  let isTooMuch = false
  const watch = setInterval(() => {
    isTooMuch ||= client.stats().received - before > mostBytes
    if (isTooMuch) client.close()
  }, 20)
  try {
    return await work()
  } catch (error) {
    if (!isTooMuch) throw error
    throw Object.assign(new Error(`The server says more than ${mostBytes} bytes`), {
      code: 'ResponseTooLarge',
    })
  } finally {
    clearInterval(watch)
  }
}

/** Opens the folder of a mailbox, and says in a word why that does not go. */
export async function openFolder(
  client: ImapFlow,
  settings: MailboxSettings,
  options: { readOnly?: boolean } = {},
): Promise<void> {
  try {
    await withinBytes(client, mostWords, () => client.connect())
  } catch (error) {
    throw faultOf(error)
  }
  let exists: number
  try {
    ;({ exists } = await withinBytes(client, mostWords, () => client.mailboxOpen(settings.folder, options)))
  } catch (error) {
    throw new MailboxError('no_folder', `The folder ${settings.folder} cannot be opened: ${wordsOf(error)}`)
  }
  if (exists > mostMails) {
    throw new MailboxError('no_folder', `The folder ${settings.folder} has more than ${mostMails} mails`)
  }
}

const certificateCodes =
  /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA)/
const networkCodes =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|CONNECT_TIMEOUT|GREETING_TIMEOUT|UPGRADE_TIMEOUT|ETIMEOUT|ADDRESS_REFUSED|NoConnection|EConnectionClosed|ClosedAfterConnect\w*)$/i

/** What went wrong, in a word and in the server's own. */
export function faultOf(error: unknown): MailboxError {
  if (error instanceof MailboxError) return error
  const { code = '', authenticationFailed } = error as { code?: string; authenticationFailed?: boolean }
  const words = wordsOf(error)
  if (authenticationFailed) return new MailboxError('refused', `The server refused the login: ${words}`)
  if (certificateCodes.test(code))
    return new MailboxError('certificate', `The certificate of the server is not trusted: ${words}`)
  if (networkCodes.test(code))
    return new MailboxError('unreachable', `The server cannot be reached: ${words}`)
  return new MailboxError('failed', words)
}

function wordsOf(error: unknown): string {
  const { responseText, message, code } = error as { responseText?: string; message?: string; code?: string }
  return [responseText ?? message ?? String(error), code && `(${code})`]
    .filter(Boolean)
    .join(' ')
    .slice(0, 400)
}
