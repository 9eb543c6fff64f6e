import { isIP } from 'node:net'
import { createTransport } from 'nodemailer'
import type { MailEnvironment } from '../env.ts'
import { asHtml, asText, type Letter } from './letter.ts'

// A mail server that says nothing must not hold up the end of the worker.
const patience = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 }

/** Takes letters to where they are read. */
export interface MailServer {
  /** Returns when the mail server has taken the letter, and throws MailNotTakenError where it has not. */
  send(recipient: { name: string; address: string }, letter: Letter): Promise<void>
}

/** The mail server did not take a letter. Says why, and no token. */
export class MailNotTakenError extends Error {
  override readonly name = 'MailNotTakenError'
}

/** Sends each letter on a connection of its own: mails about accounts are few. */
export function createMailServer({ smtpUrl, from }: MailEnvironment): MailServer {
  const transport = createTransport({ url: smtpUrl, ...patience, ...encryption(smtpUrl) })
  return {
    async send(recipient, letter) {
      try {
        await transport.sendMail({
          from,
          to: recipient,
          subject: letter.subject,
          text: asText(letter),
          html: asHtml(letter),
          // Answering machines keep still (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
      } catch (error) {
        throw new MailNotTakenError(`The mail server did not take it: ${reasonOf(error)}`)
      }
    },
  }
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
