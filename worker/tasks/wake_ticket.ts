import { organizationTask } from '../organization-task.ts'

/** At the instant until which a ticket was put aside: it is in sight again. */
export default organizationTask<GraphileWorker.Tasks['wake_ticket']>((client, { ticketId }) =>
  client.query('select app_private.wake_tickets($1)', [ticketId]),
)
