import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withDatabase } from './connection-url.ts'
import { withClient } from './database.ts'
import { nextFreePort } from './ports.ts'
import { isRunning, type ProcessReference, referenceTo } from './process-identity.ts'
import { repository } from './repository.ts'
import { readRunState } from './run-state.ts'
import { runProgram } from './run-program.ts'

// One story, each test the next chapter: a whole stack takes seconds to start.
const dataDir = mkdtempSync(join(tmpdir(), 'atum-start-'))
const environment: NodeJS.ProcessEnv = { ...process.env, ATUM_DATA_DIR: dataDir, ATUM_POSTGRES_PORT: '25560' }
delete environment.DATABASE_URL
delete environment.NODE_ENV

function start() {
  const child = spawn(process.execPath, ['infra/dev/start.ts'], {
    cwd: repository,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  let words = ''
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        words += String(chunk)
        if (/Stop +Ctrl-C/.test(words)) resolve()
      })
    }
    void ended.then(() => reject(new Error(`It ended before it was ready:\n${words}`)))
  })
  ready.catch(() => {})
  return { child, ended, ready, said: () => words }
}

let stack: ReturnType<typeof start>

function everyProcess(): ProcessReference[] {
  const state = readRunState(dataDir)
  if (!state?.postgres) throw new Error('no state')
  return [state.launcher, ...Object.values(state.children), referenceTo(state.postgres.pid)]
}

beforeAll(async () => {
  environment.PORT = String(await nextFreePort(18150))
  stack = start()
  await stack.ready
}, 120_000)

afterAll(async () => {
  stack.child.kill('SIGKILL')
  await stack.ended
  rmSync(dataDir, { recursive: true, force: true })
})

test('refuses a second run on the same data, naming the first one', async () => {
  const second = start()
  const [code] = await second.ended
  expect(code).toBe(1)
  expect(second.said()).toContain(`http://localhost:${environment.PORT}`)
  expect(isRunning(referenceTo(stack.child.pid ?? 0))).toBe(true)
})

test('serves the API and the web, with the demo loaded', async () => {
  const address = `http://127.0.0.1:${environment.PORT}`
  expect((await fetch(`${address}/readyz`)).status).toBe(200)
  expect(await (await fetch(address)).text()).toContain('<title>ATUM Desk</title>')
  const login = await fetch(`${address}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'agent@acme.example', password: 'atum-demo-2026' }),
  })
  expect(login.status).toBe(200)
})

test('tells the address of its database to `npm run db:url`', async () => {
  const url = await runProgram(process.execPath, ['infra/dev/db-url.ts'], { environment })
  await withClient(url.trim(), async (client) => {
    const { rows } = await client.query<{ role: string }>('select current_user::text as role')
    expect(rows).toEqual([{ role: 'atum_owner' }])
  })
})

test('starts a server that was killed again', async () => {
  const killed = readRunState(dataDir)?.children.server
  if (!killed) throw new Error('no server')
  process.kill(killed.pid, 'SIGKILL')
  await expect
    .poll(() => readRunState(dataDir)?.children.server?.pid, { timeout: 10_000 })
    .not.toBe(killed.pid)
  await expect
    .poll(
      async () => (await fetch(`http://127.0.0.1:${environment.PORT}/readyz`).catch(() => undefined))?.status,
      { timeout: 20_000 },
    )
    .toBe(200)
})

test('stops within five seconds and leaves no process', async () => {
  const all = everyProcess()
  expect(all).toHaveLength(4)
  expect(all.map(isRunning)).toEqual([true, true, true, true])
  const began = performance.now()
  stack.child.kill('SIGTERM')
  const [code] = await stack.ended
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(code).toBe(0)
  expect(all.map(isRunning)).toEqual([false, false, false, false])
  expect(readRunState(dataDir)).toBeUndefined()
  await expect(runProgram(process.execPath, ['infra/dev/db-url.ts'], { environment })).rejects.toThrow(
    /No ATUM Desk runs/,
  )
})

test('keeps its data, and leaves no process when it is killed either', { timeout: 120_000 }, async () => {
  stack = start()
  await stack.ready
  expect(stack.said()).toMatch(/Demo data .*already there/)
  const superuserUrl = readRunState(dataDir)?.superuserUrl ?? ''
  await withClient(withDatabase(superuserUrl, 'atum'), async (client) => {
    const { rows } = await client.query<{ slug: string }>(
      'select slug from app_public.organizations order by slug',
    )
    expect(rows.map(({ slug }) => slug)).toEqual(['acme', 'globex'])
  })
  const all = everyProcess()
  stack.child.kill('SIGKILL')
  await expect
    .poll(() => all.map(isRunning), { timeout: 10_000, interval: 100 })
    .toEqual([false, false, false, false])
})
