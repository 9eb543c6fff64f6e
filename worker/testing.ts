import { fileURLToPath } from 'node:url'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A worker process as it runs in production, on the database of a test. */
export interface TestWorker {
  process: ChildProcess
  /** Settles with the signal or status it ended with. */
  ended: Promise<unknown[]>
}

/** Starts the worker and waits until it says that it is ready. */
export async function startWorker(workerUrl: string): Promise<TestWorker> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    env: { DATABASE_URL: workerUrl, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('the worker is ready')) return
    }
    throw new Error('the worker ended before it was ready')
  })()
  await ready
  child.stdout.resume()
  return { process: child, ended }
}
