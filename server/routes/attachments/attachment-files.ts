import type { Pool, PoolClient } from 'pg'
import { settingsOf, type Caller } from '../../caller.ts'
import { withTransaction } from '../../database.ts'
import { RequestError } from '../../errors.ts'
import { servedStates } from '../../storage/file-storage.ts'

/** A file as its reader may know it, with where its content is. */
export interface AttachmentFile {
  id: string
  organizationId: string
  name: string
  /** Bytes. */
  size: number
  contentType: string
  state: string
  sha256: string
}

/** What an answer tells of a file. */
export type FileFacts = Pick<AttachmentFile, 'id' | 'name' | 'size' | 'contentType' | 'state'>

export const factsOf = ({ id, name, size, contentType, state }: AttachmentFile): FileFacts => ({
  id,
  name,
  size,
  contentType,
  state,
})

interface Row {
  id: string
  organization_id: string
  name: string
  size: string
  content_type: string
  state: string
  sha256: string
}

export const fileOf = (row: Row): AttachmentFile => ({
  id: row.id,
  organizationId: row.organization_id,
  name: row.name,
  size: Number(row.size),
  contentType: row.content_type,
  state: row.state,
  sha256: row.sha256,
})

/** A file, as whoever asks sees it; ATTACHMENT_NOT_FOUND where there is none for them. */
export async function findFile(pool: Pool, caller: Caller, attachmentId: string): Promise<AttachmentFile> {
  const row = await withTransaction(pool, settingsOf(caller), async (client: PoolClient) => {
    const { rows } = await client.query<Row>({
      name: 'find_attachment',
      text: `select id, organization_id, name, size, content_type, state, sha256
        from app_public.attachments
        where organization_id = (select app_hidden.current_organization_id()) and id = $1`,
      values: [attachmentId],
    })
    return rows[0]
  })
  if (!row) throw notThere()
  return fileOf(row)
}

export const notThere = () => new RequestError('ATTACHMENT_NOT_FOUND', 'There is no such file')

/** Refuses a file whose content may not be read: ATTACHMENT_PENDING, _INFECTED, _BLOCKED or _REMOVED. */
export function refuseHeldBack({ state }: Pick<AttachmentFile, 'state'>): void {
  if (servedStates.has(state)) return
  if (state === 'pending') throw new RequestError('ATTACHMENT_PENDING', 'This file waits for the scanner')
  if (state === 'infected') throw new RequestError('ATTACHMENT_INFECTED', 'This file is infected')
  if (state === 'removed') throw new RequestError('ATTACHMENT_REMOVED', 'This file was removed')
  throw new RequestError('ATTACHMENT_BLOCKED', 'The scanner could not look into this file')
}
