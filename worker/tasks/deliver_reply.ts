import { organizationTask } from '../organization-task.ts'

/** When the time to take a reply back is over: it leaves, or goes back to its author with the reason. */
export default organizationTask<GraphileWorker.Tasks['deliver_reply']>((client, { outgoingReplyId }) =>
  client.query('select app_private.deliver_replies($1)', [outgoingReplyId]),
)
