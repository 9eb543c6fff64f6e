import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseKeys, shortestKeyBytes } from './key-ring.ts'

// Graphile reads this when it is loaded, so whoever loads it imports this file first. Its development mode checks more
// and answers differently, and what we test is to be what runs.
process.env.GRAPHILE_ENV ??= 'production'

/** What the server is told by its surroundings, read once when it starts. */
export interface ServerEnvironment {
  /** Connection string of the login `atum_server`. */
  databaseUrl: string
  host: string
  port: number
  production: boolean
  /** The first signs access tokens, all of them check. */
  jwtSecrets: readonly string[]
  /** The first seals the secrets in the database, all of them open. */
  encryptionKeys: readonly string[]
  rateLimits: boolean
  /** Whether a session may run the web's own operations only. */
  trustedDocumentsOnly: boolean
  /** The origins people use; the first one is the canonical address. */
  publicOrigins: readonly string[]
  /** How many proxies in front of us are ours, so that what they say of the caller's address is believed. */
  trustedProxies: number
  /** Where the contents of files are; the worker has the same one. */
  dataDirectory: string
  attachmentScanner: string
  smtpConfigured: boolean
  ollamaConfigured: boolean
  logLevel: string
  webDirectory: string
}

/** What is wrong with the surroundings, all of it at once. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Reads the surroundings; throws with every fault it finds. */
export function parseEnvironment(variables: NodeJS.ProcessEnv): ServerEnvironment {
  const faults: string[] = []
  const text = (name: string) => variables[name]?.trim() || undefined

  const databaseUrl = text('DATABASE_URL') ?? ''
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    faults.push('DATABASE_URL must be the connection string of atum_server, postgres://…')
  }

  const keys = (name: string) => {
    const parsed = parseKeys(text(name) ?? '')
    if (parsed.length === 0 || parsed.some((key) => Buffer.byteLength(key) < shortestKeyBytes)) {
      faults.push(
        `${name} must be a key of at least ${shortestKeyBytes} bytes, or several with spaces between`,
      )
    }
    return parsed
  }
  const jwtSecrets = keys('ATUM_JWT_SECRET')
  const encryptionKeys = keys('ATUM_ENCRYPTION_KEY')

  const rateLimits = text('ATUM_RATE_LIMITS') ?? 'on'
  if (!/^(on|off)$/.test(rateLimits)) faults.push('ATUM_RATE_LIMITS must be on or off')

  const port = Number(text('PORT') ?? 8000)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    faults.push('PORT must be a number from 0 to 65535')

  const trustedProxies = Number(text('ATUM_TRUSTED_PROXIES') ?? 0)
  if (!Number.isInteger(trustedProxies) || trustedProxies < 0 || trustedProxies > 10) {
    faults.push('ATUM_TRUSTED_PROXIES must be the number of proxies of yours in front of the server, 0 to 10')
  }

  const host = text('HOST') ?? '127.0.0.1'
  const production = text('NODE_ENV') === 'production'
  const trustedDocuments = text('ATUM_TRUSTED_DOCUMENTS') ?? (production ? 'only' : 'also')
  if (!/^(only|also)$/.test(trustedDocuments)) faults.push('ATUM_TRUSTED_DOCUMENTS must be only or also')

  const publicOrigins: string[] = []
  const publicUrls = text('ATUM_PUBLIC_URL') ?? `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  for (const url of publicUrls.split(',')) {
    const parsed = URL.parse(url.trim())
    if (parsed && /^https?:$/.test(parsed.protocol)) publicOrigins.push(parsed.origin)
    else
      faults.push(`ATUM_PUBLIC_URL must be one address or several with commas between, not "${url.trim()}"`)
  }

  const logLevel = text('LOG_LEVEL') ?? 'info'
  if (!logLevels.includes(logLevel)) faults.push(`LOG_LEVEL must be one of ${logLevels.join(', ')}`)

  if (faults.length > 0) {
    throw new EnvironmentError(
      `The server cannot start:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    )
  }
  return {
    databaseUrl,
    host,
    port,
    production,
    jwtSecrets,
    encryptionKeys,
    rateLimits: rateLimits === 'on',
    trustedDocumentsOnly: trustedDocuments === 'only',
    publicOrigins,
    trustedProxies,
    dataDirectory: resolve(text('ATUM_DATA_DIR') ?? 'data'),
    attachmentScanner: text('ATTACHMENT_SCANNER') ?? 'clamd',
    smtpConfigured: text('SMTP_URL') !== undefined,
    ollamaConfigured: text('OLLAMA_URL') !== undefined,
    logLevel,
    webDirectory: text('ATUM_WEB_DIR') ?? fileURLToPath(new URL('../web/dist', import.meta.url)),
  }
}

/** The surroundings of this process. */
export const readEnvironment = (): ServerEnvironment => parseEnvironment(process.env)

/** The database whose schema is printed, where one is named. */
export const schemaDatabaseUrl = (): string | undefined => process.env.DATABASE_URL?.trim() || undefined
