import 'postgraphile'
import type { IncomingMessage } from 'node:http'
import type { GraphileConfig } from 'graphile-config'
import { SafeError } from 'postgraphile/grafast'
import { Kind, parse, visit, type DocumentNode } from 'postgraphile/graphql'
import { callerOf } from '../caller.ts'

// Checking whether fields of one name can be merged takes time that grows with the square of how often the name comes:
// a query of 6 kB that repeats a field 300 times took 600 ms, one that repeats it 60 times takes 100 ms.
const maximumTokens = 2_000
const maximumRepetitions = 60
const maximumFragments = 50
const rememberedDocuments = 500
const maximumVariableNodes = 2_000
const maximumVariableDepth = 20

// What one may ask before one is known, to find out whether one is.
const fieldsForStrangers = new Set(['__typename', 'currentUser', 'currentOrganization'])

interface Verdict {
  kind: 'ordinary' | 'introspection' | 'subscription' | 'unreadable' | 'too-large'
  forStrangers: boolean
}

/** Looks at each query once before it is checked and again forgotten when many others came since. */
function createJudge(): (query: string) => Verdict {
  const verdicts = new Map<string, Verdict>()
  return (query) => {
    const known = verdicts.get(query)
    if (known) return known
    const verdict = judge(query)
    if (verdicts.size >= rememberedDocuments) {
      const [oldest] = verdicts.keys()
      if (oldest !== undefined) verdicts.delete(oldest)
    }
    verdicts.set(query, verdict)
    return verdict
  }
}

function judge(query: string): Verdict {
  try {
    const document = parse(query, { noLocation: true, maxTokens: maximumTokens })
    return { kind: kindOf(document), forStrangers: isForStrangers(document) }
  } catch (error) {
    // What cannot be read is said so by the library, with the place.
    const tooLarge = error instanceof Error && error.message.includes('Parsing aborted')
    return { kind: tooLarge ? 'too-large' : 'unreadable', forStrangers: true }
  }
}

function isForStrangers(document: DocumentNode): boolean {
  return document.definitions.every(
    (definition) =>
      definition.kind !== Kind.OPERATION_DEFINITION ||
      (definition.operation === 'query' &&
        definition.selectionSet.selections.every(
          (selection) => selection.kind === Kind.FIELD && fieldsForStrangers.has(selection.name.value),
        )),
  )
}

function kindOf(document: DocumentNode): Verdict['kind'] {
  const repetitions = new Map<string, number>()
  let fragments = 0
  let asksForSchema = false
  let subscribes = false
  visit(document, {
    OperationDefinition({ operation }) {
      subscribes ||= operation === 'subscription'
    },
    FragmentDefinition() {
      fragments += 1
    },
    Field({ name: { value: name }, alias }) {
      const key = alias?.value ?? name
      repetitions.set(key, (repetitions.get(key) ?? 0) + 1)
      asksForSchema ||= name === '__schema' || name === '__type'
    },
  })
  if (fragments > maximumFragments || Math.max(0, ...repetitions.values()) > maximumRepetitions)
    return 'too-large'
  if (asksForSchema) return 'introspection'
  return subscribes ? 'subscription' : 'ordinary'
}

/** Whether variables are of a size that a form or a list could have. */
function isReasonable(value: unknown): boolean {
  let nodes = 0
  const walk = (part: unknown, depth: number): boolean => {
    nodes += 1
    if (nodes > maximumVariableNodes || depth > maximumVariableDepth) return false
    if (typeof part !== 'object' || part === null) return true
    return Object.values(part).every((child) => walk(child, depth + 1))
  }
  return walk(value, 0)
}

/**
 * Refuses what is too large to be looked at, everything but the question who one is from strangers, and in production questions about the schema from anybody but admins:
 * its text is documented, and no other program needs to ask a running server for it.
 */
export function createDocumentGuardPlugin(options: {
  introspection: 'everybody' | 'admins'
}): GraphileConfig.Plugin {
  const verdictOf = createJudge()
  return {
    name: 'DocumentGuardPlugin',
    version: '1.0.0',
    grafserv: {
      middleware: {
        processGraphQLRequestBody(next, event) {
          const { query, variableValues } = event.body
          if (typeof query !== 'string') return next()
          const { kind: verdict, forStrangers } = verdictOf(query)
          if (verdict === 'too-large' || !isReasonable(variableValues)) {
            throw new SafeError('This query is too large', { code: 'QUERY_TOO_EXPENSIVE', statusCode: 400 })
          }
          if (verdict === 'subscription' && event.request) {
            throw new SafeError('Subscriptions are answered over a WebSocket', {
              code: 'BAD_REQUEST',
              statusCode: 400,
            })
          }
          const request = (event.request?.requestContext.node?.req ??
            (event.graphqlWsContext?.extra as { request?: IncomingMessage } | undefined)
              ?.request) as IncomingMessage
          const { claims } = callerOf(request)
          const asksForSchema = verdict === 'introspection'
          if (asksForSchema && options.introspection === 'admins') {
            if (claims?.role !== 'admin') {
              throw new SafeError('The schema is told to admins only; it is in the documentation', {
                code: 'INTROSPECTION_DISABLED',
                statusCode: 400,
              })
            }
          }
          if (!claims && !forStrangers && !asksForSchema) {
            throw new SafeError('Log in first', { code: 'UNAUTHENTICATED', statusCode: 401 })
          }
          return next()
        },
      },
    },
  }
}
