import { inBatches } from '../batches.ts'
import { everyOrganizationTask } from '../organization-task.ts'

/**
 * Each minute: records what was due while no worker ran, with its true instant, and gives what comes in the next
 * minutes a job at its very second.
 */
export default everyOrganizationTask(async (client) => {
  await inBatches(client, 'select app_private.record_sla_breaches() as done')
  await client.query('select app_private.schedule_sla_breaches()')
})
