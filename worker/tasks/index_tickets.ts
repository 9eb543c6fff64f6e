import type { Task } from 'graphile-worker'
import { steppedOrganizationTask } from '../organization-task.ts'

/**
 * Builds the search documents of tickets anew, some hundred in each transaction, so that nobody waits: those of one
 * requester whose name changed, or all of an organization that speaks another language.
 */
export default steppedOrganizationTask<GraphileWorker.Tasks['index_tickets']>(
  async (step, { requesterId }) => {
    let after: string | null = null
    do {
      after = await step(async (client) => {
        const { rows } = await client.query<{ after: string | null }>(
          'select app_private.index_tickets_from($1, $2) as after',
          [after, requesterId ?? null],
        )
        return rows[0]?.after ?? null
      })
    } while (after !== null)
  },
) satisfies Task
