import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../testing.ts'
import { codeOf, get, upload } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})
afterAll(() => desk.close())

const incoming = () => {
  const directory = join(desk.environment.dataDirectory, 'incoming')
  return existsSync(directory) ? readdirSync(directory) : []
}
// Whatever happened, nothing of it lies about.
afterEach(async () => {
  for (let attempt = 0; attempt < 100 && incoming().length > 0; attempt += 1) await delay(20)
  expect(incoming()).toEqual([])
})

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const setting = (assignment: string) =>
  desk.superuser.query(`update app_public.attachment_settings set ${assignment}`)
const rowOf = async (id: string) =>
  (await desk.superuser.query('select * from app_public.attachments where id = $1', [id])).rows[0] as Record<
    string,
    unknown
  >

/** What the server answers to a request that no browser would send. */
function raw(text: string | Buffer, { thenClose = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    const { port } = new URL(desk.origin)
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(text)
      if (thenClose) setTimeout(() => socket.destroy(), 50)
    })
    let said = ''
    socket.on('data', (data) => {
      said += String(data)
      if (said.includes('\r\n\r\n')) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(said))
  })
}
const headers = (token: string, more: string) =>
  `POST /api/v1/attachments/upload HTTP/1.1\r\nHost: desk.test\r\nAuthorization: Bearer ${token}\r\n${more}\r\n\r\n`
const part = (disposition: string, content: string) =>
  `--x\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: text/plain\r\n\r\n${content}\r\n`
const form = (token: string, body: string, type = 'multipart/form-data; boundary=x') =>
  raw(headers(token, `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}`) + body)

describe('an upload is refused', () => {
  test('to strangers, to sessions that have ended, and from where the organization lets nobody in', async () => {
    expect(await codeOf(upload(desk, null, 'x'))).toBe('401 UNAUTHENTICATED')
    expect(await codeOf(upload(desk, { token: 'x.y.z' }, 'x'))).toBe('401 UNAUTHENTICATED')
    await desk.superuser.query(
      `insert into app_public.ip_rules (organization_id, network) values ($1, '192.0.2.0/24')`,
      [desk.globex.id],
    )
    await expect.poll(() => codeOf(upload(desk, desk.globex.agent, 'x'))).toBe('403 ADDRESS_NOT_ALLOWED')
  })

  test('when it is empty or too large, whichever way its length is told', async () => {
    expect(await codeOf(upload(desk, desk.acme.agent, ''))).toBe('422 ATTACHMENT_EMPTY')
    await setting('max_file_bytes = 100000')
    expect((await upload(desk, desk.acme.agent, 'x'.repeat(100_000))).status).toBe(201)
    expect(await codeOf(upload(desk, desk.acme.agent, 'x'.repeat(100_001)))).toBe('413 ATTACHMENT_TOO_LARGE')
    expect(await codeOf(upload(desk, desk.acme.agent, 'x'.repeat(3_000_000)))).toBe(
      '413 ATTACHMENT_TOO_LARGE',
    )
    const chunk = 'x'.repeat(60_000)
    const chunked =
      headers(
        desk.acme.agent.token,
        'Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked',
      ) +
      [part('name="file"; filename="a"', chunk).slice(0, -2), chunk, chunk]
        .map((each) => `${Buffer.byteLength(each).toString(16)}\r\n${each}\r\n`)
        .join('')
    expect(await raw(chunked)).toContain('413 Payload Too Large')
    await setting('max_file_bytes = default')
  })

  test('when its content is of a type that is not taken, whatever it is called', async () => {
    const elf = Buffer.concat([Buffer.from('7f454c4602010100', 'hex'), Buffer.alloc(64)])
    expect(await codeOf(upload(desk, desk.acme.agent, elf, { name: 'holiday.png', type: 'image/png' }))).toBe(
      '422 ATTACHMENT_TYPE_REFUSED',
    )
    await setting(`allowed_content_types = '{image/*}', refused_content_types = '{image/svg+xml}'`)
    expect(await codeOf(upload(desk, desk.acme.agent, 'words', { name: 'a.png', type: 'image/png' }))).toBe(
      '422 ATTACHMENT_TYPE_REFUSED',
    )
    expect(await codeOf(upload(desk, desk.acme.agent, '<svg xmlns="x"/>'))).toBe(
      '422 ATTACHMENT_TYPE_REFUSED',
    )
    expect((await upload(desk, desk.acme.agent, png)).status).toBe(201)
    await setting('allowed_content_types = default, refused_content_types = default')
  })

  test('when it is no form, or not a form with one file', async () => {
    const { token } = desk.acme.agent
    expect(await form(token, '{}', 'application/json')).toContain('UNSUPPORTED_MEDIA_TYPE')
    expect(await form(token, 'x', 'multipart/form-data')).toContain('UNSUPPORTED_MEDIA_TYPE')
    const file = part('name="file"; filename="a.txt"', 'words')
    for (const body of [
      '--x--\r\n',
      part('name="picture"; filename="a.txt"', 'words') + '--x--\r\n',
      part('name="comment"', 'words') + '--x--\r\n',
      file + part('name="other"', 'words') + '--x--\r\n',
      file + file + '--x--\r\n',
      file,
      'nothing of the kind',
    ]) {
      expect(await form(token, body), body).toContain('UPLOAD_INVALID')
    }
    expect(await form(token, `${file}--x--\r\n`)).toContain('201 Created')
  })

  test('to a program whose token may read only', async () => {
    const { rows } = await desk.superuser.query<{ id: string }>(
      'select count(*) as id from app_public.attachments',
    )
    const readOnly = { ...desk.acme.agent, token: await readOnlyToken() }
    expect(await codeOf(upload(desk, readOnly, 'x'))).toBe('403 TOKEN_SCOPE_MISSING')
    expect((await desk.superuser.query('select count(*) as id from app_public.attachments')).rows).toEqual(
      rows,
    )
  })
})

