import { organizationTask } from '../organization-task.ts'

/** At the instant a clock is due: a promise that was not kept is recorded as broken. */
export default organizationTask<GraphileWorker.Tasks['record_sla_breach']>((client, { slaCalculationId }) =>
  client.query('select app_private.record_sla_breaches($1)', [slaCalculationId]),
)
