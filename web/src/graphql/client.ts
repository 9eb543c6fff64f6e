import { Client, fetchExchange, makeOperation, mapExchange, subscriptionExchange } from 'urql'
import { accessToken, replaceToken } from '../lib/session.ts'
import { normalisedCache } from './cache.ts'
import { createLiveClient } from './live.ts'
import { trustedDocumentsExchange } from './trusted-documents.ts'

export interface ApiClient {
  client: Client
  close: () => void
}

/** A client for one signed-in person: its cache must not outlive them, so signing in makes a new one. */
export function createApiClient(): ApiClient {
  const live = createLiveClient()
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetch: authorizedFetch,
    exchanges: [
      normalisedCache(),
      trustedDocumentsExchange(),
      savesOutliveThePage,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: live.subscribe(
              { ...request, query: request.query ?? '' },
              {
                next: (value) => sink.next(value as Parameters<typeof sink.next>[0]),
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              },
            ),
          }),
        }),
      }),
    ],
  })
  // A socket that is told to close while it opens says so as an error, which nobody waits for.
  return { client, close: () => void Promise.resolve(live.dispose()).catch(() => {}) }
}

/** What browsers let requests carry that go on after their page is gone, with room for others at the same moment. */
const LONGEST_OUTLIVING = 30_000

/** What somebody saved is saved, also when they leave the page in the same moment. */
const savesOutliveThePage = mapExchange({
  onOperation: (operation) =>
    operation.kind === 'mutation'
      ? makeOperation('mutation', operation, { ...operation.context, fetchOptions: { keepalive: true } })
      : operation,
})

/** Adds the token; when the server says it is no longer good, tries once more with a fresh one. */
const authorizedFetch: typeof fetch = async (input, init) => {
  const token = await accessToken()
  const response = await send(input, init, token)
  if (response.status !== 401) return response
  const replacement = await replaceToken(token)
  return replacement ? send(input, init, replacement) : response
}

function send(input: RequestInfo | URL, init: RequestInit | undefined, token: string | null) {
  const headers = new Headers(init?.headers)
  if (token) headers.set('authorization', `Bearer ${token}`)
  const keepalive = init?.keepalive === true && String(init.body).length <= LONGEST_OUTLIVING
  return fetch(input, { ...init, headers, credentials: 'same-origin', keepalive })
}
