import './env.ts'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAccessTokens, type AccessTokens } from './access-token.ts'
import { createApp } from './app.ts'
import { createPool } from './database.ts'
import type { ServerEnvironment } from './env.ts'
import { createGraphql, type GraphqlService } from './graphql.ts'
import type { Logger } from './log.ts'
import { Notifications } from './notifications.ts'
import { attachWebSockets } from './web-sockets.ts'

const drainMilliseconds = 3_000

/** A server that listens. */
export interface RunningServer {
  address: AddressInfo
  graphql: GraphqlService
  notifications: Notifications
  accessTokens: AccessTokens
  /** Takes nothing new, lets what runs finish for three seconds, and lets go of the database. */
  stop(): Promise<void>
}

/** Puts the parts together and listens. GraphQL answers as soon as the database has been read. */
export async function startServer(environment: ServerEnvironment, logger: Logger): Promise<RunningServer> {
  const pool = createPool(environment.databaseUrl, logger)
  const loginPool = createPool(environment.databaseUrl, logger, { forLogins: true })
  const notifications = new Notifications(environment.databaseUrl, logger)
  const accessTokens = createAccessTokens(environment.jwtSecret)
  const graphql = createGraphql({ pool, notifications, logger, production: environment.production })
  const app = createApp({ environment, pool, loginPool, accessTokens, graphql, logger })

  const server = createServer(app)
  const webSockets = attachWebSockets({
    server,
    graphql,
    notifications,
    accessTokens,
    ...environment,
    logger,
  })
  notifications.start()
  server.listen(environment.port, environment.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    await Promise.all([graphql.release(), notifications.release()])
    await Promise.all([pool.end(), loginPool.end()])
    throw error
  }

  return {
    address: server.address() as AddressInfo,
    graphql,
    notifications,
    accessTokens,
    async stop() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      const impatience = setTimeout(() => server.closeAllConnections(), drainMilliseconds)
      await webSockets.release()
      await closed
      clearTimeout(impatience)
      await Promise.all([graphql.release(), notifications.release()])
      await Promise.all([pool.end(), loginPool.end()])
    },
  }
}
