import { organizationTask } from '../organization-task.ts'

/** Some time after a ticket was resolved: asks its requester how it went, if it still is. */
export default organizationTask<GraphileWorker.Tasks['send_survey']>((client, { surveyId }) =>
  client.query('select app_private.send_survey($1)', [surveyId]),
)
