import { Router } from 'express'
import type { Pool } from 'pg'
import type { AccessTokens } from '../../access-token.ts'
import type { Authentication } from '../../authentication.ts'
import type { Encryption } from '../../encryption.ts'
import type { Logger } from '../../log.ts'
import { accountRoutes } from './accounts.ts'
import { type Admissions, createAdmissions } from './admission.ts'
import { type Ask, createAsk } from './asking.ts'
import { type Cookie, refreshCookie } from './cookies.ts'
import { directoryRoutes } from './directory.ts'
import { asInvalidInput } from './fields.ts'
import { mailboxSecretRoutes } from './mailbox-secret.ts'
import { createOpenIdClient, type OpenIdClient } from './openid-provider.ts'
import { onlyOwnPages } from './own-pages.ts'
import { providerSecretRoutes } from './provider-secret.ts'
import { sessionRoutes } from './sessions.ts'
import { createSignedIn, type SignedIn } from './signed-in.ts'
import { singleSignOnRoutes } from './single-sign-on.ts'
import { twoFactorRoutes } from './two-factor.ts'

/** What the routes of this folder share. */
export interface AuthParts {
  ask: Ask
  /** The same for questions that hash a password: they wait in a line of their own. */
  askInLine: Ask
  admissions: Admissions
  cookie: Cookie
  signedIn: SignedIn
  encryption: Encryption
  openIdClient: OpenIdClient
  publicOrigins: readonly string[]
  trustedProxies: number
  production: boolean
  /** Whether mail leaves this installation; the screens promise none where it does not. */
  smtpConfigured: boolean
  logger: Logger
}

/** Everything under /api/v1/auth: who somebody is. What is right is decided in SQL; here are tokens, codes and cookies. */
export function authRoutes(options: {
  pool: Pool
  loginPool: Pool
  accessTokens: AccessTokens
  authentication: Authentication
  encryption: Encryption
  publicOrigins: readonly string[]
  trustedProxies: number
  production: boolean
  smtpConfigured: boolean
  logger: Logger
}): Router {
  const { pool, loginPool, accessTokens, authentication, publicOrigins, trustedProxies } = options
  const cookie = refreshCookie(publicOrigins)
  const ask = createAsk(pool, trustedProxies)
  const parts: AuthParts = {
    ...options,
    ask,
    askInLine: createAsk(loginPool, trustedProxies),
    admissions: createAdmissions(accessTokens, cookie, ask),
    cookie,
    signedIn: createSignedIn({ pool, authentication, trustedProxies }),
    openIdClient: createOpenIdClient(options),
  }

  const routes = Router()
  routes.use(onlyOwnPages(publicOrigins))
  routes.use(sessionRoutes(parts))
  routes.use(twoFactorRoutes(parts))
  routes.use(accountRoutes(parts))
  routes.use(singleSignOnRoutes(parts))
  routes.use(directoryRoutes(parts))
  routes.use(providerSecretRoutes(parts))
  routes.use(mailboxSecretRoutes(parts))
  routes.use(asInvalidInput)
  return routes
}