async function readOnlyToken(): Promise<string> {
  const { agent, id } = desk.acme
  await desk.superuser.query('begin')
  await desk.superuser.query(
    `select set_config('role', 'atum_agent', true), set_config('atum.organization_id', $1, true),
      set_config('atum.user_id', $2, true), set_config('atum.session_id', $3, true)`,
    [id, agent.id, agent.sessionId],
  )
  const { rows } = await desk.superuser.query<{ token: string }>(
    `select secret as token from app_public.create_api_token('Reader', '{read}', now() + interval '1 day')`,
  )
  await desk.superuser.query('commit')
  return rows[0]!.token
}

describe('an upload', () => {
  test('is kept under its hash and called what it is called, without paths', async () => {
    const content = randomBytes(300_000)
    const response = await upload(desk, desk.acme.customer, content, { name: '..\\..\\etc/pass‮wd.bin' })
    expect(response.status).toBe(201)
    const answer = (await response.json()) as { id: string }
    expect(answer).toEqual({
      id: answer.id,
      name: 'passwd.bin',
      size: 300_000,
      contentType: 'application/octet-stream',
      state: 'unscanned',
    })
    const row = await rowOf(answer.id)
    expect(row).toMatchObject({ uploaded_by_id: desk.acme.customer.id, claimed_content_type: 'text/plain' })
    const sha256 = String(row['sha256'])
    const path = join(desk.environment.dataDirectory, 'uploads', desk.acme.id, sha256.slice(0, 2), sha256)
    expect(readFileSync(path).equals(content)).toBe(true)
  })

  test('of a name that is not ASCII keeps it', async () => {
    const response = await upload(desk, desk.acme.agent, 'x', { name: 'Größe – 日本.txt' })
    expect(await response.json()).toMatchObject({ name: 'Größe – 日本.txt' })
  })

  test('that breaks off leaves nothing', async () => {
    const before = await desk.superuser.query('select count(*) from app_public.attachments')
    const begin =
      headers(
        desk.acme.agent.token,
        'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000',
      ) + part('name="file"; filename="a.bin"', 'x'.repeat(500_000)).slice(0, -2)
    await raw(begin, { thenClose: true })
    for (let attempt = 0; attempt < 100 && incoming().length > 0; attempt += 1) await delay(20)
    expect(incoming()).toEqual([])
    expect((await desk.superuser.query('select count(*) from app_public.attachments')).rows).toEqual(
      before.rows,
    )
  })

  test('that nobody can take in says so', async () => {
    const broken = await startTestServer({ dataDirectory: fileURLToPath(import.meta.url) })
    try {
      expect(await codeOf(upload(broken, broken.acme.agent, 'x'))).toBe('503 SERVICE_UNAVAILABLE')
    } finally {
      await broken.close()
    }
  })
})

