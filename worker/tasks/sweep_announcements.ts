import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: has told what waits because its own job was lost. */
export default everyOrganizationTask((client) => client.query('select app_private.sweep_announcements()'))
