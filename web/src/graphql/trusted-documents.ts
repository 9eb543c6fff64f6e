import { mapExchange, type Exchange, type Operation } from 'urql'
import { documentHashes } from 'virtual:trusted-documents'

/** What names an operation to a server that was told of it when the web was built. */
export interface PersistedQuery {
  version: 1
  sha256Hash: string
}

/** The hash of an operation; none while the sources are served as they are. */
export function persistedQueryOf(operation: Pick<Operation, 'query'>): PersistedQuery | undefined {
  for (const definition of operation.query.definitions) {
    if (definition.kind !== 'OperationDefinition' || !definition.name) continue
    const sha256Hash = documentHashes[definition.name.value]
    if (sha256Hash) return { version: 1, sha256Hash }
  }
  return undefined
}

/** Sends the hash of each operation instead of its text: in production the server runs nothing else for a session. */
export function trustedDocumentsExchange(): Exchange {
  return mapExchange({
    onOperation(operation) {
      const persistedQuery = persistedQueryOf(operation)
      return persistedQuery && operation.kind !== 'teardown'
        ? { ...operation, extensions: { ...operation.extensions, persistedQuery } }
        : undefined
    },
  })
}
