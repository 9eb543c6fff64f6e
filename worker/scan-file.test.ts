import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client, Pool } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import {
  clamdMaxBytes,
  clamdMaxFileBytes,
  eicar,
  eicarName,
  hasClamd,
  startClamd,
  startWire,
  type TestClamd,
  type TestWire,
  zip,
} from './files/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

// The first repetition comes after four seconds.
const patience = { timeout: 20_000, interval: 50 }

let database: TestDatabase
let owner: Pool
let organizationId: string
let data: string

async function value<T>(sql: string, values: unknown[] = []): Promise<T> {
  const client = await owner.connect()
  try {
    await client.query('begin')
    await client.query(`select set_config('atum.organization_id', $1, true)`, [organizationId ?? ''])
    const { rows } = await client.query<unknown[]>({ text: sql, values, rowMode: 'array' })
    await client.query('commit')
    return rows[0]?.[0] as T
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

const quarantined = (sha256: string) => join(data, 'quarantine', organizationId, sha256)
const served = (sha256: string) => join(data, 'uploads', organizationId, sha256.slice(0, 2), sha256)

/** What is on the disk of a file, from the data directory on. */
const places = (sha256: string) => globSync(`**/${sha256}`, { cwd: data }).map((path) => path.split('/')[0])

interface Upload {
  name?: string
  /** Makes it so large, and empty from its end on. */
  size?: number
}

/** Brings a file to a comment as the server does: bytes first, then the row and its job. */
async function upload(
  content: Buffer,
  { name = 'notes.txt', size = content.length }: Upload = {},
): Promise<string> {
  const sha256 = createHash('sha256').update(content).update(String(size)).digest('hex')
  mkdirSync(dirname(quarantined(sha256)), { recursive: true })
  writeFileSync(quarantined(sha256), content)
  if (size > content.length) truncateSync(quarantined(sha256), size)
  await value(
    `with comment as (
      insert into app_public.comments (organization_id, ticket_id, author_id, body)
      select organization_id, id, requester_id, $3 from app_public.tickets where organization_id = $4 returning *
    )
    insert into app_public.attachments (organization_id, ticket_id, comment_id, name, sha256, size, content_type, state)
    select file.organization_id, comment.ticket_id, comment.id, $3, file.sha256, file.size, file.content_type, file.state
    from comment
    cross join lateral app_private.store_content($1, $2, 'application/octet-stream') as file`,
    [sha256, size, name, organizationId],
  )
  return sha256
}

const read = (column: string, sha256: string) =>
  value<string | null>(`select ${column}::text from app_public.stored_files where sha256 = $1`, [sha256])
const stateOf = (sha256: string) => read('state', sha256)
const becomes = (sha256: string, state: string) => expect.poll(() => stateOf(sha256), patience).toBe(state)

const startScanning = (socket: string, environment: Record<string, string> = {}) =>
  startWorker(database.workerUrl, {
    ATUM_DATA_DIR: data,
    CLAMD_SOCKET: socket,
    // More than clamd takes, so that it is clamd who refuses.
    CLAMD_MAX_BYTES: String(2 ** 30),
    CLAMD_MAX_UNPACKED_BYTES: String(clamdMaxFileBytes),
    CLAMD_TIMEOUT_SECONDS: '2',
    ...environment,
  })

const random = (bytes: number) => randomBytes(bytes)

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.ownerUrl, max: 3 })
  owner.on('connect', (client) => client.on('error', () => {}))
  data = mkdtempSync(join(tmpdir(), 'atum-files-'))
  organizationId = await value<string>(`select app_private.create_organization('acme', 'Acme')`)
  await value(
    `insert into app_public.users (organization_id, email, name) values ($1, 'customer@acme.example', 'Customer')`,
    [organizationId],
  )
  await value(
    `insert into app_public.tickets (organization_id, subject, requester_id)
    select $1, 'Look at this', id from app_public.users where organization_id = $1`,
    [organizationId],
  )
})

afterAll(async () => {
  await owner.end()
  await database.drop()
  rmSync(data, { recursive: true, force: true })
})

