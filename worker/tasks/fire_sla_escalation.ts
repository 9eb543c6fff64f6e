import { organizationTask } from '../organization-task.ts'

/** At the instant of a warning or a level: does what the policy says to the ticket. */
export default organizationTask<GraphileWorker.Tasks['fire_sla_escalation']>((client, { slaCalculationId }) =>
  client.query('select app_private.fire_sla_escalations($1)', [slaCalculationId]),
)
