import type { FileHandle } from 'node:fs/promises'

// The end of a zip: a record of 22 bytes and a comment of up to 64 KiB.
const endBytes = 22
const longestComment = 65_535
const endMark = 0x06054b50
const entryMark = 0x02014b50
const entryBytes = 46
/** A directory of a hundred thousand files; who has more is not looked into. */
const longestDirectory = 16 * 1024 * 1024
/** Says that the size stands elsewhere, because it is 4 GiB or more. */
const beyond = 0xffffffff

/**
 * The size of the largest file that a zip says it holds; 0 for what is no zip. clamd looks at the beginning of a packed
 * file that is larger than its MaxFileSize, and says OK without a word about the rest.
 */
export async function largestPackedFile(handle: FileHandle, size: number): Promise<number> {
  const tail = await read(handle, Math.max(0, size - endBytes - longestComment), size)
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== endMark) continue
    const length = tail.readUInt32LE(at + 12)
    const start = tail.readUInt32LE(at + 16)
    if (start === beyond || length > longestDirectory) return Infinity
    // Something may stand before the zip, as before one that unpacks itself.
    const end = size - tail.length + at
    return Math.max(
      largestIn(await read(handle, start, start + length)),
      largestIn(await read(handle, end - length, end)),
    )
  }
  return 0
}

function largestIn(directory: Buffer): number {
  let largest = 0
  for (let at = 0; at + entryBytes <= directory.length && directory.readUInt32LE(at) === entryMark;) {
    const unpacked = directory.readUInt32LE(at + 24)
    largest = Math.max(largest, unpacked === beyond ? Infinity : unpacked)
    at +=
      entryBytes +
      directory.readUInt16LE(at + 28) +
      directory.readUInt16LE(at + 30) +
      directory.readUInt16LE(at + 32)
  }
  return largest
}

async function read(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const length = Math.max(0, to - Math.max(0, from))
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await handle.read(buffer, 0, length, Math.max(0, from))
  return buffer.subarray(0, bytesRead)
}
