import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const hashPattern = /^[0-9a-f]{64}$/
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The mails that came in, as they came, on the disk of this machine: `mails/<organization>/<sha256>.eml`. */
export class MailStore {
  readonly #directory: string

  constructor(dataDirectory: string) {
    this.#directory = join(dataDirectory, 'mails')
  }

  /** Has a mail on the disk, also after a power cut, before it answers with its SHA-256. */
  async keep(organizationId: string, source: Buffer): Promise<string> {
    const sha256 = createHash('sha256').update(source).digest('hex')
    const path = this.#path(organizationId, sha256)
    const known = await stat(path).catch(() => undefined)
    if (known?.size === source.length) return sha256

    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const incoming = join(dirname(path), `.${randomUUID()}`)
    try {
      const handle = await open(incoming, 'wx', 0o600)
      try {
        await handle.writeFile(source)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(incoming, path)
    } catch (error) {
      await rm(incoming, { force: true })
      throw error
    }
    // A directory that was made is there after a power cut once those above it say so.
    for (let changed = dirname(path); ; changed = dirname(changed)) {
      await sync(changed)
      if (made === undefined || changed === dirname(made)) break
    }
    return sha256
  }

  /** A mail as it came. Throws where it is not there, or is not what it was. */
  async read(organizationId: string, sha256: string): Promise<Buffer> {
    const source = await readFile(this.#path(organizationId, sha256))
    if (createHash('sha256').update(source).digest('hex') !== sha256)
      throw new Error('The stored mail was changed')
    return source
  }

  #path(organizationId: string, sha256: string): string {
    if (!hashPattern.test(sha256)) throw new Error('That is no SHA-256')
    if (!uuidPattern.test(organizationId)) throw new Error('That is no organization')
    return join(this.#directory, organizationId, `${sha256}.eml`)
  }
}

async function sync(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
