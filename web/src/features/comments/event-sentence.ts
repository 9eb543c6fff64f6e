import type comments from './locales/en.json'

export interface TimelineEvent {
  type: string
  before: unknown
  after: unknown
  actor: { rowId: string; name: string } | null
}

type SentenceKey = keyof (typeof comments)['event']

export interface EventSentence {
  key: SentenceKey
  before: string | null
  after: string | null
}

/** The words of the domain that a sentence may need put into the reader's language. */
export interface Vocabulary {
  status: (value: string) => string
  priority: (value: string) => string
}

function field(value: unknown, name: string): string | null {
  if (typeof value !== 'object' || value === null || !(name in value)) return null
  const found = (value as Record<string, unknown>)[name]
  return typeof found === 'string' && found !== '' ? found : null
}

/** Which sentence tells what happened, and what stands in it. A kind of event it does not know becomes "changed". */
export function eventSentence(event: TimelineEvent, words: Vocabulary): EventSentence {
  const { type, before, after, actor } = event
  const plain = (key: SentenceKey): EventSentence => ({ key, before: null, after: null })
  switch (type) {
    case 'ticket_created':
    case 'sla_met':
    case 'sla_warned':
    case 'sla_breached':
      return plain(type)
    case 'status_changed': {
      const was = field(before, 'status')
      const is = field(after, 'status')
      if (!was || !is) return plain('other')
      const isDone = (status: string) => status === 'resolved' || status === 'closed'
      const key =
        isDone(was) && !isDone(is) ? 'status_reopened' : isDone(is) ? 'status_resolved' : 'status_changed'
      return { key, before: words.status(was), after: words.status(is) }
    }
    case 'priority_changed': {
      const was = field(before, 'priority')
      const is = field(after, 'priority')
      return was && is
        ? { key: type, before: words.priority(was), after: words.priority(is) }
        : plain('other')
    }
    case 'subject_changed': {
      const is = field(after, 'subject')
      return is ? { key: type, before: field(before, 'subject'), after: is } : plain('other')
    }
    case 'assignee_changed':
    case 'team_changed':
    case 'service_changed': {
      const word = type.slice(0, -'_changed'.length) as 'assignee' | 'team' | 'service'
      const was = field(before, `${word}_name`)
      const is = field(after, `${word}_name`)
      if (is && word === 'assignee' && actor && field(after, 'assignee_id') === actor.rowId)
        return plain('assignee_taken')
      if (is) return { key: `${word}_set`, before: was, after: is }
      if (was && word === 'assignee' && actor && field(before, 'assignee_id') === actor.rowId)
        return plain('assignee_left')
      return was ? { key: `${word}_removed`, before: was, after: null } : plain('other')
    }
    default:
      return plain('other')
  }
}

/** Which promise an event about the service level is about. */
export function eventTarget(event: TimelineEvent): 'first_response' | 'next_response' | 'resolution' {
  const kind = field(event.after, 'kind')
  return kind === 'resolution' || kind === 'next_response' ? kind : 'first_response'
}

/** What comes first when several things were written in one save. */
const RANK: Record<string, number> = { ticket_created: 0, comment_added: 1 }

/** Oldest first; within one save the ticket, then what was said, then what followed from it. */
export function inOrder<Event extends { createdAt: string; type: string; rowId: string }>(
  events: readonly Event[],
): Event[] {
  return [...events].sort(
    (one, other) =>
      Date.parse(one.createdAt) - Date.parse(other.createdAt) ||
      (RANK[one.type] ?? 2) - (RANK[other.type] ?? 2) ||
      (one.rowId < other.rowId ? -1 : 1),
  )
}
