import { organizationTask } from '../organization-task.ts'

/** Reads a mail that was stored, and has the database decide what becomes of it. */
export default organizationTask<{ organizationId: string; incomingMailId: string }>(
  (client, { incomingMailId }) => client.query(`select app_private.receive_mail($1, '{}')`, [incomingMailId]),
)
