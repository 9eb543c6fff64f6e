export const NAME_LIMIT = 80
export const URL_LIMIT = 2_000

/** The events one can choose, by what they are about. */
export const EVENT_GROUPS = [
  {
    name: 'ticket',
    types: [
      'ticket_created',
      'status_changed',
      'state_changed',
      'priority_changed',
      'subject_changed',
      'service_changed',
      'tags_changed',
      'custom_fields_changed',
      'ticket_snoozed',
      'snooze_ended',
    ],
  },
  {
    name: 'talk',
    types: [
      'comment_added',
      'attachment_added',
      'attachment_blocked',
      'attachment_released',
      'attachment_removed',
    ],
  },
  {
    name: 'people',
    types: ['assignee_changed', 'team_changed', 'requester_changed', 'watcher_added', 'watcher_removed'],
  },
  {
    name: 'links',
    types: [
      'relationship_added',
      'relationship_removed',
      'ticket_merged',
      'merge_received',
      'merge_undone',
      'ticket_split',
    ],
  },
  { name: 'promises', types: ['sla_met', 'sla_warned', 'sla_breached', 'sla_escalated'] },
  {
    name: 'work',
    types: [
      'time_recorded',
      'time_corrected',
      'checklist_changed',
      'approval_requested',
      'approval_decided',
      'approval_cancelled',
      'automation_fired',
    ],
  },
  { name: 'mail', types: ['notice_sent', 'mail_failed', 'survey_sent', 'survey_answered'] },
] as const

export type EventGroup = (typeof EVENT_GROUPS)[number]['name']
export type EventType = (typeof EVENT_GROUPS)[number]['types'][number]

export interface WebhookDraft {
  name: string
  url: string
  /** Whether it is told of everything; then none is chosen. */
  isForAll: boolean
  eventTypes: EventType[]
  includesInternal: boolean
  allowInternal: boolean
  isEnabled: boolean
}

export const BLANK: WebhookDraft = {
  name: '',
  url: '',
  isForAll: true,
  eventTypes: [],
  includesInternal: false,
  allowInternal: false,
  isEnabled: true,
}

/** A webhook as it was read. */
export interface SavedWebhook {
  name: string
  url: string
  eventTypes: readonly (string | null)[]
  includesInternal: boolean
  allowInternal: boolean
  isEnabled: boolean
}

export function draftOf({ eventTypes, ...saved }: SavedWebhook): WebhookDraft {
  const chosen = eventTypes.filter((type) => type !== null) as EventType[]
  const { name, url, includesInternal, allowInternal, isEnabled } = saved
  return {
    name,
    url,
    includesInternal,
    allowInternal,
    isEnabled,
    isForAll: chosen.length === 0,
    eventTypes: chosen,
  }
}

export type DraftFault = 'name' | 'nameLong' | 'url' | 'login' | 'fragment' | 'events'

/** What is still wrong with a draft, in the order of the form. */
export function faultOf({ name, url, isForAll, eventTypes }: WebhookDraft): DraftFault | null {
  if (name.trim() === '') return 'name'
  if ([...name.trim()].length > NAME_LIMIT) return 'nameLong'
  const parsed = URL.canParse(url.trim()) ? new URL(url.trim()) : null
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.href.length > URL_LIMIT) return 'url'
  if (parsed.username || parsed.password) return 'login'
  if (parsed.hash) return 'fragment'
  if (!isForAll && eventTypes.length === 0) return 'events'
  return null
}

/** A draft as it is sent: the address as machines write it. */
export function sent({ isForAll, ...draft }: WebhookDraft) {
  const url = draft.url.trim()
  return {
    ...draft,
    name: draft.name.trim(),
    url: URL.canParse(url) ? new URL(url).href : url,
    eventTypes: isForAll ? [] : draft.eventTypes,
  }
}
