import type { Bearer } from './caller.ts'

/** Open sockets by what they would be closed for, so that closing those of one session looks at no others. */
export class SocketIndex<Socket> {
  readonly #bearers = new Map<Socket, Bearer>()
  readonly #sockets = new Map<string, Set<Socket>>()

  add(socket: Socket, bearer: Bearer): void {
    this.#bearers.set(socket, bearer)
    for (const id of idsOf(bearer)) {
      const others = this.#sockets.get(id)
      if (others) others.add(socket)
      else this.#sockets.set(id, new Set([socket]))
    }
  }

  remove(socket: Socket): void {
    const bearer = this.#bearers.get(socket)
    if (!bearer) return
    this.#bearers.delete(socket)
    for (const id of idsOf(bearer)) {
      const others = this.#sockets.get(id)
      if (others?.delete(socket) && others.size === 0) this.#sockets.delete(id)
    }
  }

  /** How many sockets there are of a person, a session, an API token or an organization. */
  count(id: string): number {
    return this.#sockets.get(id)?.size ?? 0
  }

  /** Those of a person, a session, an API token or an organization, or all of them, with whose each is. */
  *of(id?: string): IterableIterator<readonly [Socket, Bearer]> {
    const sockets = id === undefined ? this.#bearers.keys() : (this.#sockets.get(id) ?? [])
    for (const socket of [...sockets]) yield [socket, this.#bearers.get(socket)!]
  }
}

/** All of them UUIDs: none is the id of two things. */
const idsOf = (bearer: Bearer): readonly string[] => [
  bearer.organizationId,
  bearer.userId,
  'sessionId' in bearer ? bearer.sessionId : bearer.apiTokenId,
]
