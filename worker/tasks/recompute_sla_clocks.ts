import type { QueryResult } from 'pg'
import { steppedOrganizationTask } from '../organization-task.ts'

/** After a calendar or a policy was changed: counts the open tickets again, each batch in a transaction of its own. */
export default steppedOrganizationTask<GraphileWorker.Tasks['recompute_sla_clocks']>(
  async (step, { slaRecomputationId }) => {
    for (let more = true; more;) {
      const { rows }: QueryResult<{ more: boolean }> = await step((client) =>
        client.query('select app_private.recompute_sla_clocks($1) as more', [slaRecomputationId]),
      )
      more = rows[0]?.more ?? false
    }
  },
)
