import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { useServer, type Extra } from 'graphql-ws/use/ws'
import { GraphQLError } from 'postgraphile/graphql'
import { WebSocketServer } from 'ws'
import { bearerToken } from './access-token.ts'
import type { Authentication } from './authentication.ts'
import { callerOf, clientAddress, rememberCaller } from './caller.ts'
import type { GraphqlService } from './graphql.ts'
import type { Logger } from './log.ts'
import type { Notifications } from './notifications.ts'
import { OpenSockets } from './open-sockets.ts'
import { RequestError } from './errors.ts'
import { isOwnOrigin } from './origins.ts'
import { limits, networkOf, spendRequest, type RateLimits } from './rate-limits.ts'
import type { Revocations } from './revocations.ts'
import type { TrustedDocuments } from './trusted-documents.ts'
import { WaitingSockets } from './waiting-sockets.ts'

const path = '/graphql'
const maximumMessageBytes = 64 * 1024
const maximumOperations = 50
// A connection that was cut off without a word is found out after two of them, and whoever was there is gone within 10 s.
const keepAliveMilliseconds = 3_500
const loginMilliseconds = 5_000
const goodbyeMilliseconds = 1_000
// Who does not take a result in this time has gone, or makes us keep all that comes after it.
const readMilliseconds = 10_000
const maximumSocketsOfUser = 20

// Both make a client connect again, and reading again when it has is how it learns what it missed.
const serviceRestart = 1012
const tryAgainLater = 1013
const tooManyRequests = 4429

/**
 * GraphQL over WebSockets. A browser sends a WebSocket's handshake from any page and with any cookie, so the page's
 * origin must be ours and the token comes in the first message. A socket lives no longer than what let it in.
 */
