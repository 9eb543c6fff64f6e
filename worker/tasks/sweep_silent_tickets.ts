import { everyOrganizationTask } from '../organization-task.ts'

/** Each hour: resolves and closes the tickets about which nobody said a word for as long as the organization waits. */
export default everyOrganizationTask((client) => client.query('select app_private.end_silent_tickets()'))
