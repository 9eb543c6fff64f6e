import { constants } from 'node:fs'
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'

/** Where the content of a file is: among those that are served, or held back. */
export type Place = 'uploads' | 'quarantine'

const hashPattern = /^[0-9a-f]{64}$/

/** The contents of files on the disk of this machine, where the server puts them. */
export class FilePlaces {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Opens a content wherever it is; undefined where it is nowhere. */
  async open(organizationId: string, sha256: string): Promise<Readable | undefined> {
    // Once more at the end: it may have been moved from the second to the first meanwhile.
    for (const place of ['quarantine', 'uploads', 'quarantine'] as const) {
      const handle = await ifThere(open(this.#path(place, organizationId, sha256)))
      if (handle) return handle.createReadStream()
    }
    return undefined
  }

  /** Has a content in one place and not in the other. Answers whether it is there then. */
  async put(place: Place, organizationId: string, sha256: string): Promise<boolean> {
    const wanted = this.#path(place, organizationId, sha256)
    const other = this.#path(place === 'uploads' ? 'quarantine' : 'uploads', organizationId, sha256)
    if (!(await isThere(other))) return isThere(wanted)
    await mkdir(dirname(wanted), { recursive: true, mode: 0o700 })
    await ifThere(rename(other, wanted))
    for (const directory of [dirname(wanted), dirname(other)]) await sync(directory)
    return isThere(wanted)
  }

  /** Deletes a content that is as old as `until` or older: what is newer was uploaded since. */
  async remove(organizationId: string, sha256: string, until: Date): Promise<void> {
    for (const place of ['uploads', 'quarantine'] as const) {
      const path = this.#path(place, organizationId, sha256)
      const known = await ifThere(stat(path))
      if (!known || known.mtime > until) continue
      await rm(path, { force: true })
      await sync(dirname(path))
    }
  }

  /** The hashes of the contents an organization has on the disk, a directory at a time. */
  async *hashes(organizationId: string): AsyncGenerator<string[]> {
    const uploads = join(this.#directory, 'uploads', organizationId)
    const directories = [
      join(this.#directory, 'quarantine', organizationId),
      ...(await namesIn(uploads)).map((name) => join(uploads, name)),
    ]
    for (const directory of directories) {
      const hashes = (await namesIn(directory)).filter((name) => hashPattern.test(name))
      if (hashes.length > 0) yield hashes
    }
  }

  /** Deletes what was being uploaded and is not touched since. */
  async removeUnfinished(until: Date): Promise<void> {
    const incoming = join(this.#directory, 'incoming')
    for (const name of await namesIn(incoming)) {
      const known = await ifThere(stat(join(incoming, name)))
      if (known?.isFile() && known.mtime <= until) await rm(join(incoming, name), { force: true })
    }
  }

  #path(place: Place, organizationId: string, sha256: string): string {
    if (!hashPattern.test(sha256)) throw new Error('That is no SHA-256')
    return place === 'uploads'
      ? join(this.#directory, place, organizationId, sha256.slice(0, 2), sha256)
      : join(this.#directory, place, organizationId, sha256)
  }
}

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

const isThere = async (path: string): Promise<boolean> =>
  (await ifThere(access(path, constants.F_OK).then(() => true))) ?? false

const namesIn = async (directory: string): Promise<string[]> => (await ifThere(readdir(directory))) ?? []

/** What was moved or deleted in a directory is so after a power cut too. */
async function sync(directory: string): Promise<void> {
  const handle = await ifThere(open(directory))
  if (!handle) return
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
