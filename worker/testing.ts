import { fileURLToPath } from 'node:url'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { compileCache } from '../infra/dev/compile-cache.ts'

/** A worker process as it runs in production, on the database of a test. */
export interface TestWorker {
  process: ChildProcess
  /** Settles with the signal or status it ended with. */
  ended: Promise<unknown[]>
  /** Its log until now. */
  said: () => string
}

/** Starts the worker and waits until it says that it is ready. */
export async function startWorker(
  workerUrl: string,
  environment: Record<string, string> = {},
): Promise<TestWorker> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    env: { ...compileCache, DATABASE_URL: workerUrl, LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let words = ''
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      words += String(chunk)
      if (words.includes('the worker is ready')) resolve()
    })
    void ended.then(() => reject(new Error('the worker ended before it was ready')))
  })
  await ready
  return { process: child, ended, said: () => words }
}

/** Stops a worker as an operator would. */
export async function stopWorker(worker: TestWorker): Promise<unknown[]> {
  worker.process.kill('SIGTERM')
  return worker.ended
}
