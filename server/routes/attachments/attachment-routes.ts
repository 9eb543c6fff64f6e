import { type RequestHandler, Router } from 'express'
import type { Pool } from 'pg'
import type { Authentication } from '../../authentication.ts'
import type { FileLinks } from '../../file-links.ts'
import type { Logger } from '../../log.ts'
import type { Notifications } from '../../notifications.ts'
import type { RateLimits } from '../../rate-limits.ts'
import type { FileStorage } from '../../storage/file-storage.ts'
import { downloadRoutes, loggedIn } from './downloads.ts'
import { uploadRoutes } from './uploads.ts'

/** Everything under /api/v1/attachments: files come in and go out. Who may is decided in SQL. */
export function attachmentRoutes(options: {
  pool: Pool
  storage: FileStorage
  notifications: Notifications
  authentication: Authentication
  authenticate: RequestHandler
  fileLinks: FileLinks
  rateLimits: RateLimits
  trustedProxies: number
  attachmentScanner: string
  logger: Logger
}): Router {
  const routes = Router()
  routes.post('/upload', options.authenticate, loggedIn)
  routes.use(uploadRoutes(options))
  routes.use(downloadRoutes(options))
  return routes
}
