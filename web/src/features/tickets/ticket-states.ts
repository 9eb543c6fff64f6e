import type { Priority } from '../../components/priority-mark.tsx'
import type { Status } from '../../components/status-glyph.tsx'

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const satisfies readonly Priority[]

/** Whether nothing more is to be done. */
export function isDone(status: Status): boolean {
  return status === 'resolved' || status === 'closed'
}
