import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nextFreePort } from '../../../infra/dev/ports.ts'
import { repository } from '../../../infra/dev/repository.ts'
import { ask, startTestServer, type TestServer } from '../../testing.ts'

const mebibyte = 1024 * 1024

// Its people have tokens that the process under test takes too.
let desk: TestServer
let child: ChildProcess
let origin: string
const dataDirectory = mkdtempSync(join(tmpdir(), 'atum-memory-'))

beforeAll(async () => {
  desk = await startTestServer()
  await desk.superuser.query('update app_public.attachment_settings set max_file_bytes = 1024 * 1024 * 1024')
  const port = await nextFreePort(25811)
  origin = `http://127.0.0.1:${port}`
  // As `npm run server` starts it.
  const flags = ['--max-semi-space-size=8', '--max-old-space-size=256']
  child = spawn(process.execPath, [...flags, 'server/main.ts'], {
    cwd: repository,
    env: {
      DATABASE_URL: desk.environment.databaseUrl,
      PORT: String(port),
      LOG_LEVEL: 'fatal',
      ATUM_JWT_SECRET: desk.environment.jwtSecrets[0],
      ATUM_ENCRYPTION_KEY: desk.environment.encryptionKeys[0],
      ATUM_DATA_DIR: dataDirectory,
      ATTACHMENT_SCANNER: 'off',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  for (;;) {
    // The schema is read and built before anything is measured.
    const answer = await ask({ origin }, desk.acme.agent, '{ currentUser { name } }').catch(() => undefined)
    if (answer?.data) break
    if (child.exitCode !== null) throw new Error('The server did not start')
    await delay(50)
  }
})
afterAll(async () => {
  child.kill('SIGTERM')
  if (child.exitCode === null) await once(child, 'exit')
  await desk.close()
  rmSync(dataDirectory, { recursive: true, force: true })
})

/** Uploads so many bytes, of which no two files have the same. */
async function upload(bytes: number): Promise<{ id: string; size: number }> {
  // As long as those of browsers, which is what makes looking for it fast.
  const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW7'
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n`
  const tail = `\r\n--${boundary}--\r\n`
  const upload = request(`${origin}/api/v1/attachments/upload`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${desk.acme.agent.token}`,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': head.length + bytes + tail.length,
    },
  })
  const answered = once(upload, 'response') as Promise<[IncomingMessage]>
  upload.write(head)
  const chunk = Buffer.alloc(mebibyte, bytes % 251)
  for (let left = bytes; left > 0; left -= mebibyte) {
    if (!upload.write(left < mebibyte ? chunk.subarray(0, left) : chunk)) await once(upload, 'drain')
  }
  upload.end(tail)
  const [response] = await answered
  const text = (await response.setEncoding('utf8').toArray()).join('')
  expect(response.statusCode, text).toBe(201)
  return JSON.parse(text) as { id: string; size: number }
}

/** How much memory the server has, or had at most since it was told to forget that. */
const memory = (line: 'VmRSS' | 'VmHWM'): number => {
  const [, kibibytes] = new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${child.pid}/status`, 'utf8'),
  )!
  return Number(kibibytes) * 1024
}

test.skipIf(process.platform !== 'linux')(
  '500 MB go through the server without being held by it',
  async () => {
    // What is loaded and compiled once is no part of it.
    await upload(50 * mebibyte)
    writeFileSync(`/proc/${child.pid}/clear_refs`, '5')
    const before = memory('VmRSS')
    expect((await upload(500 * mebibyte)).size).toBe(500 * mebibyte)
    expect(memory('VmHWM') - before).toBeLessThan(20 * mebibyte)
    expect(readdirSync(join(dataDirectory, 'incoming'))).toEqual([])
  },
)
