import { everyOrganizationTask } from '../organization-task.ts'

/** Every quarter of an hour: the mails of the day of those whose hour has come, wherever they live. */
export default everyOrganizationTask((client) => client.query('select app_private.write_digests()'))
