import express, { type Express } from 'express'
import type { Pool } from 'pg'
import type { AccessTokens } from './access-token.ts'
import type { Authentication } from './authentication.ts'
import type { Encryption } from './encryption.ts'
import type { ServerEnvironment } from './env.ts'
import type { GraphqlService } from './graphql.ts'
import type { FileLinks } from './file-links.ts'
import type { Logger } from './log.ts'
import { errorAnswers, nothingHere } from './middleware/errors.ts'
import {
  authenticate,
  fillInDocument,
  onlyJsonPosts,
  onlyOneOperation,
  parseBody,
} from './middleware/graphql-request.ts'
import { limitLogins, limitRequests } from './middleware/rate-limit.ts'
import { requestId } from './middleware/request-id.ts'
import { requestLog } from './middleware/request-log.ts'
import { graphiqlHeaders, securityHeaders } from './middleware/security-headers.ts'
import type { Notifications } from './notifications.ts'
import type { RateLimits } from './rate-limits.ts'
import { authRoutes } from './routes/auth/auth-routes.ts'
import { attachmentRoutes } from './routes/attachments/attachment-routes.ts'
import { mailLinkRoutes } from './routes/attachments/mail-links.ts'
import { healthRoutes } from './routes/health.ts'
import { rlsHealthRoutes } from './routes/rls-health.ts'
import { surveyRoutes } from './routes/surveys.ts'
import { webRoutes } from './routes/web.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import type { FileStorage } from './storage/file-storage.ts'
import type { TrustedDocuments } from './trusted-documents.ts'

/** Everything that is answered over HTTP, from what it needs to answer. */
export function createApp(parts: {
  environment: ServerEnvironment
  pool: Pool
  loginPool: Pool
  accessTokens: AccessTokens
  authentication: Authentication
  encryption: Encryption
  rateLimits: RateLimits
  trustedDocuments: TrustedDocuments
  graphql: GraphqlService
  notifications: Notifications
  storage: FileStorage
  fileLinks: FileLinks
  logger: Logger
}): Express {
  const { environment, pool, authentication, rateLimits, trustedDocuments, graphql, logger } = parts
  const { publicOrigins, trustedProxies, production, smtpConfigured, attachmentScanner } = environment

  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  // The query of an address is never an object that somebody nested.
  app.set('query parser', 'simple')

  app.use(requestId(trustedProxies))
  app.use(requestLog(logger, trustedProxies))
  app.use(securityHeaders({ https: publicOrigins.every((origin) => origin.startsWith('https:')) }))

  app.use(healthRoutes({ pool, ...environment }))
  app.use(rlsHealthRoutes(pool))
  app.use('/api/v1/auth', limitLogins(rateLimits, trustedProxies))
  app.use('/api/v1/auth', authRoutes({ ...parts, publicOrigins, trustedProxies, production, smtpConfigured }))
  const whoAsks = authenticate(authentication, trustedProxies)
  app.use(
    '/api/v1/attachments',
    attachmentRoutes({ ...parts, trustedProxies, attachmentScanner, authenticate: whoAsks }),
  )
  app.use('/api/v1/webhooks', webhookRoutes({ ...parts, trustedProxies, authenticate: whoAsks }))
  app.use(mailLinkRoutes({ ...parts, trustedProxies }))
  app.use('/api/v1/surveys', surveyRoutes({ ...parts, publicOrigins, trustedProxies }))
  app.all(
    '/graphql',
    onlyJsonPosts,
    whoAsks,
    limitRequests(rateLimits),
    parseBody,
    fillInDocument(trustedDocuments),
    onlyOneOperation,
    graphql.handler,
  )
  if (!production) app.get(['/graphiql', '/ruru-static/{*file}'], graphiqlHeaders, graphql.handler)
  app.use(webRoutes(environment.webDirectory))
  app.use(nothingHere)
  app.use(errorAnswers(logger))
  return app
}
