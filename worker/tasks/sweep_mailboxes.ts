import { everyOrganizationTask } from '../organization-task.ts'

/** Tells admins of mailboxes that fell silent, and has mails read whose job was lost. */
export default everyOrganizationTask((client) => client.query('select app_private.sweep_mailboxes()'))
