interface Entry<Answer> {
  asked: Promise<Answer>
  /** Once it is there. */
  answer?: Answer
  until: number
}

/**
 * Answers of the database that are good until something is heard that changes them. Where nothing would be heard the
 * database is asked each time. The oldest make room for new ones.
 */
export class RememberedAnswers<Answer> {
  readonly #entries = new Map<string, Entry<Answer>>()
  readonly #isHearing: () => boolean
  readonly #isKept: (answer: Answer) => boolean
  readonly #maximum: number
  readonly #milliseconds: number

  constructor(options: {
    /** Whether changes are heard of right now. */
    isHearing: () => boolean
    /** The answers that are worth keeping; all where it is not given. */
    isKept?: (answer: Answer) => boolean
    /** How many answers are kept. */
    maximum: number
    /** How long an answer is good at most. */
    milliseconds?: number
  }) {
    this.#isHearing = options.isHearing
    this.#isKept = options.isKept ?? (() => true)
    this.#maximum = options.maximum
    this.#milliseconds = options.milliseconds ?? Number.POSITIVE_INFINITY
  }

  /** How many answers are known, or asked for. */
  get size(): number {
    return this.#entries.size
  }

  has(key: string): boolean {
    const known = this.#entries.get(key)
    return known !== undefined && known.until > performance.now() && this.#isHearing()
  }

  /** The answer that is known, or the one that `ask` gets; those who come meanwhile wait for the same. */
  async get(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    if (!this.#isHearing()) return ask()
    if (this.has(key)) return this.#entries.get(key)!.asked

    const entry: Entry<Answer> = { asked: ask(), until: performance.now() + this.#milliseconds }
    this.#entries.delete(key)
    if (this.#entries.size >= this.#maximum) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#entries.set(key, entry)
    try {
      const answer = await entry.asked
      entry.answer = answer
      if (!this.#isKept(answer)) this.#drop(key, entry)
      return answer
    } catch (error) {
      this.#drop(key, entry)
      throw error
    }
  }

  /** Forgets the answers that match. One that is still asked for may match too, and came from before the change. */
  forget(matches: (key: string, answer: Answer) => boolean): void {
    for (const [key, { answer }] of this.#entries) {
      if (answer === undefined || matches(key, answer)) this.#entries.delete(key)
    }
  }

  forgetAll(): void {
    this.#entries.clear()
  }

  /** Unless it was forgotten and asked for again. */
  #drop(key: string, entry: Entry<Answer>): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
  }
}
