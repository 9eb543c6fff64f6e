import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Caller } from './caller.ts'
import { RequestError } from './errors.ts'

const hashPattern = /^[0-9a-f]{64}$/
/** A new build under a running server is noticed after this, and unknown hashes do not make it look more often. */
const lookAgainMilliseconds = 1_000

interface GraphqlRequest {
  query?: unknown
  extensions?: unknown
}

/** The operations of the web, which was built with their hashes. */
export interface TrustedDocuments {
  /**
   * The text to run: of a hash the operation of the web that it names, of a text itself, unless only the web's own
   * operations are run for who asks. Refuses with DOCUMENT_UNKNOWN and DOCUMENT_REQUIRED.
   */
  textOf(request: GraphqlRequest, caller: Caller): unknown
}

/**
 * Knows the operations that stand in `documents.json` of the built web. With `only` a session runs nothing else: what a
 * stolen session could ask for is what its screens ask for. Programs come with API tokens and ask what they like.
 */
export function createTrustedDocuments(options: { webDirectory: string; only: boolean }): TrustedDocuments {
  const file = join(options.webDirectory, 'documents.json')
  let texts: Readonly<Record<string, string>> = {}
  let changedAt = 0
  let lookedAt = -Infinity

  const lookAgain = () => {
    if (performance.now() - lookedAt < lookAgainMilliseconds) return
    lookedAt = performance.now()
    const modified = statSync(file, { throwIfNoEntry: false })?.mtimeMs
    if (modified === undefined || modified === changedAt) return
    texts = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
    changedAt = modified
  }

  return {
    textOf({ query, extensions }, { claims }) {
      const hash = hashOf(extensions)
      if (hash !== undefined && !query) {
        if (!Object.hasOwn(texts, hash)) lookAgain()
        if (!Object.hasOwn(texts, hash)) {
          throw new RequestError('DOCUMENT_UNKNOWN', 'This page is of another version; load it again')
        }
        return texts[hash]
      }
      if (options.only && claims && 'sessionId' in claims) {
        throw new RequestError(
          'DOCUMENT_REQUIRED',
          'A session runs the operations of the web only; use an API token',
        )
      }
      return query
    },
  }
}

function hashOf(extensions: unknown): string | undefined {
  if (typeof extensions !== 'object' || extensions === null || !('persistedQuery' in extensions))
    return undefined
  const { persistedQuery } = extensions
  if (typeof persistedQuery !== 'object' || persistedQuery === null || !('sha256Hash' in persistedQuery)) {
    return undefined
  }
  const { sha256Hash } = persistedQuery
  return typeof sha256Hash === 'string' && hashPattern.test(sha256Hash) ? sha256Hash : undefined
}
