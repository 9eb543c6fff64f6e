import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { startWorker, stopWorker, type TestWorker } from './testing.ts'

const patience = { timeout: 20_000, interval: 50 }
const days = (count: number) => new Date(Date.now() - count * 86_400_000)

let database: TestDatabase
let owner: Pool
let organizationId: string
let data: string
let worker: TestWorker

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Pool({ connectionString: database.ownerUrl, max: 2 })
  owner.on('connect', (client) => client.on('error', () => {}))
  data = mkdtempSync(join(tmpdir(), 'atum-files-'))
  const { rows } = await owner.query<{ id: string }>(
    `select app_private.create_organization('acme', 'Acme') as id`,
  )
  organizationId = rows[0]!.id
  worker = await startWorker(database.workerUrl, { ATUM_DATA_DIR: data, ATTACHMENT_SCANNER: 'off' })
})

afterAll(async () => {
  expect(await stopWorker(worker)).toEqual([0, null])
  await owner.end()
  await database.drop()
  rmSync(data, { recursive: true, force: true })
})

/** Puts bytes on the disk that are so many days old. */
function put(path: string, age: number): string {
  const whole = join(data, path)
  mkdirSync(dirname(whole), { recursive: true })
  writeFileSync(whole, path)
  utimesSync(whole, days(age), days(age))
  return whole
}

const hash = (name: string) => createHash('sha256').update(name).digest('hex')
const uploads = (name: string, of = organizationId) => join('uploads', of, hash(name).slice(0, 2), hash(name))
const quarantine = (name: string, of = organizationId) => join('quarantine', of, hash(name))

const row = (name: string, state: string, age: number) =>
  owner.query(
    `insert into app_public.stored_files (organization_id, sha256, size, content_type, state, signature, created_at)
    values ($1, $2, 7, 'text/plain', $3, 'Eicar', $4)`,
    [organizationId, hash(name), state, days(age)],
  )

test('contents are deleted that nothing tells of any more, and no others', async () => {
  await row('young', 'clean', 0.5)
  await row('unused', 'clean', 2)
  await row('blocked', 'infected', 2)
  const kept = [
    put(uploads('young'), 0.5),
    put(quarantine('blocked'), 2),
    // Its row comes in a moment.
    put(quarantine('arriving'), 0),
    put(join('incoming', 'under-way'), 0),
    // Of another database that uses the directory, or used it.
    put(uploads('stranger', '00000000-0000-7000-8000-000000000000'), 100),
    put(join('uploads', organizationId, 'notes.txt'), 100),
  ]
  const deleted = [
    put(uploads('unused'), 2),
    put(uploads('orphan'), 2),
    put(quarantine('orphan in quarantine'), 2),
    put(join('incoming', 'broken-off'), 2),
  ]
  await owner.query(`select graphile_worker.add_job('remove_old_files')`)
  for (const path of deleted) await expect.poll(() => existsSync(path), patience).toBe(false)
  expect(kept.filter((path) => !existsSync(path))).toEqual([])
})

test('what is uploaded again after it was removed is not deleted with it', async () => {
  await row('again', 'removed', 2)
  await owner.query('update app_public.stored_files set decided_at = $2 where sha256 = $1', [
    hash('again'),
    days(1),
  ])
  const old = put(uploads('again'), 2)
  const anew = put(quarantine('again'), 0)
  await owner.query(
    `select app_private.enqueue_placing(organization_id, sha256) from app_public.stored_files where sha256 = $1`,
    [hash('again')],
  )
  await expect.poll(() => existsSync(old), patience).toBe(false)
  expect(existsSync(anew)).toBe(true)
})
