import { Router } from 'express'
import type { Pool } from 'pg'
import { callerOf, settingsOf, type Caller } from '../../caller.ts'
import { withTransaction } from '../../database.ts'
import { RequestError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { limitRequests } from '../../middleware/rate-limit.ts'
import type { Notifications } from '../../notifications.ts'
import { limits, type RateLimits } from '../../rate-limits.ts'
import type { FileStorage } from '../../storage/file-storage.ts'
import { type AttachmentFile, factsOf, fileOf, findFile } from './attachment-files.ts'
import { contentTypeOf } from '../../storage/content-type.ts'
import { receiveUpload, type Upload } from './receive-upload.ts'

// Most verdicts come in a fraction of a second; whoever uploads waits a little rather than ask again.
const verdictMilliseconds = 5_000

/** Takes files in. What may come in is decided in SQL; here they go to the disk. */
export function uploadRoutes(options: {
  pool: Pool
  storage: FileStorage
  notifications: Notifications
  rateLimits: RateLimits
  attachmentScanner: string
  logger: Logger
}): Router {
  const { pool, storage, notifications, rateLimits, attachmentScanner, logger } = options

  async function mostBytes(caller: Caller): Promise<number> {
    return withTransaction(pool, settingsOf(caller), async (client) => {
      const { rows } = await client.query<{ max_file_bytes: string }>(
        `select max_file_bytes from app_public.attachment_settings
        where organization_id = (select app_hidden.current_organization_id())`,
      )
      return Number(rows[0]?.max_file_bytes ?? 0)
    })
  }

  async function store(caller: Caller, { file, name, claimedContentType }: Upload): Promise<AttachmentFile> {
    try {
      const contentType = await contentTypeOf(file.head)
      const settings = { ...settingsOf(caller), 'atum.attachment_scanner': attachmentScanner }
      return await withTransaction(pool, settings, async (client) => {
        const { rows } = await client.query('select * from app_hidden.store_upload($1, $2, $3, $4, $5)', [
          file.sha256,
          file.size,
          contentType,
          name.replaceAll('\0', ''),
          claimedContentType.replaceAll('\0', ''),
        ])
        const stored = fileOf(rows[0])
        await storage.place(file, stored.organizationId, stored.state)
        return stored
      })
    } finally {
      // Unless it is in its place by now.
      await storage.discard(file)
    }
  }

  /** The file once there is a verdict, or as it is when that takes too long. */
  async function judged(caller: Caller, file: AttachmentFile): Promise<AttachmentFile> {
    if (file.state !== 'pending') return file
    const news = await notifications.subscribe(`attachment:${file.id}`).catch(() => undefined)
    if (!news) return file
    const impatience = setTimeout(() => void news.return?.(), verdictMilliseconds)
    try {
      // It may have come before we listened.
      const now = await findFile(pool, caller, file.id)
      if (now.state !== 'pending') return now
      await news.next().catch(() => {})
      return await findFile(pool, caller, file.id)
    } finally {
      clearTimeout(impatience)
      await news.return?.()
    }
  }

  const routes = Router()
  routes.post('/upload', limitRequests(rateLimits, limits.upload), async (request, response) => {
    const caller = callerOf(request)
    const { claims } = caller
    if (claims && 'isReadOnly' in claims && claims.isReadOnly) {
      throw new RequestError('TOKEN_SCOPE_MISSING', 'This API token may read, and change nothing')
    }
    const upload = await receiveUpload(request, { storage, most: await mostBytes(caller), logger })
    const file = await judged(caller, await store(caller, upload))
    if (file.state === 'infected') {
      throw new RequestError('ATTACHMENT_INFECTED', 'This file is infected and was not taken', {
        id: file.id,
        name: file.name,
      })
    }
    const isWaiting = file.state === 'pending' || file.state === 'unscannable'
    response.status(isWaiting ? 202 : 201).json(factsOf(file))
  })
  return routes
}
