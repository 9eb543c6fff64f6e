import { organizationTask } from '../organization-task.ts'

/** Connects to a mailbox and writes down what it found. */
export default organizationTask<{ organizationId: string; mailboxId: string }>((client, { mailboxId }) =>
  client.query(`select app_private.record_mailbox_test($1, 'failed', null)`, [mailboxId]),
)
