import 'postgraphile'
import { get, lambda, type Step } from 'postgraphile/grafast'
import { wrapPlans } from 'postgraphile/utils'
import { sqlStates } from '../errors.ts'

type Text = string | null

/** What Postgres said of one ticket of many is told as an error of its own would be: by its code and its message. */
export const BulkResultsPlugin = wrapPlans({
  BulkResult: {
    code: (plan) =>
      lambda(plan(), (sqlState: unknown) =>
        sqlState ? (sqlStates[String(sqlState)]?.code ?? 'INTERNAL') : null,
      ),
    message: (plan, $result) =>
      lambda([get($result, 'code'), plan() as Step<Text>] as const, ([sqlState, message]) =>
        sqlState ? (sqlStates[String(sqlState)]?.message ?? message) : message,
      ),
  },
})
