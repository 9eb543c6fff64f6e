import 'postgraphile'
import { lambda, type ObjectStep } from 'postgraphile/grafast'
import { wrapPlans } from 'postgraphile/utils'
import { RequestError } from '../errors.ts'

function refuseNothing(row: unknown): true {
  if (row === null || row === undefined)
    throw new RequestError('NOT_FOUND', 'There is nothing with this id to change')
  return true
}

/**
 * An update that found no row is an error and not a silent success: what is not there, what belongs to somebody else
 * and what never was look the same.
 */
export const UpdatesPlugin = wrapPlans(
  ({ scope }) =>
    scope.isRootMutation &&
    'fieldBehaviorScope' in scope &&
    scope.fieldBehaviorScope === 'nodeId:resource:update'
      ? {}
      : null,
  () => (plan) => {
    const $payload = plan() as ObjectStep
    const $check = lambda($payload.getStepForKey('result'), refuseNothing)
    $check.hasSideEffects = true
    return $payload
  },
  { name: 'UpdatesPlugin', version: '1.0.0' },
)
