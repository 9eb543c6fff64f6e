import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: has those files scanned whose own job was lost, and tells admins that the scanner is away. */
export default everyOrganizationTask((client) => client.query('select app_private.sweep_waiting_files()'))
