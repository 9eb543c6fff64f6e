import './env.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { Router, type Express, type RequestHandler } from 'express'
import { makeGraphQLWSConfig } from 'grafserv'
import { grafserv, type ExpressGrafserv } from 'grafserv/express/v4'
import type { GraphileConfig } from 'graphile-config'
import type { Pool } from 'pg'
import { makeSchema } from 'postgraphile'
import type { GraphQLSchema } from 'postgraphile/graphql'
import { callerOf, settingsOf } from './caller.ts'
import { RequestError } from './errors.ts'
import { createMaskError } from './graphql-errors.ts'
import { schemaPreset } from './graphile.config.ts'
import type { Logger } from './log.ts'
import type { Notifications } from './notifications.ts'
import type { Presence } from './presence.ts'
import { createDocumentGuardPlugin } from './plugins/document-guard.ts'
import { createHttpAnswersPlugin } from './plugins/http-answers.ts'
import { LimitsPlugin } from './plugins/limits.ts'

const retryMilliseconds = 1_000

/** The part of the WebSocket protocol's options that answers operations. */
export type OperationConfig = ReturnType<typeof makeGraphQLWSConfig>

export interface GraphqlService {
  /** Answers `POST /graphql`; 503 until the database has been read. */
  handler: RequestHandler
  /** How operations over a WebSocket are answered; undefined until the database has been read. */
  operations(): OperationConfig | undefined
  /** The schema, once there is one. */
  ready: Promise<GraphQLSchema>
  release(): Promise<void>
}

/** Reads the database and answers GraphQL from it. Where the database is not there yet it is tried each second. */
export function createGraphql(options: {
  pool: Pool
  notifications: Notifications
  presence: Presence
  logger: Logger
  production: boolean
}): GraphqlService {
  const { pool, notifications, presence, logger, production } = options
  const stopping = new AbortController()
  let instance: ExpressGrafserv | undefined
  let router: Router | undefined
  let operations: OperationConfig | undefined

  const preset = {
    extends: [schemaPreset(pool, notifications)],
    plugins: [
      LimitsPlugin,
      createDocumentGuardPlugin({ introspection: production ? 'admins' : 'everybody' }),
      createHttpAnswersPlugin({ hideSuggestions: production }),
    ],
    grafast: {
      context(context) {
        const request = context.node?.req ?? context.ws?.request
        if (!request) throw new Error('GraphQL is answered over HTTP and WebSockets only')
        return { pgSettings: settingsOf(callerOf(request)), presence }
      },
      timeouts: { planning: 1_000, execution: 20_000 },
      explain: false,
    },
    grafserv: {
      graphqlPath: '/graphql',
      graphqlOverGET: false,
      graphiql: !production,
      graphiqlOnGraphQLGET: false,
      graphiqlPath: '/graphiql',
      websockets: false,
      watch: false,
      maskError: createMaskError(logger, production),
    },
  } satisfies GraphileConfig.Preset

  async function build(): Promise<GraphQLSchema> {
    const { schema, resolvedPreset } = await makeSchema(preset)
    const built = grafserv({ schema, preset: resolvedPreset })
    await built.ready()
    const routes = Router()
    await built.addTo(routes as Express, null, false)
    instance = built
    operations = makeGraphQLWSConfig(built)
    router = routes
    return schema
  }

  async function buildUntilItWorks(): Promise<GraphQLSchema> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await build()
      } catch (error) {
        if (stopping.signal.aborted) throw error
        if (attempt === 1) logger.error({ err: error }, 'cannot read the database yet; trying again')
        await delay(retryMilliseconds, undefined, { signal: stopping.signal })
      }
    }
  }

  const ready = buildUntilItWorks()
  ready.catch(() => {})

  return {
    ready,
    operations: () => operations,
    handler(request, response, next) {
      if (router) router(request, response, next)
      else next(new RequestError('SERVICE_UNAVAILABLE', 'The service is starting; try again in a moment'))
    },
    async release() {
      stopping.abort()
      await ready.catch(() => {})
      await instance?.release()
    },
  }
}
