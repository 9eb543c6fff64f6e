import 'postgraphile'
import type { GraphileConfig } from 'graphile-config'
import { codeOfWords, withoutSuggestions } from '../graphql-errors.ts'

interface ErrorOfAnswer {
  message: string
  extensions?: { code?: unknown }
}

/**
 * The last look at an answer over HTTP. Errors that were found before anything ran come past `maskError` and get their
 * codes here; and a query that failed because the database is away says so by its status too, to proxies and monitors.
 */
export function createHttpAnswersPlugin(options: { hideSuggestions: boolean }): GraphileConfig.Plugin {
  const coded = (error: ErrorOfAnswer): ErrorOfAnswer => {
    if (error.extensions?.code !== undefined) return error
    const message = options.hideSuggestions ? withoutSuggestions(error.message) : error.message
    return { ...error, message, extensions: { code: codeOfWords(message) ?? 'GRAPHQL_VALIDATION_FAILED' } }
  }
  return {
    name: 'HttpAnswersPlugin',
    version: '1.0.0',
    grafserv: {
      middleware: {
        async processRequest(next, { requestDigest }) {
          // As an object, and not as the bytes of it.
          requestDigest.preferJSON = true
          const result = await next()
          if (result?.type !== 'json') return result
          const { errors } = result.json as { errors?: readonly ErrorOfAnswer[] }
          if (!errors) return result
          const answered = errors.map(coded)
          const unavailable = answered.some(({ extensions }) => extensions?.code === 'SERVICE_UNAVAILABLE')
          result.json = { ...(result.json as object), errors: answered } as unknown as typeof result.json
          if (unavailable) result.statusCode = 503
          return result
        },
      },
    },
  }
}
