import { organizationTask } from '../organization-task.ts'

/** A day after a timer was started: if it still runs, it was forgotten. */
export default organizationTask<GraphileWorker.Tasks['stop_forgotten_timer']>((client, { timerId }) =>
  client.query('select app_private.stop_forgotten_timer($1)', [timerId]),
)
