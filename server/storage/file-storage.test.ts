import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileStorage, FileTooLargeError } from './file-storage.ts'

let directory: string
let storage: FileStorage
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'atum-storage-'))
  storage = new FileStorage(directory)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const organizationId = randomUUID()
const content = randomBytes(200_000)
const sha256 = createHash('sha256').update(content).digest('hex')
const pieces = (...each: Buffer[]) => Readable.from(each)
const incoming = () => readdirSync(join(directory, 'incoming'))

test('takes a content in, hashes it, and shows how it begins', async () => {
  const received = await storage.receive(pieces(content.subarray(0, 70_000), content.subarray(70_000)))
  expect(received).toMatchObject({ sha256, size: content.length })
  expect(received.head.equals(content.subarray(0, 65_536))).toBe(true)
  expect(readFileSync(received.path).equals(content)).toBe(true)
  expect(statSync(received.path).mode & 0o777).toBe(0o600)
})

test('leaves nothing of what breaks off or is too large', async () => {
  async function* broken() {
    yield content
    throw new Error('The line went dead')
  }
  await expect(storage.receive(broken())).rejects.toThrow('The line went dead')
  await expect(storage.receive(pieces(content), { most: content.length - 1 })).rejects.toThrow(
    FileTooLargeError,
  )
  expect(incoming()).toEqual([])
  expect((await storage.receive(pieces(content), { most: content.length })).size).toBe(content.length)
})

test.each([
  ['clean', 'uploads'],
  ['unscanned', 'uploads'],
  ['released', 'uploads'],
  ['pending', 'quarantine'],
  ['infected', 'quarantine'],
  ['unscannable', 'quarantine'],
  ['removed', 'quarantine'],
  ['', 'quarantine'],
])('what is %s goes to %s', async (state, place) => {
  await storage.place(await storage.receive(pieces(content)), organizationId, state)
  expect(incoming()).toEqual([])
  const uploads = join(directory, 'uploads', organizationId, sha256.slice(0, 2), sha256)
  const quarantine = join(directory, 'quarantine', organizationId, sha256)
  expect([existsSync(uploads), existsSync(quarantine)]).toEqual([place === 'uploads', place === 'quarantine'])
  expect(await storage.pathOf(organizationId, sha256)).toBe(place === 'uploads' ? uploads : undefined)
})

test('keeps the same content once, and serves it', async () => {
  for (let round = 0; round < 2; round += 1) {
    await storage.place(await storage.receive(pieces(content)), organizationId, 'clean')
  }
  const stream = await storage.open(organizationId, sha256)
  expect(Buffer.concat(await stream!.toArray()).equals(content)).toBe(true)
  expect(await storage.open(randomUUID(), sha256)).toBeUndefined()
})

test('has no way out of its directory', async () => {
  const received = await storage.receive(pieces(content))
  await expect(storage.place(received, '../..', 'clean')).rejects.toThrow('no organization')
  await expect(storage.open(organizationId, '../../secrets/jwt')).rejects.toThrow('no SHA-256')
  await storage.discard(received)
  expect(incoming()).toEqual([])
})
