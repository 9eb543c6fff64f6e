import type { EnvironmentMailbox } from './mail-database.ts'

/** The mailbox that `IMAP_HOST` and what belongs to it name; undefined where it is not set. Throws an error that names the variable to set. */
export function readMailboxEnvironment(variables: NodeJS.ProcessEnv): EnvironmentMailbox | undefined {
  const value = (name: string) => variables[name]?.trim() ?? ''
  const host = value('IMAP_HOST')
  if (!host) return undefined
  if (/[\s/@]/.test(host)) throw new Error('IMAP_HOST must be the name of a mail server, imap.example.com')

  const security = value('IMAP_SECURITY') || 'tls'
  if (security !== 'tls' && security !== 'starttls' && security !== 'none') {
    throw new Error('IMAP_SECURITY must be tls, starttls or none')
  }
  const port = Number(value('IMAP_PORT') || (security === 'tls' ? 993 : 143))
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('IMAP_PORT must be a port, 993')
  const username = value('IMAP_USER')
  if (!username) throw new Error('IMAP_USER must be the account at the mail server IMAP_HOST')
  const password = variables.IMAP_PASSWORD ?? ''
  if (!password) throw new Error('IMAP_PASSWORD must be the password of IMAP_USER')
  const address = value('IMAP_ADDRESS') || username
  if (!/^[^\s<>@]+@[^\s<>@]+$/.test(address)) {
    throw new Error('IMAP_ADDRESS must be the address that people write to, where IMAP_USER is none')
  }
  return {
    organizationSlug: value('IMAP_ORGANIZATION') || undefined,
    address,
    host,
    port,
    security,
    username,
    password,
  }
}

/** How long a mailbox stays with a worker that is not heard of any more. */
export function readMailLease(variables: NodeJS.ProcessEnv): number {
  const seconds = Number(variables.ATUM_MAIL_LEASE_SECONDS ?? '30')
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 600) {
    throw new Error('ATUM_MAIL_LEASE_SECONDS must be a whole number from 1 to 600')
  }
  return seconds
}
