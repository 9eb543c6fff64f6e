import { told, type ProblemCode } from './errors.ts'

/** The codes of refusals that are told of one ticket among many, by their SQLSTATE; see docs/ERROR_CODES.md. */
export const REFUSALS: Readonly<Record<string, string>> = {
  AD101: 'NOT_FOUND',
  AD102: 'TICKET_CLOSED',
  AD103: 'ASSIGNEE_NOT_STAFF',
  AD104: 'SERVICE_ARCHIVED',
  AD105: 'STATUS_MOVE_REFUSED',
  AD106: 'VERSION_CONFLICT',
  AD107: 'ASSIGNEE_OUTSIDE_TEAM',
  AD108: 'TICKET_MERGED',
  AD109: 'CHILDREN_OPEN',
  AD110: 'SNOOZE_REFUSED',
  AD114: 'WATCHER_REFUSED',
  '42501': 'FORBIDDEN',
}

/** Why one of many was refused, in a form that there are words for. */
export function refusalOf(sqlState: string | null): ProblemCode {
  return told(sqlState === null ? null : (REFUSALS[sqlState] ?? 'INVALID_INPUT'))
}
