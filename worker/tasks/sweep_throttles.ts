import type { Task } from 'graphile-worker'

/** Every ten minutes: forgets the failures, allowances and half logins that slow nobody down any more. */
const sweepThrottles: Task = async (_payload, helpers) => {
  await helpers.query('select app_private.forget_throttles()')
}

export default sweepThrottles
