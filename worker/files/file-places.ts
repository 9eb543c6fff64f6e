import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import {
  contentPath,
  ifThere,
  moveContent,
  type Place,
  syncDirectory,
} from '../../server/storage/file-storage.ts'

const hashPattern = /^[0-9a-f]{64}$/

/** The contents of files on the disk of this machine, where the server puts them. */
export class FilePlaces {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Opens a content that is served; undefined where it is not among those. */
  async open(organizationId: string, sha256: string): Promise<Readable | undefined> {
    const handle = await ifThere(open(this.#path('uploads', organizationId, sha256)))
    return handle?.createReadStream()
  }

  /** Opens a content wherever it is, for the scanner and for nobody else; undefined where it is nowhere. */
  async openWherever(organizationId: string, sha256: string): Promise<FileHandle | undefined> {
    // Once more at the end: it may have been moved from the second to the first meanwhile.
    for (const place of ['quarantine', 'uploads', 'quarantine'] as const) {
      const handle = await ifThere(open(this.#path(place, organizationId, sha256)))
      if (handle) return handle
    }
    return undefined
  }

  /** Has a content in one place and not in the other. Answers whether it is there then. */
  async put(place: Place, organizationId: string, sha256: string): Promise<boolean> {
    const wanted = this.#path(place, organizationId, sha256)
    const other = this.#path(place === 'uploads' ? 'quarantine' : 'uploads', organizationId, sha256)
    if (await isThere(other)) {
      // Somebody else may have moved it just now.
      await ifThere(moveContent(other, wanted))
      await ifThere(syncDirectory(dirname(other)))
    }
    return isThere(wanted)
  }

  /** Deletes a content that is as old as `until` or older: what is newer was uploaded since. */
  async remove(organizationId: string, sha256: string, until: Date): Promise<void> {
    for (const place of ['uploads', 'quarantine'] as const) {
      const path = this.#path(place, organizationId, sha256)
      const known = await ifThere(stat(path))
      if (!known || known.mtime > until) continue
      await rm(path, { force: true })
      await syncDirectory(dirname(path))
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
    return contentPath(this.#directory, place, organizationId, sha256)
  }
}

const isThere = async (path: string): Promise<boolean> => (await ifThere(stat(path)))?.isFile() ?? false

const namesIn = async (directory: string): Promise<string[]> => (await ifThere(readdir(directory))) ?? []
