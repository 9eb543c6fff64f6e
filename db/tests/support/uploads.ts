import { randomBytes } from 'node:crypto'
import type { Person } from './fixture.ts'
import { asRoleForGood } from './session.ts'
import type { Stage } from './stage.ts'

/** What somebody uploads. */
export interface Upload {
  sha256: string
  size: number
  contentType: string
  name: string
}

/** The row of a file that was uploaded. */
export interface Uploaded {
  id: string
  sha256: string
  state: string
}

/** Files on a stage, as far as the database knows of them. */
export function uploadsOn(stage: Stage) {
  return {
    /** Somebody uploads a file that nobody uploaded before, unless its `sha256` says otherwise. */
    upload: (by: Person, values: Partial<Upload> = {}, { scanner = 'clamd' } = {}): Promise<Uploaded> =>
      asRoleForGood(stage.server, by, async () => {
        const { sha256, size, contentType, name } = {
          sha256: randomBytes(32).toString('hex'),
          size: 7,
          contentType: 'text/plain',
          name: 'lamps.txt',
          ...values,
        }
        await stage.server.query(`select set_config('atum.attachment_scanner', $1, true)`, [scanner])
        const { rows } = await stage.server.query<Uploaded>(
          'select * from app_hidden.store_upload($1, $2, $3, $4, null)',
          [sha256, size, contentType, name],
        )
        return rows[0]!
      }),
    /** Says what became of a content in the organizations that have it. */
    judge: ({ sha256 }: Uploaded, state: string, decidedBy?: Person) =>
      stage.superuser.query(
        `update app_public.stored_files
        set state = $2::app_public.file_state, signature = case $2::text when 'infected' then 'Eicar-Test' end, decided_by_id = $3::uuid, decided_at = now(), reason = 'Because'
        where sha256 = $1`,
        [sha256, state, decidedBy?.userId ?? null],
      ),
  }
}
