import type { Extra } from 'graphql-ws/use/ws'
import type { Authentication } from './authentication.ts'
import type { Bearer, Caller } from './caller.ts'
import { publicError } from './errors.ts'
import type { Logger } from './log.ts'
import type { RevocationNews, Revocations } from './revocations.ts'
import { SocketIndex } from './socket-index.ts'

/** A WebSocket as the protocol hands it to us. */
export type OpenSocket = Extra['socket']

// Makes a client connect again, and show who it is again.
const tryAgainLater = 1013
const forbidden = 4403

const goodbyeMilliseconds = 1_000
// A timer that is set further ahead goes off at once.
const longestTimerMilliseconds = 2 ** 31 - 1

/** Sockets that somebody was let in at. Each is closed when its token ends, or when that is taken back before. */
export class OpenSockets {
  readonly #authentication: Authentication
  readonly #logger: Logger
  readonly #index = new SocketIndex<OpenSocket>()
  readonly #addresses = new WeakMap<OpenSocket, string>()
  readonly #expiries = new WeakMap<OpenSocket, NodeJS.Timeout>()

  constructor(options: { authentication: Authentication; revocations: Revocations; logger: Logger }) {
    this.#authentication = options.authentication
    this.#logger = options.logger
    options.revocations.listen((news) => this.#confirmThose(news))
  }

  add(socket: OpenSocket, claims: Bearer, { ipAddress }: Caller): void {
    this.#index.add(socket, claims)
    this.#addresses.set(socket, ipAddress)
    if (claims.expiresAt !== null) this.#closeAt(socket, claims.expiresAt * 1_000)
  }

  remove(socket: OpenSocket): void {
    clearTimeout(this.#expiries.get(socket))
    this.#index.remove(socket)
  }

  /** How many a person has open. */
  countOf(userId: string): number {
    return this.#index.count(userId)
  }

  /** Closes a socket for what went wrong. One that does not answer the goodbye is cut off. */
  refuse(socket: OpenSocket, error: unknown): void {
    const known = publicError(error)
    if (!known) this.#logger.error({ err: error }, 'a socket could not be let in')
    const isForbidden = known?.status === 401 || known?.status === 403
    this.#close(socket, isForbidden ? forbidden : tryAgainLater, known?.code ?? 'INTERNAL')
  }

  #close(socket: OpenSocket, code: number, reason: string): void {
    socket.close(code, reason)
    setTimeout(() => socket.terminate(), goodbyeMilliseconds).unref()
  }

  #closeAt(socket: OpenSocket, time: number): void {
    const remaining = time - Date.now()
    const onTime =
      remaining > longestTimerMilliseconds
        ? () => this.#closeAt(socket, time)
        : () => this.#close(socket, forbidden, 'Token expired')
    this.#expiries.set(socket, setTimeout(onTime, Math.min(remaining, longestTimerMilliseconds)))
  }

  /** Asks again for everybody whom news may be about: what they say of whom is known to those who answer. */
  #confirmThose(news: RevocationNews): void {
    for (const [socket, bearer] of this.#index.of(news.kind === 'everything' ? undefined : news.id)) {
      this.#authentication
        .confirm(bearer, this.#addresses.get(socket)!)
        .then(() => {
          // Who is somebody else from now on, or sees other tickets, comes back and listens where they should.
          if (news.kind === 'user') this.#close(socket, tryAgainLater, 'What you see has changed')
        })
        .catch((error: unknown) => this.refuse(socket, error))
    }
  }
}
