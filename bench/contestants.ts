import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const repository = join(import.meta.dirname, '..')

/** The password of the agent who asks. */
export const password = 'measured-not-guessed'

/** One of the servers that are measured. */
export interface Contestant {
  name: 'graphql' | 'handwritten'
  port: number
  process: ChildProcess
}

/** Starts the API as it runs in production, but for what one client that asks for thousands needs. */
export const startApi = (port: number, serverUrl: string): Promise<Contestant> =>
  start('graphql', 'server/main.ts', port, {
    DATABASE_URL: serverUrl,
    ATUM_JWT_SECRET: 'measured-not-guessed-measured-not-guessed',
    ATUM_ENCRYPTION_KEY: 'measured-not-guessed-measured-not-guessed',
    // One person asks here as often as thousands do.
    ATUM_RATE_LIMITS: 'off',
    // The web would send hashes; what is run is the same.
    ATUM_TRUSTED_DOCUMENTS: 'also',
    ATUM_PUBLIC_URL: `http://localhost:${port}`,
    HOST: '127.0.0.1',
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
  })

export async function start(
  name: Contestant['name'],
  script: string,
  port: number,
  environment: Record<string, string>,
): Promise<Contestant> {
  const child = spawn(process.execPath, ['--max-semi-space-size=8', '--max-old-space-size=256', script], {
    cwd: repository,
    env: { ...environment, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout }).resume()
  const ended = once(child, 'exit')
  for (;;) {
    try {
      const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`)
      // The handwritten one has no such address, and is ready when it answers.
      if (ok || name === 'handwritten') return { name, port, process: child }
      await delay(100)
    } catch {
      if (child.exitCode !== null) throw new Error(`${name} did not start`)
      await Promise.race([delay(100), ended])
    }
  }
}

/** The access token of the agent who asks. */
export async function logIn(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'agent1@bench.example', password, organization: 'bench' }),
  })
  const { accessToken } = (await response.json()) as { accessToken?: string }
  if (!accessToken) throw new Error(`the login answered ${response.status}`)
  return accessToken
}
