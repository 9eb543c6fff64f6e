import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: has asked what waits because its own job was lost, and ends what nobody answered in time. */
export default everyOrganizationTask((client) => client.query('select app_private.sweep_surveys()'))
