/** A refusal by one of the few REST routes, or by the way to them (`NETWORK`). */
export class RestError extends Error {
  readonly code: string
  readonly status: number
  readonly details: unknown

  constructor(code: string, message: string, status: number, details?: unknown) {
    super(message)
    this.name = 'RestError'
    this.code = code
    this.status = status
    this.details = details
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

/**
 * Posts JSON to a route of `/api/v1` and returns the parsed answer (null for 204).
 * Throws {@link RestError} with the server's code, or `NETWORK` when it could not be reached.
 */
export async function postJson(path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, {
      method: 'POST',
      credentials: 'same-origin',
      // The second header is one a foreign page cannot send without asking: it keeps the cookie routes ours.
      headers: { 'content-type': 'application/json', 'x-atum-request': '1' },
      body: JSON.stringify(body ?? {}),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    throw new RestError('NETWORK', error instanceof Error ? error.message : 'The server is out of reach', 0)
  }
  if (response.status === 204) return null
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return answer
  const problem = record(record(answer)['error'])
  throw new RestError(
    typeof problem['code'] === 'string'
      ? problem['code']
      : response.status >= 500
        ? 'SERVICE_UNAVAILABLE'
        : 'UNKNOWN',
    typeof problem['message'] === 'string' ? problem['message'] : response.statusText,
    response.status,
    problem['details'],
  )
}
