import { Worker } from 'node:worker_threads'
import type { ReadMail } from './parse-mail.ts'

/** A mail could not be read: it is broken, or made to keep whoever reads it busy. */
export class MailUnreadableError extends Error {
  override readonly name = 'MailUnreadableError'
}

/** What one mail may take. */
export interface ReadingLimits {
  milliseconds: number
  /** Beside the mail itself and its files. */
  megabytes: number
}

type Answer = { mail: ReadMail } | { error: string }

/**
 * Reads mails in threads of their own. Anybody can send a mail: whatever one is made of, it takes at most so much time
 * and memory, and the jobs of everybody else go on meanwhile.
 */
export class MailReader {
  readonly #limits: ReadingLimits
  readonly #idle: Worker[] = []

  constructor(limits: ReadingLimits = { milliseconds: 20_000, megabytes: 256 }) {
    this.#limits = limits
  }

  /** Throws a MailUnreadableError where a mail cannot be read within the limits. */
  async read(source: Buffer): Promise<ReadMail> {
    const thread = this.#idle.pop() ?? this.#start()
    thread.ref()
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const giveUp = (why: string) => reject(new MailUnreadableError(why))
    const onError = (error: Error) => giveUp(error.message)
    const onExit = () => giveUp('What reads mails ended over it')
    const { milliseconds } = this.#limits
    const deadline = setTimeout(() => giveUp(`Reading it takes longer than ${milliseconds} ms`), milliseconds)
    thread.once('message', resolve).once('error', onError).once('exit', onExit)
    try {
      thread.postMessage(source)
      const answer = await promise
      thread.off('message', resolve).off('error', onError).off('exit', onExit)
      thread.unref()
      this.#idle.push(thread)
      if ('error' in answer) throw new MailUnreadableError(answer.error)
      return withBuffers(answer.mail)
    } catch (error) {
      if (!this.#idle.includes(thread)) await thread.terminate()
      throw error
    } finally {
      clearTimeout(deadline)
    }
  }

  /** Ends the threads that wait. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.terminate()))
  }

  #start(): Worker {
    const thread = new Worker(new URL('reading-thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.megabytes },
    })
    // Also while it waits: nobody else hears of it then, and it would end the worker, or keep the next mail waiting.
    const leave = () => {
      const at = this.#idle.indexOf(thread)
      if (at >= 0) this.#idle.splice(at, 1)
    }
    return thread.on('error', leave).on('exit', leave)
  }
}

/** Between threads a Buffer becomes plain bytes. */
const withBuffers = ({ facts, files }: ReadMail): ReadMail => ({
  facts,
  files: files.map((file) => {
    const { buffer, byteOffset, byteLength } = file.content
    return { ...file, content: Buffer.from(buffer, byteOffset, byteLength) }
  }),
})
