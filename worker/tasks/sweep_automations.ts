import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: which tickets have come to fit an automation that goes by time, and what a lost worker left. */
export default everyOrganizationTask((client) => client.query('select app_private.sweep_automations()'))
