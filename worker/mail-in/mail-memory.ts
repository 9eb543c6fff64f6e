import { EventEmitter, once } from 'node:events'

/** What mails of one organization may take while they are handed out: room for one that is as large as any may be. */
const mostBytes = 268_435_456

/**
 * Lets mails in as long as their organization has room for them. Each of its mailboxes may be of a server that hands out
 * a large mail at the same moment, or none to its end; those of other organizations have room of their own.
 */
export class MailMemory {
  readonly #taken = new Map<string, number>()
  readonly #freed = new EventEmitter().setMaxListeners(0)

  /** Waits for room for so many bytes, and has it until something is done. Throws where it is called off before. */
  async hold<Result>(
    organizationId: string,
    bytes: number,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    while (this.#of(organizationId) > 0 && this.#of(organizationId) + bytes > mostBytes)
      await once(this.#freed, organizationId, { signal })
    this.#taken.set(organizationId, this.#of(organizationId) + bytes)
    try {
      return await work()
    } finally {
      const left = this.#of(organizationId) - bytes
      if (left > 0) this.#taken.set(organizationId, left)
      else this.#taken.delete(organizationId)
      this.#freed.emit(organizationId)
    }
  }

  #of(organizationId: string): number {
    return this.#taken.get(organizationId) ?? 0
  }
}
