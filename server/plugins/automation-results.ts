import 'postgraphile'
import { lambda, type Step } from 'postgraphile/grafast'
import { wrapPlans } from 'postgraphile/utils'
import { sqlStates } from '../errors.ts'

/** What Postgres refused an automation with is told as an error of its own would be: by its code. */
const byItsCode = (plan: () => Step): Step =>
  lambda(plan(), (sqlState: unknown) => (sqlState ? (sqlStates[String(sqlState)]?.code ?? 'INTERNAL') : null))

export const AutomationResultsPlugin = wrapPlans({
  AutomationFiring: { errorCode: byItsCode },
  AutomationDryRunTicket: { errorCode: byItsCode },
})
