import { GraphQLError } from 'postgraphile/graphql'
import { internalError, isUnavailable, publicError, type PublicError } from './errors.ts'
import type { Logger } from './log.ts'

/** What comes out of the libraries as words alone. */
const knownWords: readonly (readonly [RegExp, string])[] = [
  [/^Syntax Error/, 'BAD_REQUEST'],
  [/^Variable "\$/, 'INVALID_INPUT'],
  [/no new values were specified/, 'INVALID_INPUT'],
  [/^(Must provide|Unknown operation named|Subscription operations|Could not determine)/, 'BAD_REQUEST'],
  [/too long to plan/, 'QUERY_TOO_EXPENSIVE'],
  [/timeout/i, 'TIMEOUT'],
  [/^Unknown error occurred/, 'INTERNAL'],
]

/** The code for an error of which there are only words, where we know them. */
export const codeOfWords = (message: string): string | undefined =>
  knownWords.find(([pattern]) => pattern.test(message))?.[1]

/** What is told to an operator too: somebody tried what they may not. */
const refusals = new Set(['FORBIDDEN', 'SESSION_REQUIRED', 'TOKEN_SCOPE_MISSING'])

/** A sentence without the names that might have been meant. */
export const withoutSuggestions = (message: string): string =>
  message.replaceAll(/ ?Did you mean [^?]*\?/g, '')

/**
 * Turns what went wrong into what a client may see. Faults of ours are written to the log under an id and told by that
 * id alone. `hideSuggestions` keeps the schema's names to itself ("Did you mean …").
 */
export function createMaskError(logger: Logger, hideSuggestions: boolean) {
  return function maskError(error: GraphQLError): GraphQLError {
    const cause = error.originalError
    if (isUnavailable(cause))
      logger.warn({ reason: cause?.message, path: error.path }, 'the database is away')
    const known = publicError(cause) ?? saidByLibrary(error)
    if (known && refusals.has(known.code)) logger.info({ code: known.code, path: error.path }, 'refused')
    if (known) return answer(error, known, hideSuggestions)
    const internal = internalError()
    logger.error(
      { err: cause ?? error, errorId: internal.details.errorId, path: error.path },
      'a query failed',
    )
    return answer(error, internal, false)
  }
}

/** Errors of the query itself, which GraphQL reports before anything ran, and those marked safe to tell. */
function saidByLibrary(error: GraphQLError): Pick<PublicError, 'code' | 'message' | 'details'> | undefined {
  const { message, originalError } = error
  const extensions = { ...error.extensions, ...safeExtensions(originalError) }
  if (typeof extensions.code === 'string') return { code: extensions.code, message }
  const beforeExecution = error.path === undefined
  const safe = beforeExecution || isSafe(originalError)
  if (!safe) return undefined
  const code = codeOfWords(message)
  if (code) return { code, message }
  if (beforeExecution && (!originalError || originalError instanceof GraphQLError)) {
    return { code: 'GRAPHQL_VALIDATION_FAILED', message }
  }
  return isSafe(originalError) ? { code: 'INVALID_INPUT', message } : undefined
}

function isSafe(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'SafeError'
}

function safeExtensions(error: unknown): Record<string, unknown> {
  return isSafe(error) ? ((error as { extensions?: Record<string, unknown> }).extensions ?? {}) : {}
}

function answer(
  error: GraphQLError,
  { code, message, details }: Pick<PublicError, 'code' | 'message' | 'details'>,
  hideSuggestions: boolean,
): GraphQLError {
  return new GraphQLError(hideSuggestions ? withoutSuggestions(message) : message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    path: error.path ?? null,
    extensions: details ? { code, details } : { code },
  })
}
