import type { QueryResult } from 'pg'
import { everyOrganizationTask } from '../organization-task.ts'

// What the functions do at once.
const batch = 1_000

/**
 * Each minute: records what was due while no worker ran and fires what was to escalate, with their true instants, and
 * gives what comes in the next minutes a job at its very second.
 */
export default everyOrganizationTask(async (client) => {
  for (const step of ['record_sla_breaches', 'fire_sla_escalations']) {
    for (let done = batch; done === batch;) {
      const { rows }: QueryResult<{ done: number }> = await client.query(
        `select app_private.${step}() as done`,
      )
      done = rows[0]?.done ?? 0
    }
  }
  await client.query('select app_private.schedule_sla_breaches()')
})
