import { requireOwnerUrl } from './owner-url.ts'

/**
 * The database that a command of the operator works on: as `atum_operator`, which makes and closes organizations and
 * reads nothing in them, where ATUM_OPERATOR_DATABASE_URL names it; else as the owner.
 */
export function requireOperatorUrl(): string {
  return process.env.ATUM_OPERATOR_DATABASE_URL || requireOwnerUrl()
}
