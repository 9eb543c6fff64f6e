import type { Pool, QueryResult } from 'pg'
import type { MailboxSettings } from './imap.ts'

/** Where reading a mailbox goes on; null where it begins. */
export interface Progress {
  /** How many bytes its organization may still take in now. */
  room: number
  uidValidity: string | null
  lastUid: number | null
  lastFetchedAt: string | null
}

/** What is noted of a mail before anybody reads it. */
export interface StoredMail {
  folder: string
  uidValidity: string
  uid: number
  /** Null for one that was not fetched, with the reason in `refusal`. */
  sha256: string | null
  refusal?: 'oversize' | 'unreadable'
  size: number
  messageId: string | undefined
  fromName: string | undefined
  fromAddress: string | undefined
  subject: string | undefined
  receivedAt: string | undefined
}

/** The mailbox that the environment of the worker names. */
export interface EnvironmentMailbox {
  organizationSlug: string | undefined
  address: string
  host: string
  port: number
  security: 'tls' | 'starttls' | 'none'
  username: string
  password: string
}

/** What fetching mail reads and writes in the database, each a short transaction of one organization. */
export class MailDatabase {
  readonly #pool: Pool
  readonly #workerId: string

  constructor(pool: Pool, workerId: string) {
    this.#pool = pool
    this.#workerId = workerId
  }

  /** Every mailbox that is this worker's to read for so many seconds. */
  async lease(seconds: number, knowsEnvironment: boolean): Promise<MailboxSettings[]> {
    const { rows }: QueryResult<{ settings: MailboxSettings }> = await this.#pool.query(
      'select app_private.lease_mailboxes($1, $2, $3) as settings',
      [this.#workerId, seconds, knowsEnvironment],
    )
    return rows.map(({ settings }) => settings)
  }

  async release(): Promise<void> {
    await this.#pool.query('select app_private.release_mailboxes($1)', [this.#workerId])
  }

  /** Has the mailbox of the environment in the database, or put away where there is none. */
  async keepEnvironmentMailbox(mailbox: EnvironmentMailbox | undefined): Promise<string> {
    const {
      organizationSlug,
      password: _password,
      ...settings
    } = mailbox ?? ({} as Partial<EnvironmentMailbox>)
    const { rows }: QueryResult<{ answer: { outcome: string } }> = await this.#pool.query(
      'select app_private.keep_environment_mailbox($1, $2) as answer',
      [organizationSlug ?? null, mailbox ? JSON.stringify(settings) : null],
    )
    return rows[0]!.answer.outcome
  }

  async progress(mailbox: MailboxSettings): Promise<Progress> {
    return (
      (await this.#ask<Progress | null>(mailbox, 'mailbox_progress', [])) ?? {
        room: 0,
        uidValidity: null,
        lastUid: null,
        lastFetchedAt: null,
      }
    )
  }

  /** Notes a mail; false where it was noted before. */
  async store(mailbox: MailboxSettings, mail: StoredMail): Promise<boolean> {
    return (await this.#ask<string | null>(mailbox, 'store_incoming_mail', [JSON.stringify(mail)])) !== null
  }

  async fetched(mailbox: MailboxSettings, uidValidity: string, lastUid: number): Promise<void> {
    await this.#ask(mailbox, 'mailbox_fetched', [uidValidity, lastUid])
  }

  async failed(mailbox: MailboxSettings, error: string): Promise<void> {
    await this.#ask(mailbox, 'mailbox_failed', [error])
  }

  async renewSecret(mailbox: MailboxSettings, sealed: string): Promise<void> {
    await this.#ask(mailbox, 'renew_mailbox_secret', [mailbox.secret, sealed])
  }

  async #ask<Answer>(
    { organizationId, mailboxId }: MailboxSettings,
    question: string,
    values: unknown[],
  ): Promise<Answer> {
    const client = await this.#pool.connect()
    try {
      await client.query('begin')
      await client.query(
        `select set_config('role', 'atum_worker', true), set_config('atum.organization_id', $1, true), set_config('atum.request_id', 'mail', true)`,
        [organizationId],
      )
      const places = ['$1', ...values.map((_value, at) => `$${at + 2}`)].join(', ')
      const { rows }: QueryResult<{ answer: Answer }> = await client.query(
        `select app_private.${question}(${places}) as answer`,
        [mailboxId, ...values],
      )
      await client.query('commit')
      return rows[0]!.answer
    } catch (error) {
      await client.query('rollback').catch(() => {})
      throw error
    } finally {
      client.release()
    }
  }
}
