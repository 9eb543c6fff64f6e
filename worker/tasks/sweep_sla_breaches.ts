import { everyOrganizationTask } from '../organization-task.ts'

/**
 * Each minute: records what was due while no worker ran, with the instant it was due, and gives what is due in the next
 * minutes a job at its very second.
 */
export default everyOrganizationTask((client) =>
  client.query('select app_private.record_sla_breaches(), app_private.schedule_sla_breaches()'),
)
