import type { JobHelpers } from 'graphile-worker'
import type { QueryResult } from 'pg'
import type { Step } from '../organization-task.ts'
import type { FilePlaces } from './file-places.ts'

/**
 * Has the content of a file where its state says it belongs, however it comes that it is elsewhere. The row is locked
 * meanwhile, so that nothing is decided about it while it is moved; that takes no longer than a rename.
 */
export function placeFile(
  step: Step,
  places: FilePlaces,
  file: { organizationId: string; sha256: string },
  logger: JobHelpers['logger'],
): Promise<void> {
  const { organizationId, sha256 } = file
  return step(async (client) => {
    const { rows }: QueryResult<{ place: string | null; decided_at: Date | null }> = await client.query(
      'select place, decided_at from app_private.file_placement($1)',
      [sha256],
    )
    const [placement] = rows
    if (!placement?.place) return
    if (placement.place === 'nowhere') {
      await places.remove(organizationId, sha256, placement.decided_at ?? new Date())
      await client.query('select app_private.content_removed($1)', [sha256])
    } else if (!(await places.put(placement.place as 'uploads' | 'quarantine', organizationId, sha256))) {
      logger.error(`the content of the file ${sha256} of ${organizationId} is not there`)
    }
  })
}
