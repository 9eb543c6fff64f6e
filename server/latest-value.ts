/**
 * What is the case now, for one who follows it: whoever reads slower than it changes gets the last of it, and nothing
 * piles up.
 */
export class LatestValue<Value> implements AsyncIterableIterator<Value> {
  readonly #onEnd: () => void
  #latest: { value: Value } | undefined
  #waiting: PromiseWithResolvers<IteratorResult<Value>> | undefined
  #isEnded = false

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  set(value: Value): void {
    if (this.#isEnded) return
    if (this.#waiting) this.#waiting.resolve({ done: false, value })
    else this.#latest = { value }
    this.#waiting = undefined
  }

  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#latest = undefined
    this.#waiting?.resolve({ done: true, value: undefined })
    this.#waiting = undefined
    this.#onEnd()
  }

  next(): Promise<IteratorResult<Value>> {
    const latest = this.#latest
    this.#latest = undefined
    if (latest) return Promise.resolve({ done: false, value: latest.value })
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined })
    this.#waiting = Promise.withResolvers()
    return this.#waiting.promise
  }

  return(): Promise<IteratorResult<Value>> {
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  throw(error: Error): Promise<IteratorResult<Value>> {
    this.end()
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
  }
}
