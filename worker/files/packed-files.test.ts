import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { largestPackedFile } from './packed-files.ts'
import { zip } from './testing.ts'

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'atum-zip-'))
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function largest(content: Buffer): Promise<number> {
  const path = join(directory, 'content')
  writeFileSync(path, content)
  const handle = await open(path)
  try {
    return await largestPackedFile(handle, content.length)
  } finally {
    await handle.close()
  }
}

const packed = zip('zeros.bin', Buffer.alloc(5_000_000))
/** Where a zip says how large its file is: in its directory. */
const sizeAt = packed.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24

test('what is no zip holds nothing', async () => {
  for (const content of [Buffer.alloc(0), Buffer.from('PK'), Buffer.alloc(100_000, 'a')]) {
    expect(await largest(content)).toBe(0)
  }
})

test('a zip holds what it says, also behind a program or before a comment', async () => {
  const withComment = Buffer.concat([packed, Buffer.from('a comment')])
  withComment.writeUInt16LE(9, packed.length - 2)
  for (const content of [packed, Buffer.concat([Buffer.alloc(70_000, 'a'), packed]), withComment]) {
    expect(await largest(content)).toBe(5_000_000)
  }
})

test('one that says its size elsewhere, or has no end of files, is too large', async () => {
  const large = Buffer.from(packed)
  large.writeUInt32LE(0xffffffff, sizeAt)
  expect(await largest(large)).toBe(Infinity)
  const endless = Buffer.from(packed)
  endless.writeUInt32LE(0x7fffffff, packed.length - 10)
  expect(await largest(endless)).toBe(Infinity)
})

test('a broken one is looked at as far as it goes', async () => {
  const broken = Buffer.from(packed)
  broken.writeUInt32LE(packed.length * 2, packed.length - 6)
  expect(await largest(broken)).toBe(5_000_000)
})
