import './env.ts'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAccessTokens, type AccessTokens } from './access-token.ts'
import { createApp } from './app.ts'
import { createAuthentication } from './authentication.ts'
import { createPool } from './database.ts'
import { createEncryption } from './encryption.ts'
import type { ServerEnvironment } from './env.ts'
import { createFileLinks } from './file-links.ts'
import { createGraphql, type GraphqlService } from './graphql.ts'
import type { Logger } from './log.ts'
import { Notifications } from './notifications.ts'
import { Presence } from './presence.ts'
import { noRateLimits, SharedRateLimits } from './rate-limits.ts'
import { Revocations } from './revocations.ts'
import { refuseBrokenRequests } from './slow-requests.ts'
import { FileStorage } from './storage/file-storage.ts'
import { createTrustedDocuments } from './trusted-documents.ts'
import { attachWebSockets } from './web-sockets.ts'

const drainMilliseconds = 3_000
// A request is here within half a minute, its headers sooner: who sends one slower keeps a connection from others.
const slowest = { headersTimeout: 10_000, requestTimeout: 25_000, connectionsCheckingInterval: 5_000 }

/** A server that listens. */
export interface RunningServer {
  address: AddressInfo
  graphql: GraphqlService
  notifications: Notifications
  revocations: Revocations
  presence: Presence
  accessTokens: AccessTokens
  /** Takes nothing new, lets what runs finish for three seconds, and lets go of the database. */
  stop(): Promise<void>
}

/** Puts the parts together and listens. GraphQL answers as soon as the database has been read. */
export async function startServer(environment: ServerEnvironment, logger: Logger): Promise<RunningServer> {
  const pool = createPool(environment.databaseUrl, logger)
  const loginPool = createPool(environment.databaseUrl, logger, 'logins')
  const questionPool = createPool(environment.databaseUrl, logger, 'questions')
  const endPools = () => Promise.all([pool, loginPool, questionPool].map((each) => each.end()))
  const notifications = new Notifications(environment.databaseUrl, logger)
  const revocations = new Revocations({ pool: questionPool, notifications, logger })
  const accessTokens = createAccessTokens(environment.jwtSecrets)
  const encryption = createEncryption(environment.encryptionKeys)
  const rateLimits = environment.rateLimits
    ? new SharedRateLimits({ pool: questionPool, logger })
    : noRateLimits
  const authentication = createAuthentication({ pool: questionPool, accessTokens, revocations, rateLimits })
  const presence = new Presence({ pool: questionPool, notifications, encryption, logger })
  const graphql = createGraphql({ pool, notifications, presence, logger, production: environment.production })
  const trustedDocuments = createTrustedDocuments({
    webDirectory: environment.webDirectory,
    only: environment.trustedDocumentsOnly,
  })
  const app = createApp({
    environment,
    pool,
    loginPool,
    accessTokens,
    authentication,
    encryption,
    rateLimits,
    trustedDocuments,
    graphql,
    notifications,
    storage: new FileStorage(environment.dataDirectory),
    fileLinks: createFileLinks(environment.jwtSecrets),
    logger,
  })

  const server = createServer(slowest, app)
  refuseBrokenRequests(server)
  const webSockets = attachWebSockets({
    server,
    graphql,
    notifications,
    authentication,
    revocations,
    rateLimits,
    trustedDocuments,
    publicOrigins: environment.publicOrigins,
    trustedProxies: environment.trustedProxies,
    logger,
  })
  notifications.start()
  revocations.start()
  presence.start()
  server.listen(environment.port, environment.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    await Promise.all([revocations.release(), presence.release()])
    await Promise.all([graphql.release(), notifications.release()])
    await endPools()
    throw error
  }

  return {
    address: server.address() as AddressInfo,
    graphql,
    notifications,
    revocations,
    presence,
    accessTokens,
    async stop() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      const impatience = setTimeout(() => server.closeAllConnections(), drainMilliseconds)
      await webSockets.release()
      await closed
      clearTimeout(impatience)
      await Promise.all([revocations.release(), presence.release()])
      await Promise.all([graphql.release(), notifications.release()])
      await endPools()
    },
  }
}
