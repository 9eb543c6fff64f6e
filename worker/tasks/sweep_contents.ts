import type { Task } from 'graphile-worker'
import type { QueryResult } from 'pg'
import type { FilePlaces } from '../files/file-places.ts'
import { steppedOrganizationTask } from '../organization-task.ts'

const dayMilliseconds = 86_400_000

/**
 * Deletes contents that no row tells of: their row is gone, or whoever brought them was killed before there was one.
 * Not before they are a day old, because content comes first and its row after it.
 */
export default function sweepContents(places: FilePlaces): Task {
  return steppedOrganizationTask<GraphileWorker.Tasks['sweep_contents']>(
    async (step, { organizationId }, helpers) => {
      const until = new Date(Date.now() - dayMilliseconds)
      for await (const hashes of places.hashes(organizationId)) {
        const { rows }: QueryResult<{ hash: string }> = await step((client) =>
          client.query('select hash from app_private.contents_without_row($1) as hash', [hashes]),
        )
        for (const { hash } of rows) await places.remove(organizationId, hash, until)
        if (rows.length > 0) helpers.logger.info(`${rows.length} contents without a row`)
      }
    },
  )
}
