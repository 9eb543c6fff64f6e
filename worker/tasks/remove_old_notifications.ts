import { everyOrganizationTask } from '../organization-task.ts'

/** Each night: what people were told more than 90 days ago is forgotten. */
export default everyOrganizationTask((client) =>
  client.query('select app_private.remove_old_notifications()'),
)
