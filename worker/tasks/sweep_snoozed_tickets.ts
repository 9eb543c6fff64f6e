import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: wakes the tickets whose time came while no worker ran. */
export default everyOrganizationTask((client) => client.query('select app_private.wake_tickets()'))
