import { organizationTask } from '../organization-task.ts'

/** After something happened to a ticket, or enough time has passed: the automations answer, in one transaction. */
export default organizationTask<GraphileWorker.Tasks['run_automations']>((client, { ticketId }) =>
  client.query('select app_private.run_automations($1)', [ticketId]),
)
