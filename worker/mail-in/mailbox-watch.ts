import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Logger } from 'pino'
import type { Encryption } from '../../server/encryption.ts'
import { MailboxCredentials } from './credentials.ts'
import type { MailboxSettings } from './imap.ts'
import { type EnvironmentMailbox, MailDatabase } from './mail-database.ts'
import { type Fetcher, startFetcher } from './mail-fetcher.ts'
import { MailMemory } from './mail-memory.ts'
import type { MailStore } from './mail-store.ts'

/** What fetching mail needs of the worker. */
export interface MailboxWatchOptions {
  pool: Pool
  mails: MailStore
  encryption: Encryption | undefined
  environmentMailbox: EnvironmentMailbox | undefined
  /** How long a mailbox stays a worker's that is not heard of any more. */
  leaseSeconds: number
  /** Whether mail is read inside the own network for organizations that want it. */
  allowInternal: boolean
  logger: Logger
}

/** Reads mailboxes until it is stopped. */
export interface MailboxWatch {
  credentials: MailboxCredentials
  stop: () => Promise<void>
}

const lookMilliseconds = 60_000

/**
 * Reads every mailbox there is, each by one worker of all: it takes those that are free, leaves those that are switched
 * off, and begins anew with those that were changed, within a sixth of the lease.
 */
export function watchMailboxes(options: MailboxWatchOptions): MailboxWatch {
  const { pool, mails, encryption, environmentMailbox, leaseSeconds, allowInternal, logger } = options
  const database = new MailDatabase(pool, `${hostname()}:${process.pid}:${randomUUID()}`)
  const credentials = new MailboxCredentials({
    encryption,
    allowInternal,
    environmentPassword: environmentMailbox?.password,
    renew: (settings, sealed) => database.renewSecret(settings, sealed),
  })
  const memory = new MailMemory()
  const parts = { credentials, allowInternal, database, mails, memory, logger, lookMilliseconds }
  const fetchers = new Map<string, { version: string; fetcher: Fetcher }>()
  const stopping = new AbortController()
  let complained = ''

  const keepEnvironment = async () => {
    const outcome = await database.keepEnvironmentMailbox(environmentMailbox)
    if (outcome === 'no_organization' && complained !== outcome) {
      logger.error(
        environmentMailbox?.organizationSlug === undefined
          ? 'IMAP_HOST names a mailbox, but there is not one organization: say whose it is with IMAP_ORGANIZATION'
          : 'there is no organization as IMAP_ORGANIZATION says',
      )
    }
    complained = outcome
  }

  const adjust = async (wanted: MailboxSettings[]) => {
    const versions = new Map(
      wanted.map((settings) => [settings.mailboxId, { settings, version: JSON.stringify(settings) }]),
    )
    const over = [...fetchers].filter(([id, { version }]) => versions.get(id)?.version !== version)
    for (const [id] of over) {
      fetchers.delete(id)
      logger.info({ mailbox: id }, 'a mailbox is left')
    }
    await Promise.all(over.map(([, { fetcher }]) => fetcher.stop()))
    for (const [id, { settings, version }] of versions) {
      if (fetchers.has(id)) continue
      logger.info({ mailbox: id }, 'a mailbox is read')
      fetchers.set(id, { version, fetcher: startFetcher(settings, parts) })
    }
  }

  const running = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await keepEnvironment()
        await adjust(await database.lease(leaseSeconds, environmentMailbox !== undefined))
      } catch (error) {
        // What this worker reads it goes on reading: should another one take it over, a mail is one mail all the same.
        logger.warn({ error: (error as Error).message }, 'the mailboxes could not be asked for')
      }
      await delay((leaseSeconds * 1_000) / 6, undefined, { signal: stopping.signal }).catch(() => {})
    }
  })()

  return {
    credentials,
    stop: async () => {
      stopping.abort()
      await running
      await Promise.all([...fetchers.values()].map(({ fetcher }) => fetcher.stop()))
      await database
        .release()
        .catch((error: Error) => logger.warn({ error: error.message }, 'the mailboxes could not be released'))
    },
  }
}
