import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, type ReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A content that came in whole and is on the disk, where nothing refers to it yet. */
export interface ReceivedFile {
  path: string
  sha256: string
  /** Bytes. */
  size: number
  /** Its first bytes, by which its type is told. */
  head: Buffer
}

/** What a content that came in is refused for: more bytes than were allowed. */
export class FileTooLargeError extends Error {
  override readonly name = 'FileTooLargeError'
}

/** The states, as `app_public.file_state` has them, whose contents are served. */
export const servedStates: ReadonlySet<string> = new Set(['clean', 'unscanned', 'released'])

// As much as an archive needs to show what it is an archive of.
const headBytes = 64 * 1024
const hashPattern = /^[0-9a-f]{64}$/
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The contents of files, on the disk of this machine: `incoming/` for what is on its way, `quarantine/<organization>/` for
 * what nobody may read, `uploads/<organization>/` for what is served. A content has its SHA-256 for a name, so that
 * nothing of what people call their files ever becomes a path.
 *
 * A row never lacks its bytes: `receive` ends when they are on the disk, and `place` is called inside the transaction that
 * writes their row and has it locked, so that the move is done before anybody sees the row.
 */
export class FileStorage {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * Takes in a content piece by piece, and hashes it on the way. What breaks off, or is larger than `most` bytes, leaves
   * nothing behind; the latter with a FileTooLargeError.
   */
  async receive(content: AsyncIterable<Uint8Array>, { most = Infinity } = {}): Promise<ReceivedFile> {
    const incoming = join(this.#directory, 'incoming')
    await mkdir(incoming, { recursive: true, mode: 0o700 })
    const path = join(incoming, randomUUID())
    const hash = createHash('sha256')
    const head: Uint8Array[] = []
    let size = 0
    try {
      const handle = await open(path, 'wx', 0o600)
      try {
        for await (const chunk of content) {
          if (size < headBytes) head.push(Uint8Array.from(chunk.subarray(0, headBytes - size)))
          size += chunk.byteLength
          if (size > most) throw new FileTooLargeError(`More than ${most} bytes`)
          hash.update(chunk)
          await writeAll(handle, chunk)
        }
        await handle.sync()
      } finally {
        await handle.close()
      }
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    return { path, sha256: hash.digest('hex'), size, head: Buffer.concat(head) }
  }

  /** Forgets what came in and is not wanted after all. */
  async discard({ path }: ReceivedFile): Promise<void> {
    await rm(path, { force: true })
  }

  /** Puts what came in where its state says: among what is served, or in quarantine. */
  async place(received: ReceivedFile, organizationId: string, state: string): Promise<void> {
    const { path, sha256 } = received
    const wanted = this.#path(servedStates.has(state) ? 'uploads' : 'quarantine', organizationId, sha256)
    // In place of the same content, where it is there already.
    await moveContent(path, wanted)
  }

  /** Opens a content that is served; undefined where it is not there. */
  async open(organizationId: string, sha256: string): Promise<ReadStream | undefined> {
    const path = await this.pathOf(organizationId, sha256)
    return path === undefined ? undefined : createReadStream(path)
  }

  /** Where a content is that is served; undefined where it is not there. */
  async pathOf(organizationId: string, sha256: string): Promise<string | undefined> {
    const path = this.#path('uploads', organizationId, sha256)
    const known = await ifThere(stat(path))
    return known?.isFile() ? path : undefined
  }

  #path(place: Place, organizationId: string, sha256: string): string {
    return contentPath(this.#directory, place, organizationId, sha256)
  }
}

/** Where the content of a file is: among what is served, or held back. */
export type Place = 'uploads' | 'quarantine'

/** The path of a content below the data directory. */
export function contentPath(directory: string, place: Place, organizationId: string, sha256: string): string {
  if (!hashPattern.test(sha256)) throw new Error('That is no SHA-256')
  if (!uuidPattern.test(organizationId)) throw new Error('That is no organization')
  return place === 'uploads'
    ? join(directory, place, organizationId, sha256.slice(0, 2), sha256)
    : join(directory, place, organizationId, sha256)
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.byteLength;) {
    written += (await handle.write(chunk, written)).bytesWritten
  }
}

/** Moves a content, so that it is in its new place after a power cut too. */
export async function moveContent(from: string, to: string): Promise<void> {
  const directory = dirname(to)
  // A directory that was made is there after a power cut once those above it say so.
  const made = await mkdir(directory, { recursive: true, mode: 0o700 })
  await rename(from, to)
  for (let changed = directory; ; changed = dirname(changed)) {
    await syncDirectory(changed)
    if (made === undefined || changed === dirname(made)) break
  }
}

/** What was moved or deleted in a directory is so after a power cut too. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What came of looking for a file; undefined where there is none. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
