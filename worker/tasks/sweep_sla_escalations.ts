import { inBatches } from '../batches.ts'
import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: fires what was to escalate while no worker ran. Apart from the breaches, which do not wait for it. */
export default everyOrganizationTask((client) =>
  inBatches(client, 'select app_private.fire_sla_escalations() as done'),
)