describe.skipIf(!hasClamd)('with a scanner', () => {
  let scanner: TestClamd
  let wire: TestWire
  let worker: TestWorker

  beforeAll(async () => {
    scanner = await startClamd()
    wire = await startWire(scanner)
    worker = await startScanning(wire.socket)
  })

  afterAll(async () => {
    expect(await stopWorker(worker)).toEqual([0, null])
    await wire.close()
    await scanner.close()
  })

  describe('blocks', () => {
    test.each([
      ['a virus', eicar, 'eicar.com'],
      ['one in a zip', zip('eicar.com', eicar), 'holiday.zip'],
      ['one in a zip in a zip', zip('holiday.zip', zip('eicar.com', eicar)), 'holidays.zip'],
      ['one that is called a picture', eicar, 'cat.png'],
      ['one deep in a file', Buffer.concat([random(3_000_000), eicar, random(1_000)]), 'report.bin'],
    ])('%s', async (_, content, name) => {
      const sha256 = await upload(Buffer.concat([content, random(8)]), { name })
      await becomes(sha256, 'infected')
      expect(await read('signature', sha256)).toBe(eicarName)
      expect(places(sha256)).toEqual(['quarantine'])
      expect(
        await value(
          `select jsonb_agg(event.after - 'files' || jsonb_build_object('name', event.after -> 'files' -> 0 ->> 'name'))
          from app_public.ticket_events as event
          join app_public.attachments as attachment on event.after -> 'files' -> 0 ->> 'id' = attachment.id::text
          where attachment.sha256 = $1 and event.type = 'attachment_blocked'`,
          [sha256],
        ),
      ).toEqual([{ name, state: 'infected', signature: eicarName }])
    })

    test('what is larger than the scanner takes: it is never clean', async () => {
      const sha256 = await upload(Buffer.from('sparse'), { size: 500_000_000 })
      await becomes(sha256, 'unscannable')
      expect(await read('signature', sha256)).toContain('StreamMaxLength')
      expect(places(sha256)).toEqual(['quarantine'])
    })

    test('what is packed too deep to be looked into', async () => {
      let content: Buffer = random(10)
      for (let depth = 0; depth < 12; depth += 1) content = zip('more.zip', content)
      const sha256 = await upload(content)
      await becomes(sha256, 'unscannable')
      expect(await read('signature', sha256)).toMatch(/^Heuristics\.Limits\.Exceeded/)
    })

    test('what is packed so tightly that the scanner sees only its beginning', async () => {
      const hidden = zip('zeros.bin', Buffer.concat([Buffer.alloc(clamdMaxFileBytes + 1_000), eicar]))
      const sha256 = await upload(hidden)
      await becomes(sha256, 'unscannable')
      expect(await read('signature', sha256)).toContain('larger than the scanner looks into')
      expect(places(sha256)).toEqual(['quarantine'])
    })

    test('what is locked', async () => {
      const content = zip('secret.txt', random(100))
      // Both of its headers say that it is encrypted.
      content.writeUInt16LE(1, 6)
      content.writeUInt16LE(1, content.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 8)
      const sha256 = await upload(content)
      await becomes(sha256, 'unscannable')
      expect(await read('signature', sha256)).toMatch(/^Heuristics\.Encrypted/)
    })

    test('what is not there to be looked into', async () => {
      const sha256 = 'f'.repeat(64)
      await value(`select app_private.store_content($1, 8, 'text/plain')`, [sha256])
      await becomes(sha256, 'unscannable')
    })

    test('half of a file', async () => {
      const sha256 = createHash('sha256').update('half').digest('hex')
      writeFileSync(quarantined(sha256), 'half')
      await value(`select app_private.store_content($1, 8, 'text/plain')`, [sha256])
      await expect.poll(() => read('scan_attempts', sha256), patience).toBe('1')
      expect(await stateOf(sha256)).toBe('pending')
      await value(`delete from app_public.stored_files where sha256 = $1`, [sha256])
    })
  })

  describe('lets through', () => {
    test.each([
      ['a clean file', random(100_000)],
      ['one of no bytes', Buffer.alloc(0)],
      ['one of as many bytes as the scanner takes', random(clamdMaxBytes)],
      ['a clean zip', zip('notes.txt', random(1_000))],
      ['a zip of as much as the scanner looks into', zip('zeros.bin', Buffer.alloc(clamdMaxFileBytes))],
    ])('%s', async (_, content) => {
      const sha256 = await upload(content)
      await becomes(sha256, 'clean')
      expect(places(sha256)).toEqual(['uploads'])
      expect(readFileSync(served(sha256)).equals(content)).toBe(true)
      expect(await read('scanned_with', sha256)).toMatch(/^ClamAV \d/)
    })

    test('many at a time, each as it is', async () => {
      const contents = Array.from({ length: 20 }, (_, index) =>
        index % 2 ? random(200_000) : Buffer.concat([random(index * 1_000), eicar]),
      )
      const hashes = await Promise.all(contents.map((content) => upload(content)))
      for (const [index, sha256] of hashes.entries()) await becomes(sha256, index % 2 ? 'clean' : 'infected')
    })

    test('and tells whoever waits for it', async () => {
      const listener = new Client({ connectionString: database.serverUrl })
      await listener.connect()
      try {
        const held = Promise.withResolvers<void>()
        wire.onBytes = { bytes: 10_000, act: () => held.promise }
        const sha256 = await upload(random(50_000))
        const id = await value<string>('select id from app_public.attachments where sha256 = $1', [sha256])
        await listener.query(`listen "attachment:${id}"`)
        const heard = once(listener, 'notification')
        held.resolve()
        const [{ payload }] = (await heard) as [{ payload: string }]
        expect(JSON.parse(payload)).toEqual({ event: 'attachment_scanned', attachmentId: id })
        expect(await stateOf(sha256)).toBe('clean')
      } finally {
        await listener.end()
      }
    })
  })

  describe('when the scanner fails', () => {
    test('a file whose scan was cut off waits, and is scanned when the scanner is back', async () => {
      const cut = Promise.withResolvers<void>()
      wire.onBytes = {
        bytes: 2_000_000,
        act: async () => {
          await scanner.kill()
          cut.resolve()
        },
      }
      const infected = await upload(Buffer.concat([random(4_000_000), eicar]))
      await cut.promise
      await expect.poll(() => read('scan_attempts', infected), patience).toBe('1')
      const clean = await upload(random(1_000))
      await expect.poll(() => value('select state from app_private.scanner_status'), patience).toBe('away')
      expect([await stateOf(infected), await stateOf(clean)]).toEqual(['pending', 'pending'])
      expect(places(infected)).toEqual(['quarantine'])

      await scanner.start()
      await becomes(infected, 'infected')
      await becomes(clean, 'clean')
      expect(places(infected)).toEqual(['quarantine'])
    })

    test('a file over which it says nothing waits, and nobody calls it clean', async () => {
      wire.swallows = true
      const sha256 = await upload(random(5_000))
      await expect.poll(() => read('scan_attempts', sha256), patience).toBe('1')
      expect(await stateOf(sha256)).toBe('pending')
      wire.swallows = false
      await becomes(sha256, 'clean')
    })

    test('and goes on failing over one file, that file is blocked', async () => {
      wire.swallows = true
      const sha256 = await upload(random(5_000))
      await value('update app_public.stored_files set scan_attempts = 7 where sha256 = $1', [sha256])
      await becomes(sha256, 'unscannable')
      wire.swallows = false
      expect(await read('signature', sha256)).toMatch(/^The scanner fails over it: /)
      expect(places(sha256)).toEqual(['quarantine'])
    })
  })

  describe('when the worker dies', () => {
    /** Has the worker stop at the row of a file, as it is when `until` holds, and kills it there. */
    async function killAt(sha256: string, until: () => boolean, begin: () => Promise<void>): Promise<void> {
      const lock = new Client({ connectionString: database.superuserUrl })
      await lock.connect()
      try {
        await lock.query('begin')
        await lock.query('select from app_public.stored_files where sha256 = $1 for update', [sha256])
        await begin()
        await expect.poll(until, patience).toBe(true)
        worker.process.kill('SIGKILL')
        await worker.ended
      } finally {
        await lock.end()
      }
    }

    /** What the sweep does with jobs that were lost with a worker, without the minute until it comes. */
    const sweep = async (sha256: string) => {
      await value(
        `update app_public.stored_files set scan_at = now() - interval '5 minutes' where sha256 = $1`,
        [sha256],
      )
      await value('select app_private.sweep_waiting_files()')
    }

    test('between the move and the verdict, the file is scanned where it is', async () => {
      const held = Promise.withResolvers<void>()
      wire.onBytes = { bytes: 10_000, act: () => held.promise }
      const sha256 = await upload(random(50_000))
      await killAt(
        sha256,
        () => places(sha256)[0] === 'uploads',
        () => Promise.resolve(held.resolve()),
      )
      expect(await stateOf(sha256)).toBe('pending')

      worker = await startScanning(wire.socket)
      await sweep(sha256)
      await becomes(sha256, 'clean')
      expect(places(sha256)).toEqual(['uploads'])
    })

    test('in the middle of a scan, the virus stays where it is', async () => {
      const reached = Promise.withResolvers<void>()
      wire.onBytes = { bytes: 1_000_000, act: () => (reached.resolve(), new Promise(() => {})) }
      const sha256 = await upload(Buffer.concat([random(2_000_000), eicar]))
      await reached.promise
      worker.process.kill('SIGKILL')
      await worker.ended
      expect([await stateOf(sha256), places(sha256)]).toEqual(['pending', ['quarantine']])

      worker = await startScanning(wire.socket)
      await sweep(sha256)
      await becomes(sha256, 'infected')
      expect(places(sha256)).toEqual(['quarantine'])
    })
  })

  describe('when the scanner has learned', () => {
    /** Has the scanner know a content that it knew nothing of. */
    async function learn(content: Buffer): Promise<void> {
      await scanner.kill()
      await scanner.start({ 'Atum.Learned': content })
    }
    /** As if the signatures of the day before had been used, a month ago. */
    const age = (sha256: string) =>
      value(
        `update app_public.stored_files set scanned_at = now() - interval '31 days', scanned_with = 'ClamAV 0' where sha256 = $1`,
        [sha256],
      )
    const rescan = () => value('select app_private.rescan_files()')

    test('a file that was clean is taken back into quarantine, and is served until then', async () => {
      const content = random(20_000)
      const sha256 = await upload(content)
      await becomes(sha256, 'clean')
      await learn(content.subarray(5_000, 5_064))
      await age(sha256)
      await expect
        .poll(() => value('select state from app_private.scanner_status'), patience)
        .toBe('answering')
      expect(await stateOf(sha256)).toBe('clean')
      await rescan()
      await becomes(sha256, 'infected')
      await expect.poll(() => places(sha256), patience).toEqual(['quarantine'])
    })

    test('one that is still clean stays where it is, and is not asked about again', async () => {
      const sha256 = await upload(random(20_000))
      await becomes(sha256, 'clean')
      await age(sha256)
      await rescan()
      await expect.poll(() => read('scanned_with', sha256), patience).not.toBe('ClamAV 0')
      expect([await stateOf(sha256), places(sha256)]).toEqual(['clean', ['uploads']])
      expect(await rescan()).toBe(0)
    })
  })

  test('what an admin released is where it is served from, and what was removed is gone', async () => {
    const sha256 = await upload(Buffer.concat([eicar, random(8)]))
    await becomes(sha256, 'infected')
    const decide = (call: string) =>
      value(`select state from app_public.${call}($1, 'It is a test')`, [sha256])
    await decide('release_file')
    await expect.poll(() => places(sha256), patience).toEqual(['uploads'])
    // The same scanner finds the same: that was decided.
    await value(
      `update app_public.stored_files set scanned_at = now() - interval '31 days', scanned_with = 'ClamAV 0'`,
    )
    await value('select app_private.rescan_files()')
    await expect.poll(() => read('scanned_with', sha256), patience).not.toBe('ClamAV 0')
    expect([await stateOf(sha256), places(sha256)]).toEqual(['released', ['uploads']])

    await decide('remove_file')
    await expect.poll(() => read('content_removed_at', sha256), patience).not.toBeNull()
    expect(places(sha256)).toEqual([])
  })

  test('no virus that nobody released was ever anywhere but in quarantine', () => {
    const found = globSync('**/*', { cwd: data, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('quarantine'))
      .filter((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(eicar))
    expect(found).toEqual([])
  })
})

describe('without a scanner that answers', () => {
  let worker: TestWorker
  let hung: Server | undefined

  beforeEach(async () => {
    await value('delete from app_private.scanner_status')
  })

  afterEach(async () => {
    expect(await stopWorker(worker)).toEqual([0, null])
    if (hung) {
      hung.close()
      hung = undefined
    }
  })

  const status = () => value<string>('select state from app_private.scanner_status')

  test('a file waits for one that is away, and the health page knows since when', async () => {
    worker = await startScanning(join(data, 'nobody.sock'))
    const sha256 = await upload(random(100))
    await expect.poll(status, patience).toBe('away')
    expect(await stateOf(sha256)).toBe('pending')
    expect(
      await value('select files_waiting > 0 and since is not null from app_private.scanner_health()'),
    ).toBe(true)
  })

  test('a file waits for one that takes calls and says nothing', async () => {
    const path = join(data, 'hung.sock')
    const sockets = new Set<{ destroy: () => void }>()
    hung = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.resume()
    })
    hung.listen(path)
    await once(hung, 'listening')
    worker = await startScanning(path)
    const sha256 = await upload(random(100))
    await expect.poll(status, patience).toBe('away')
    expect([await stateOf(sha256), await read('scan_attempts', sha256)]).toEqual(['pending', '0'])
    for (const socket of sockets) socket.destroy()
  })

  test('where none is wanted, files are let through and marked', async () => {
    worker = await startScanning('/nobody', { ATTACHMENT_SCANNER: 'off' })
    const sha256 = await upload(random(100))
    await becomes(sha256, 'unscanned')
    expect(places(sha256)).toEqual(['uploads'])
    expect(await read('scanned_at', sha256)).toBeNull()
    await expect.poll(status, patience).toBe('off')
  })
})
