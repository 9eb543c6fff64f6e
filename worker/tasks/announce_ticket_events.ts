import { organizationTask } from '../organization-task.ts'

/** After something happened to a ticket: people, mails and programs are told, in one transaction. */
export default organizationTask<GraphileWorker.Tasks['announce_ticket_events']>((client, { ticketId }) =>
  client.query('select app_private.announce_ticket_events($1)', [ticketId]),
)
