import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: records what was due while no worker ran, with the instant it was due. */
export default everyOrganizationTask((client) => client.query('select app_private.record_sla_breaches()'))
