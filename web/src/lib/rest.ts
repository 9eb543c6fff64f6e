/** A refusal by one of the few REST routes, or by the way to them (`NETWORK`). */
export class RestError extends Error {
  readonly code: string
  readonly status: number
  readonly details: unknown
  /** When the server lets one try again, where it asks to wait. */
  readonly retryAt: number | null

  constructor(code: string, message: string, status: number, details?: unknown, retryAfter?: string | null) {
    super(message)
    this.name = 'RestError'
    this.code = code
    this.status = status
    this.details = details
    const seconds = secondsOf(record(details)['retryAfterSeconds']) ?? secondsOf(retryAfter)
    this.retryAt = seconds === null ? null : Date.now() + seconds * 1000
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

function secondsOf(value: unknown): number | null {
  const seconds = Math.ceil(
    typeof value === 'string' ? Number.parseFloat(value) : Number(value ?? Number.NaN),
  )
  return seconds > 0 ? seconds : null
}

/**
 * Posts JSON to a route of `/api/v1` and returns the parsed answer (null for 204).
 * Throws {@link RestError} with the server's code, or `NETWORK` when it could not be reached.
 */
export function postJson(path: string, body: unknown, token?: string | null): Promise<unknown> {
  return ask(path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      // One that a foreign page cannot send without asking: it keeps the cookie routes ours.
      'x-atum-request': '1',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body ?? {}),
  })
}

/** Reads from a route of `/api/v1`; otherwise as {@link postJson}. */
export function getJson(path: string, signal?: AbortSignal): Promise<unknown> {
  return ask(path, signal ? { signal } : {})
}

async function ask(path: string, init: RequestInit): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, { credentials: 'same-origin', ...init })
  } catch (error) {
    throw new RestError('NETWORK', error instanceof Error ? error.message : 'The server is out of reach', 0)
  }
  if (response.status === 204) return null
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return answer
  throw restRefusal(response.status, response.statusText, answer, response.headers.get('retry-after'))
}

/** What the server refused, from its answer. */
export function restRefusal(
  status: number,
  statusText: string,
  answer: unknown,
  retryAfter: string | null,
): RestError {
  const problem = record(record(answer)['error'])
  return new RestError(
    typeof problem['code'] === 'string' ? problem['code'] : codeOfStatus(status),
    typeof problem['message'] === 'string' ? problem['message'] : statusText,
    status,
    problem['details'],
    retryAfter,
  )
}

/** For an answer that is not ours: a proxy's. */
function codeOfStatus(status: number): string {
  if (status === 429) return 'RATE_LIMITED'
  return status >= 500 ? 'SERVICE_UNAVAILABLE' : 'UNKNOWN'
}
