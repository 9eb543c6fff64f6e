import type { Priority } from '../../components/priority-mark.tsx'
import type { Status } from '../../components/status-glyph.tsx'

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const satisfies readonly Priority[]

const CHOSEN = ['open', 'pending', 'on_hold', 'resolved', 'closed'] as const satisfies readonly Status[]

/** The states a ticket may be put into; only one that is new may stay so. */
export function statusChoices(current: Status): readonly Status[] {
  return current === 'new' ? ['new', ...CHOSEN] : CHOSEN
}

/** Whether nothing more is to be done. */
export function isDone(status: Status): boolean {
  return status === 'resolved' || status === 'closed'
}
