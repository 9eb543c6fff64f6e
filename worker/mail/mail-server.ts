import { isIP } from 'node:net'
import { createTransport, type SendMailOptions } from 'nodemailer'
import type { MailEnvironment } from '../env.ts'
import { asHtml, asText, type Letter } from './letter.ts'

// A mail server that says nothing must not hold up the end of the worker.
const patience = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 }

// Nor one that says a little now and then: another worker takes the mail after ten minutes.
const deadline = 5 * 60_000

/** What the mail server said when it took a mail. */
export interface Taken {
  code: number | null
  response: string
}

/** Takes letters to where they are read. */
export interface MailServer {
  /** The address mails are from where nothing else is said. */
  senderAddress: string
  senderDomain: string
  /** Returns when the mail server has taken the letter, and throws MailNotTakenError where it has not. */
  send(recipient: { name: string; address: string }, letter: Letter): Promise<void>
  /** The same for a mail that is ready. */
  post(mail: SendMailOptions): Promise<Taken>
}

/** The mail server did not take a letter. Says why, and no token. */
export class MailNotTakenError extends Error {
  override readonly name = 'MailNotTakenError'
  /** The code it answered with; null where it said nothing. */
  readonly code: number | null
  /** Whether it would not take it later either. */
  readonly isFinal: boolean

  constructor(message: string, code: number | null, isFinal: boolean) {
    super(message)
    this.code = code
    this.isFinal = isFinal
  }
}

/** How long a mail server is waited for; tests have less. */
export interface Patience {
  connectionTimeout: number
  greetingTimeout: number
  socketTimeout: number
}

/** Sends each letter on a connection of its own. */
export function createMailServer(
  { smtpUrl, from }: MailEnvironment,
  waiting: Patience = patience,
): MailServer {
  const transport = createTransport({ url: smtpUrl, ...waiting, ...encryption(smtpUrl) })
  const senderAddress = /<([^<>]+)>$/.exec(from)?.[1] ?? from

  async function post(mail: SendMailOptions): Promise<Taken> {
    try {
      const { response } = await withinDeadline(
        // Nothing in a mail names a file or an address to be fetched, whatever somebody wrote into it.
        transport.sendMail({ ...mail, disableFileAccess: true, disableUrlAccess: true }),
      )
      return { code: codeIn(response), response: response.replaceAll(/[0-9a-f]{32,}/gi, '…').slice(0, 500) }
    } catch (error) {
      const code = (error as { responseCode?: unknown }).responseCode
      throw new MailNotTakenError(
        `The mail server did not take it: ${reasonOf(error)}`,
        typeof code === 'number' && code >= 100 && code <= 999 ? code : null,
        isFinal(error),
      )
    }
  }

  return {
    senderAddress,
    senderDomain: senderAddress.slice(senderAddress.lastIndexOf('@') + 1),
    post,
    async send(recipient, letter) {
      await post({
        from,
        to: recipient,
        subject: letter.subject,
        text: asText(letter),
        html: asHtml(letter),
        // Answering machines keep still (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
    },
  }
}

/**
 * A refusal of this mail for good. That the server does not let us in, or wants a login first, is a fault of the
 * settings, and no mail is given up for it at once.
 */
function isFinal(error: unknown): boolean {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown }
  return (
    typeof responseCode === 'number' &&
    responseCode >= 500 &&
    responseCode < 600 &&
    ![530, 534, 535, 538].includes(responseCode) &&
    (code === 'EENVELOPE' || code === 'EMESSAGE')
  )
}

async function withinDeadline<Result>(work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('ETIMEDOUT it took longer than five minutes')), deadline)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

const codeIn = (response: string): number | null => {
  const code = /^\d{3}/.exec(response)?.[0]
  return code ? Number(code) : null
}

/**
 * Links that let people in do not cross a network in the clear, whatever somebody on the way makes of the mail server's
 * greeting. A relay in the own network that knows no TLS is named with `?requireTLS=false`.
 */
function encryption(smtpUrl: string): { requireTLS?: true } {
  const { protocol, hostname, searchParams } = new URL(smtpUrl)
  const isOurs =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  const isSaid = searchParams.has('requireTLS') || searchParams.has('ignoreTLS')
  return protocol === 'smtps:' || isOurs || isSaid ? {} : { requireTLS: true }
}

/** A server that refuses a letter may quote from it: what could be of a token is not repeated. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown }
  const words = `${typeof code === 'string' ? `${code} ` : ''}${String(message)}`
  return words.replaceAll(/[0-9a-f]{12,}/gi, '…').slice(0, 500)
}
