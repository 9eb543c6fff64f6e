import { everyOrganizationTask } from '../organization-task.ts'

/** Each minute: webhooks are called with what is due and has lost its job, and old calls and secrets are forgotten. */
export default everyOrganizationTask((client) => client.query('select app_private.sweep_webhooks()'))