test('uploads and downloads are counted, each by itself', async () => {
  const limited = await startTestServer({ rateLimits: true })
  try {
    const { agent } = limited.acme
    const answers = await Promise.all(Array.from({ length: 50 }, () => upload(limited, agent, 'words')))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(40)
    expect(statuses).toContain(429)
    const { id } = (await answers.find(({ status }) => status === 201)!.json()) as { id: string }
    expect((await get(limited, agent, id)).status).toBe(200)
    expect((await upload(limited, limited.acme.manager, 'words')).status).toBe(201)
  } finally {
    await limited.close()
  }
})

describe('with a scanner', () => {
  let scanned: TestServer
  beforeAll(async () => {
    scanned = await startTestServer({ attachmentScanner: 'clamd' })
  })
  afterAll(() => scanned.close())

  /** Says what the scanner would, once the file is there. */
  async function verdict(state: string) {
    for (;;) {
      const { rows } = await scanned.superuser.query<{ id: string; sha256: string; organization_id: string }>(
        `select id, sha256, organization_id from app_public.attachments where state = 'pending'`,
      )
      if (rows[0]) {
        const { id, sha256, organization_id: organizationId } = rows[0]
        const directory = join(scanned.environment.dataDirectory, 'quarantine', organizationId)
        expect(readdirSync(directory)).toContain(sha256)
        await scanned.superuser.query(
          `update app_public.stored_files set state = $2::app_public.file_state, signature = 'Eicar-Test' where sha256 = $1`,
          [sha256, state],
        )
        await scanned.superuser.query('select pg_notify($1, $2)', [`attachment:${id}`, '{}'])
        return
      }
      await delay(10)
    }
  }

  test('an upload waits for the verdict', async () => {
    const [clean] = await Promise.all([upload(scanned, scanned.acme.agent, 'clean words'), verdict('clean')])
    expect(clean.status).toBe(201)
    expect(await clean.json()).toMatchObject({ state: 'clean' })
    const [infected] = await Promise.all([
      codeOf(upload(scanned, scanned.acme.agent, 'infected words')),
      verdict('infected'),
    ])
    expect(infected).toBe('422 ATTACHMENT_INFECTED')
    // The same again is known.
    expect(await codeOf(upload(scanned, scanned.acme.agent, 'infected words'))).toBe(
      '422 ATTACHMENT_INFECTED',
    )
    const [odd] = await Promise.all([
      upload(scanned, scanned.acme.agent, 'odd words'),
      verdict('unscannable'),
    ])
    expect(odd.status).toBe(202)
  })

  test('but not for ever, and the file is not served meanwhile', async () => {
    const response = await upload(scanned, scanned.acme.agent, 'waiting words')
    expect(response.status).toBe(202)
    const { id, state } = (await response.json()) as { id: string; state: string }
    expect(state).toBe('pending')
    expect(await codeOf(get(scanned, scanned.acme.agent, id))).toBe('409 ATTACHMENT_PENDING')
    expect(await (await get(scanned, scanned.acme.agent, `${id}/state`)).json()).toMatchObject({
      state: 'pending',
    })
  })
})
