import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: delivers the replies whose own job was lost with a worker. */
export default everyOrganizationTask((client) => client.query('select app_private.deliver_replies()'))
