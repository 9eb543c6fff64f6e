import { resolve } from 'node:path'
import { type ScannerEnvironment, readScannerEnvironment } from './files/scanner-environment.ts'
import type { EnvironmentMailbox } from './mail-in/mail-database.ts'
import { readMailboxEnvironment, readMailLease } from './mail-in/mailbox-environment.ts'
import { parseKeys, shortestKeyBytes } from '../server/key-ring.ts'

/** What the worker reads from its environment, parsed once; a missing value ends the process with a clear message. */
export interface WorkerEnvironment {
  /** The database, as `atum_worker`. */
  databaseUrl: string
  /** How many jobs run side by side. */
  concurrency: number
  logLevel: string
  /** Where the contents of files are, the server's directory. */
  dataDirectory: string
  /** How files are scanned; undefined where they are let through unscanned. */
  scanner: ScannerEnvironment | undefined
  /** The mailbox that the environment names; undefined where it names none. */
  mailbox: EnvironmentMailbox | undefined
  /** How long a mailbox stays with a worker that is not heard of any more. */
  mailLeaseSeconds: number
  /** Whether the worker goes to addresses inside the own network where admins of an organization want it. */
  allowInternal: boolean
  /** How mails leave; undefined where there is no mail server. */
  mail: MailEnvironment | undefined
  /**
   * Open the secrets that the worker uses at others: of webhooks and mailboxes. The first is the newest; undefined where
   * none was given, and then whatever needs one of those secrets says so and is not done.
   */
  encryptionKeys: readonly string[] | undefined
}

/** How mails leave, and where their links lead. */
export interface MailEnvironment {
  /** `smtp://` or `smtps://`, with login and password where the server wants them. Never to be logged. */
  smtpUrl: string
  /** Who they are from: an address, or `ATUM Desk <desk@example.com>`. */
  from: string
  /** The origin that people use. */
  publicOrigin: string
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Reads the environment, or throws an error that names the variable to set. */
export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): WorkerEnvironment {
  const databaseUrl = variables.DATABASE_URL
  if (!databaseUrl || !URL.canParse(databaseUrl)) {
    throw new Error('DATABASE_URL must be the connection string of the database, as atum_worker')
  }
  const concurrency = Number(variables.ATUM_WORKER_CONCURRENCY ?? '4')
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 100) {
    throw new Error('ATUM_WORKER_CONCURRENCY must be a whole number from 1 to 100')
  }
  const logLevel = variables.LOG_LEVEL ?? 'info'
  if (!logLevels.includes(logLevel)) {
    throw new Error(`LOG_LEVEL must be one of ${logLevels.join(', ')}`)
  }
  return {
    databaseUrl,
    concurrency,
    logLevel,
    dataDirectory: resolve(variables.ATUM_DATA_DIR?.trim() || 'data'),
    scanner: readScannerEnvironment(variables),
    mailbox: readMailboxEnvironment(variables),
    mailLeaseSeconds: readMailLease(variables),
    allowInternal: readInternalTargets(variables),
    mail: readMailEnvironment(variables),
    encryptionKeys: readEncryptionKeys(variables),
  }
}

function readInternalTargets(variables: NodeJS.ProcessEnv): boolean {
  const value = variables.ATUM_INTERNAL_TARGETS?.trim() || 'allowed'
  if (value !== 'allowed' && value !== 'refused') {
    throw new Error('ATUM_INTERNAL_TARGETS must be allowed or refused')
  }
  return value === 'allowed'
}

function readEncryptionKeys(variables: NodeJS.ProcessEnv): readonly string[] | undefined {
  const keys = parseKeys(variables.ATUM_ENCRYPTION_KEY ?? '')
  if (keys.length === 0) return undefined
  if (keys.some((key) => Buffer.byteLength(key) < shortestKeyBytes)) {
    throw new Error(
      `ATUM_ENCRYPTION_KEY must be the server's: a key of at least ${shortestKeyBytes} bytes, or several with spaces between`,
    )
  }
  return keys
}

function readMailEnvironment(variables: NodeJS.ProcessEnv): MailEnvironment | undefined {
  const smtpUrl = variables.SMTP_URL?.trim()
  if (!smtpUrl) return undefined
  const { protocol, hostname } = URL.parse(smtpUrl) ?? {}
  if (!hostname || (protocol !== 'smtp:' && protocol !== 'smtps:')) {
    // Without the value: it may hold a password.
    throw new Error('SMTP_URL must be the address of a mail server, smtp://host:587 or smtps://host')
  }
  const from = variables.ATUM_MAIL_FROM?.trim() ?? ''
  if (!/^([^<>@\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/.test(from)) {
    throw new Error(
      'ATUM_MAIL_FROM must be the address mails are from, desk@example.com or ATUM Desk <desk@example.com>',
    )
  }
  // Several may be given, as to the server; the first is the canonical one.
  const publicUrl = URL.parse((variables.ATUM_PUBLIC_URL ?? '').split(',', 1)[0]?.trim() ?? '')
  if (!publicUrl || !/^https?:$/.test(publicUrl.protocol)) {
    throw new Error(
      'ATUM_PUBLIC_URL must be the address people use, https://desk.example.com: links in mails lead there',
    )
  }
  return { smtpUrl, from, publicOrigin: publicUrl.origin }
}
