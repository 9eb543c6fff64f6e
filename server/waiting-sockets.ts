const mostOfNetwork = 20
const mostInAll = 200

/** Counts the sockets that were opened and have not yet said who they are. */
export class WaitingSockets {
  readonly #ofNetwork = new Map<string, number>()
  #inAll = 0

  /** How many wait. */
  get size(): number {
    return this.#inAll
  }

  /** Lets one wait, and returns what to call when it waits no more; undefined where too many wait already. */
  enter(network: string): (() => void) | undefined {
    const others = this.#ofNetwork.get(network) ?? 0
    if (others >= mostOfNetwork || this.#inAll >= mostInAll) return undefined
    this.#ofNetwork.set(network, others + 1)
    this.#inAll += 1
    let waits = true
    return () => {
      if (!waits) return
      waits = false
      this.#inAll -= 1
      const left = this.#ofNetwork.get(network)! - 1
      if (left > 0) this.#ofNetwork.set(network, left)
      else this.#ofNetwork.delete(network)
    }
  }
}
