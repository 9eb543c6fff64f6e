import { Agent, request } from 'node:http'

/** One HTTP request of a scenario. */
export interface BenchRequest {
  path: string
  body: string
  headers: Record<string, string>
}

/** What a run of one scenario at one concurrency measured. */
export interface LoadResult {
  requests: number
  seconds: number
  /** Milliseconds. */
  p50: number
  p95: number
  p99: number
  /** How long each answer took, in milliseconds, the shortest first. */
  latencies: number[]
}

/**
 * Sends requests for so many seconds or so many of them, each of `concurrency` clients its next one when its last is answered. An answer
 * that is not right ends the measurement: a fast error is no result.
 */
export async function applyLoad(options: {
  port: number
  concurrency: number
  seconds?: number
  requests?: number
  next: (count: number) => BenchRequest
  isRight: (answer: string) => boolean
}): Promise<LoadResult> {
  const { port, concurrency, seconds = Infinity, requests = Infinity, next, isRight } = options
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const latencies: number[] = []
  const started = performance.now()
  const end = started + seconds * 1000
  let count = 0
  const client = async () => {
    while (performance.now() < end && count < requests) {
      const sent = performance.now()
      const answer = await send(agent, port, next(count++))
      latencies.push(performance.now() - sent)
      if (!isRight(answer)) throw new Error(`a wrong answer: ${answer.slice(0, 500)}`)
    }
  }
  try {
    await Promise.all(Array.from({ length: concurrency }, client))
  } finally {
    agent.destroy()
  }
  latencies.sort((a, b) => a - b)
  return {
    requests: latencies.length,
    seconds: (performance.now() - started) / 1000,
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    p99: percentile(latencies, 0.99),
    latencies,
  }
}

/** What a share of sorted figures does not exceed. */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN

function send(agent: Agent, port: number, { path, body, headers }: BenchRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks).toString()))
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
