import type comments from './locales/en.json'

export interface TimelineEvent {
  type: string
  before: unknown
  after: unknown
  actor: { rowId: string; name: string } | null
  /** What acted, when no person did. */
  actorName?: string | null
}

type SentenceKey = keyof (typeof comments)['event']

export interface EventSentence {
  key: SentenceKey
  before: string | null
  after: string | null
  /** The number of another ticket that it names in `after`. */
  ticket?: number
}

/** The words of the domain that a sentence may need put into the reader's language. */
export interface Vocabulary {
  status: (value: string) => string
  priority: (value: string) => string
  list: (values: string[]) => string
  time: (value: string) => string
  /** Values of custom fields, each as "Cost centre: 4711"; of fields that are not known, none. */
  fields: (values: Record<string, unknown>) => string[]
  duration: (seconds: number) => string
}

function field(value: unknown, name: string): string | null {
  if (typeof value !== 'object' || value === null || !(name in value)) return null
  const found = (value as Record<string, unknown>)[name]
  return typeof found === 'string' && found !== '' ? found : null
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function amount(value: unknown, name: string): number | null {
  if (typeof value !== 'object' || value === null || !(name in value)) return null
  const found = (value as Record<string, unknown>)[name]
  return typeof found === 'number' ? found : null
}

function texts(value: unknown, name: string): string[] {
  if (typeof value !== 'object' || value === null || !(name in value)) return []
  const found = (value as Record<string, unknown>)[name]
  return Array.isArray(found) ? found.filter((each) => typeof each === 'string') : []
}

/** A sentence about another ticket, named as the event does: `ACME-1042`. */
function about(key: SentenceKey, told: unknown): EventSentence {
  const reference = field(told, 'ticket_reference')
  if (!reference) return { key: 'other', before: null, after: null }
  const number = Number(/\d+$/.exec(reference)?.[0])
  return { key, before: null, after: reference, ...(number ? { ticket: number } : {}) }
}

/** How two tickets stand to each other, seen from the first or from the second of them. */
const RELATIONSHIPS: Record<string, readonly [first: RelationshipWord, second: RelationshipWord]> = {
  child_of: ['parent', 'child'],
  duplicate_of: ['original', 'duplicate'],
  blocks: ['blocks', 'blocked_by'],
  relates_to: ['related', 'related'],
}

type RelationshipWord = 'parent' | 'child' | 'original' | 'duplicate' | 'blocks' | 'blocked_by' | 'related'

/** What became of a step. */
const CHECKLIST_SENTENCES: Record<string, SentenceKey | undefined> = {
  added: 'step_added',
  done: 'step_done',
  undone: 'step_undone',
  removed: 'step_removed',
}

/** What somebody said of how it went: a score, another one, or what they add to it. */
function surveySentence(before: unknown, after: unknown): EventSentence {
  const score = amount(after, 'score')
  const comment = field(after, 'comment')
  if (score !== null) {
    const was = amount(before, 'score')
    if (was !== null) return { key: 'survey_changed', before: String(was), after: String(score) }
    return comment
      ? { key: 'survey_scored_and_said', before: String(score), after: comment }
      : { key: 'survey_scored', before: null, after: String(score) }
  }
  if (comment) return { key: 'survey_said', before: null, after: comment }
  return { key: 'comment' in object(after) ? 'survey_unsaid' : 'other', before: null, after: null }
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
    case 'sla_escalated':
      return plain(type)
    case 'status_changed': {
      const was = field(before, 'status')
      const is = field(after, 'status')
      if (!was || !is) return plain('other')
      const isDone = (status: string) => status === 'resolved' || status === 'closed'
      const key =
        isDone(was) && !isDone(is) ? 'status_reopened' : isDone(is) ? 'status_resolved' : 'status_changed'
      return {
        key,
        before: field(before, 'state_name') ?? words.status(was),
        after: field(after, 'state_name') ?? words.status(is),
      }
    }
    case 'state_changed': {
      const was = field(before, 'state_name') ?? words.status(field(before, 'status') ?? '')
      const is = field(after, 'state_name') ?? words.status(field(after, 'status') ?? '')
      return was && is ? { key: 'status_changed', before: was, after: is } : plain('other')
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
    case 'requester_changed': {
      const is = field(after, 'requester_name')
      return is ? { key: type, before: field(before, 'requester_name'), after: is } : plain('other')
    }
    case 'tags_changed': {
      const was = texts(before, 'tags')
      const is = texts(after, 'tags')
      const added = is.filter((tag) => !was.includes(tag))
      const removed = was.filter((tag) => !is.includes(tag))
      if (added.length === 0 && removed.length === 0) return plain('other')
      return {
        key: removed.length === 0 ? 'tags_added' : added.length === 0 ? 'tags_removed' : 'tags_changed',
        before: words.list(removed),
        after: words.list(added),
      }
    }
    case 'custom_fields_changed': {
      // What was emptied is named as well, without a value.
      const emptied = Object.keys(object(before)).map((key): [string, unknown] => [key, null])
      const told = words.fields({ ...Object.fromEntries(emptied), ...object(after) })
      return told.length > 0
        ? { key: 'fields_changed', before: null, after: words.list(told) }
        : plain('other')
    }
    case 'watcher_added':
    case 'watcher_removed': {
      const told = type === 'watcher_added' ? after : before
      const name = field(told, 'watcher_name')
      if (actor && field(told, 'watcher_id') === actor.rowId)
        return plain(type === 'watcher_added' ? 'watcher_joined' : 'watcher_left')
      return name ? { key: type, before: null, after: name } : plain('other')
    }
    case 'automation_fired': {
      const name = field(after, 'automation_name')
      return name ? { key: type, before: null, after: name } : plain('other')
    }
    case 'notice_sent': {
      const text = field(after, 'text')
      return text ? { key: type, before: null, after: text } : plain('other')
    }
    case 'ticket_snoozed': {
      const until = field(after, 'snoozed_until')
      return until ? { key: type, before: null, after: words.time(until) } : plain('other')
    }
    case 'snooze_ended':
      return plain(type)
    case 'relationship_added':
    case 'relationship_removed': {
      const told = type === 'relationship_added' ? after : before
      const [first, second] = RELATIONSHIPS[field(told, 'kind') ?? ''] ?? []
      const isFirst = (told as { first?: unknown } | null)?.first === true
      const word = isFirst ? first : second
      if (!word) return plain('other')
      return about(type === 'relationship_added' ? `related_${word}` : `unrelated_${word}`, told)
    }
    case 'ticket_merged':
    case 'merge_received':
    case 'merge_undone':
      return about(type, after)
    case 'time_recorded': {
      const seconds = amount(after, 'seconds')
      return seconds === null ? plain('other') : { key: type, before: null, after: words.duration(seconds) }
    }
    case 'time_corrected': {
      const was = amount(before, 'seconds')
      const is = amount(after, 'seconds')
      if (was === null || is === null) return plain('other')
      return {
        key: is === 0 ? 'time_taken_back' : was === is ? 'time_details_corrected' : type,
        before: words.duration(was),
        after: words.duration(is),
      }
    }
    case 'checklist_changed': {
      const step = field(after, 'text')
      const key = CHECKLIST_SENTENCES[field(after, 'what') ?? '']
      return step && key ? { key, before: null, after: step } : plain('other')
    }
    case 'approval_requested':
    case 'approval_cancelled': {
      const question = field(after, 'question')
      return question ? { key: type, before: null, after: question } : plain('other')
    }
    case 'approval_decided': {
      const question = field(after, 'question')
      const decision = field(after, 'decision')
      return question && (decision === 'approved' || decision === 'declined')
        ? { key: `approval_${decision}`, before: null, after: question }
        : plain('other')
    }
    case 'attachment_added': {
      const { files } = object(after)
      const names = (Array.isArray(files) ? files : []).map((file) => field(file, 'name'))
      const known = names.filter((name) => name !== null)
      return known.length > 0 ? { key: type, before: null, after: words.list(known) } : plain('other')
    }
    case 'attachment_blocked': {
      const name = field(after, 'name')
      const found = field(after, 'signature')
      if (!name) return plain('other')
      switch (field(after, 'state')) {
        case 'infected':
          return { key: found ? 'attachment_infected' : type, before: found, after: name }
        case 'unscannable':
          return { key: 'attachment_unscannable', before: null, after: name }
        default:
          return { key: type, before: null, after: name }
      }
    }
    case 'attachment_released':
    case 'attachment_removed':
    case 'mail_failed': {
      const name = field(after, 'name')
      return name ? { key: type, before: null, after: name } : plain('other')
    }
    case 'survey_sent':
      return plain(type)
    case 'survey_answered':
      return surveySentence(before, after)
    case 'ticket_split':
      return about(
        (after as { is_origin?: unknown } | null)?.is_origin === true ? 'split_from' : 'split_into',
        after,
      )
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
