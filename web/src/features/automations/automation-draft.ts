import {
  isUnfinished,
  readActions,
  readConditions,
  tidyActions,
  tidyConditions,
  type Action,
  type Conditions,
} from '../../lib/ticket-rules.ts'

export const KINDS = ['event', 'time'] as const
export type Kind = (typeof KINDS)[number]

/** The events one can choose; the database knows more, which stay when they are there. */
export const EVENT_TYPES = [
  'ticket_created',
  'comment_added',
  'status_changed',
  'priority_changed',
  'assignee_changed',
  'team_changed',
  'service_changed',
  'tags_changed',
  'custom_fields_changed',
  'sla_warned',
  'sla_breached',
  'approval_decided',
  'snooze_ended',
  'attachment_added',
  'attachment_blocked',
  'mail_failed',
  'survey_answered',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

export const ACTORS = ['customer', 'staff', 'system'] as const
export type Actor = (typeof ACTORS)[number]

export type Visibility = 'public' | 'internal'

export const NAME_LIMIT = 80

export interface AutomationDraft {
  name: string
  kind: Kind
  eventTypes: EventType[]
  actors: Actor[]
  visibility: Visibility | null
  /** What a property became: one of the values that a status or a priority has. */
  toValues: string[]
  conditions: Conditions
  actions: Action[]
}

export const BLANK: AutomationDraft = {
  name: '',
  kind: 'event',
  eventTypes: ['ticket_created'],
  actors: [],
  visibility: null,
  toValues: [],
  conditions: { all: [], any: [] },
  actions: [],
}

/** An automation as it was read. */
export interface SavedAutomation {
  name: string
  kind: Kind
  eventTypes: readonly (string | null)[]
  actors: readonly (Actor | null)[]
  visibility: Visibility | null
  toValues: readonly (string | null)[]
  conditions: unknown
  actions: unknown
}

const present = <Value>(values: readonly (Value | null)[]): Value[] =>
  values.filter((value): value is Value & NonNullable<unknown> => value !== null)

export const draftOf = (saved: SavedAutomation): AutomationDraft => ({
  name: saved.name,
  kind: saved.kind,
  eventTypes: present(saved.eventTypes) as EventType[],
  actors: present(saved.actors),
  visibility: saved.visibility,
  toValues: present(saved.toValues),
  conditions: readConditions(saved.conditions),
  actions: readActions(saved.actions),
})

export type DraftFault = 'name' | 'nameLong' | 'events' | 'conditions' | 'unfinished' | 'actions'

/** What is still wrong with a draft, in the order of the form. */
export function faultOf({ name, kind, eventTypes, conditions, actions }: AutomationDraft): DraftFault | null {
  const { all, any } = conditions
  if (name.trim() === '') return 'name'
  if ([...name.trim()].length > NAME_LIMIT) return 'nameLong'
  if (kind === 'event' && eventTypes.length === 0) return 'events'
  if (kind === 'time' && all.length + any.length === 0) return 'conditions'
  if (actions.length === 0) return 'actions'
  return [...all, ...any, ...actions].some(isUnfinished) ? 'unfinished' : null
}

/** A draft as it is sent; what belongs to events is left out of one that goes by time. */
export function sent(draft: AutomationDraft) {
  const byEvent = draft.kind === 'event'
  return {
    name: draft.name.trim(),
    eventTypes: byEvent ? draft.eventTypes : [],
    actors: byEvent ? draft.actors : [],
    visibility: byEvent ? draft.visibility : null,
    toValues: byEvent ? draft.toValues : [],
    conditions: tidyConditions(draft.conditions),
    actions: tidyActions(draft.actions),
  }
}