export function attachWebSockets(options: {
  server: Server
  graphql: GraphqlService
  notifications: Notifications
  authentication: Authentication
  revocations: Revocations
  rateLimits: RateLimits
  trustedDocuments: TrustedDocuments
  publicOrigins: readonly string[]
  trustedProxies: number
  logger: Logger
}): { release(): Promise<void> } {
  const { server, graphql, notifications, authentication, revocations, rateLimits, logger } = options
  const { trustedDocuments, publicOrigins, trustedProxies } = options
  const waitingSockets = new WaitingSockets()
  /** Ends the waiting of a socket, by the request that opened it. */
  const endings = new WeakMap<IncomingMessage, () => void>()
  let isReleased = false
  const openSockets = new OpenSockets({ authentication, revocations, logger })

  /** Whether a socket may be used by who introduces themselves; otherwise it is closed. */
  async function letIn({ socket, request }: Extra, authorization: unknown): Promise<boolean> {
    const token = bearerToken(authorization)
    if (!token) return false
    const ipAddress = clientAddress(request, trustedProxies)
    const heardBefore = revocations.heard
    const requestId = randomUUID()
    const claims = await authentication.identify(token, ipAddress, requestId)
    await spendRequest(rateLimits, claims, ipAddress)
    // It may have gone while we asked, and then nothing would take it out again.
    if (socket.readyState !== socket.OPEN) return false
    if (openSockets.countOf(claims.userId) >= maximumSocketsOfUser) {
      socket.close(tooManyRequests, 'Too many connections of one person')
      return false
    }
    const caller = { claims, ipAddress, requestId }
    rememberCaller(request, caller)
    openSockets.add(socket, claims, caller)
    endings.get(request)?.()
    // What was taken back while we asked closed the sockets that were open then, and this was none of them.
    if (revocations.heard !== heardBefore) await authentication.confirm(claims, ipAddress)
    return true
  }

  const webSocketServer = new WebSocketServer({
    noServer: true,
    maxPayload: maximumMessageBytes,
    handleProtocols: (protocols) => (protocols.has('graphql-transport-ws') ? 'graphql-transport-ws' : false),
  })

  const protocol = useServer<Record<string, unknown>>(
    {
      connectionInitWaitTimeout: loginMilliseconds,
      async onConnect({ connectionParams, extra }) {
        if (!graphql.operations() || !notifications.connected) {
          extra.socket.close(tryAgainLater, 'Live updates are not available right now')
          return false
        }
        try {
          return await letIn(extra, connectionParams?.authorization)
        } catch (error) {
          openSockets.refuse(extra.socket, error)
          return false
        }
      },
      async onSubscribe(context, id, payload) {
        const operations = graphql.operations()
        if (!operations) return undefined
        if (Object.keys(context.subscriptions).length > maximumOperations) {
          const message = `A socket carries ${maximumOperations} operations at once`
          return [new GraphQLError(message, { extensions: { code: 'TOO_MANY_OPERATIONS' } })]
        }
        const { socket, request } = context.extra
        const { claims, ipAddress } = callerOf(request)
        try {
          await spendRequest(rateLimits, claims, ipAddress)
        } catch (error) {
          return [asGraphqlError(error)]
        }
        try {
          // A socket that was told to close may go on talking for a moment.
          if (claims) await authentication.confirm(claims, ipAddress)
        } catch (error) {
          openSockets.refuse(socket, error)
          return [asGraphqlError(error)]
        }
        let query: string
        try {
          query = String(trustedDocuments.textOf(payload, callerOf(request)))
        } catch (error) {
          return [asGraphqlError(error)]
        }
        return operations.onSubscribe?.(context, id, { ...payload, query })
      },
      onOperation({ extra: { socket } }, _id, _payload, _args, result) {
        if (!(Symbol.asyncIterator in result)) return result
        return endingTheSocket(result, {
          onFailure(error) {
            logger.debug({ reason: String(error) }, 'a subscription was cut off')
            socket.close(serviceRestart, 'Something may have been missed')
          },
          onStall() {
            logger.debug('a subscriber does not read and was cut off')
            socket.terminate()
          },
        })
      },
      execute: (args) => graphql.operations()!.execute!(args),
      subscribe: (args) => graphql.operations()!.subscribe!(args),
      onNext: (context, id, payload, args, result) =>
        graphql.operations()?.onNext?.(context, id, payload, args, result),
      onError: (context, id, payload, errors) =>
        graphql.operations()?.onError?.(context, id, payload, errors),
      onClose({ extra: { socket } }) {
        openSockets.remove(socket)
      },
    },
    webSocketServer,
    keepAliveMilliseconds,
  )

  /** Opens a socket, which then has a few seconds to say who it is. */
  async function open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const network = networkOf(clientAddress(request, trustedProxies))
    const endWaiting = waitingSockets.enter(network)
    if (!endWaiting) return refuse(socket, '429 Too Many Requests', 1)
    socket.once('close', endWaiting)
    try {
      await rateLimits.spend(limits.address, network)
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      const { retryAfterSeconds } = error.details as { retryAfterSeconds: number }
      return refuse(socket, '429 Too Many Requests', retryAfterSeconds)
    }
    if (isReleased) return refuse(socket, '503 Service Unavailable', 1)
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      // Who does not answer the goodbye either would otherwise keep the place for half a minute more.
      const patience = setTimeout(() => webSocket.terminate(), loginMilliseconds + goodbyeMilliseconds)
      socket.once('close', () => clearTimeout(patience))
      endings.set(request, () => {
        clearTimeout(patience)
        endWaiting()
      })
      webSocketServer.emit('connection', webSocket, request)
    })
  }

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (URL.parse(request.url ?? '', 'http://localhost')?.pathname !== path)
      return refuse(socket, '404 Not Found')
    if (!isOwnOrigin(request, publicOrigins)) return refuse(socket, '403 Forbidden')
    open(request, socket, head).catch((error: unknown) => {
      logger.error({ err: error }, 'a socket could not be opened')
      socket.destroy()
    })
  }
  server.on('upgrade', onUpgrade)

  return {
    async release() {
      server.off('upgrade', onUpgrade)
      isReleased = true
      const impatience = setTimeout(() => {
        for (const client of webSocketServer.clients) client.terminate()
      }, goodbyeMilliseconds)
      // Closes every socket with 1001, "going away", and waits for the other side to agree.
      await protocol.dispose()
      clearTimeout(impatience)
    },
  }
}

/** As an operation's error, which is masked and written to the log like any other. */
const asGraphqlError = (error: unknown): GraphQLError =>
  new GraphQLError(String(error), { originalError: error as Error })

function refuse(socket: Duplex, status: string, retryAfterSeconds?: number): void {
  const later = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`
  socket.end(`HTTP/1.1 ${status}\r\n${later}Connection: close\r\nContent-Length: 0\r\n\r\n`)
  // Who does not close its end does not keep ours.
  setTimeout(() => socket.destroy(), goodbyeMilliseconds).unref()
}

/**
 * The same results. Where getting them fails `onFailure` is told; what it then closes is told nothing more. The next one
 * is asked for when the last was written to the socket: where that takes too long `onStall` is told.
 */
function endingTheSocket<T>(
  results: AsyncIterable<T>,
  { onFailure, onStall }: { onFailure: (error: unknown) => void; onStall: () => void },
): AsyncGenerator<T> {
  const iterator = results[Symbol.asyncIterator]()
  let patience: NodeJS.Timeout | undefined
  // By hand, because `return` of a generator function waits for the result it is waiting for.
  return {
    async next() {
      clearTimeout(patience)
      try {
        const result = await iterator.next()
        if (!result.done) patience = setTimeout(onStall, readMilliseconds)
        return result
      } catch (error) {
        onFailure(error)
        return { done: true, value: undefined }
      }
    },
    async return(value) {
      clearTimeout(patience)
      await iterator.return?.()
      return { done: true, value: await value }
    },
    async throw(error) {
      clearTimeout(patience)
      await iterator.return?.()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(patience)
      await iterator.return?.()
    },
  }
}
