import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: gives mails whose own job was lost with a worker another one. */
export default everyOrganizationTask((client) => client.query('select app_private.sweep_mail()'))
