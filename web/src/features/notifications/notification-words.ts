import type words from './locales/en.json'

/** What a notification says, as far as the API has it. */
export interface Told {
  kind: string
  facts: unknown
  /** Null when the reader does not see it, or when it is about none. */
  ticket: { number: number } | null
}

/** The names of the sentences in `locales/en.json`. */
export type Sentence = keyof (typeof words)['said']

/** The sentence of a notification and what stands in it. */
export interface Words {
  sentence: Sentence
  actor: string | null
  status: Status | null
  target: Target | null
  score: string | null
  /** The ticket, as it was called then. */
  subject: string | null
  /** What was said or asked, or went wrong. */
  detail: string | null
  dueAt: string | null
  /** How many files wait for the scanner. */
  waiting: number | null
}

type Facts = Readonly<Record<string, unknown>>
type Status = (typeof STATUSES)[number]
type Target = (typeof TARGETS)[number]

const STATUSES = ['new', 'open', 'pending', 'on_hold', 'resolved', 'closed'] as const
const TARGETS = ['first_response', 'next_response', 'resolution'] as const

const ALERTS: Readonly<Record<string, Sentence>> = {
  file_blocked: 'fileBlockedAlert',
  scanner_away: 'scannerAway',
  mail_failed: 'mailFailedAlert',
  mail_not_taken: 'mailNotTaken',
  mailbox_silent: 'mailboxSilent',
  webhook_disabled: 'webhookDisabled',
}

const ALERT_PLACES: Readonly<Record<string, string>> = {
  file_blocked: '/desk/admin/quarantine',
  scanner_away: '/desk/admin/quarantine',
  mail_failed: '/desk/admin/outbox',
  mail_not_taken: '/desk/admin/incoming-mail',
  mailbox_silent: '/desk/admin/mailboxes',
  webhook_disabled: '/desk/admin/webhooks',
}

const factsOf = (facts: unknown): Facts =>
  typeof facts === 'object' && facts !== null ? (facts as Facts) : {}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

const oneOf = <Word extends string>(words: readonly Word[], value: unknown): Word | null =>
  words.find((word) => word === value) ?? null

function sentenceOf(kind: string, facts: Facts): Sentence {
  const { event, status, decision } = facts
  if (kind === 'alert') return ALERTS[String(facts['alert'])] ?? 'other'
  if (kind === 'mention') return 'mentioned'
  if (kind === 'acknowledgement') return facts['actor_name'] ? 'openedForYou' : 'received'
  switch (event) {
    case 'ticket_created':
      return 'opened'
    case 'team_changed':
      return 'came'
    case 'assignee_changed':
      return facts['actor_name'] ? 'assigned' : 'assignedByItself'
    case 'comment_added':
      if (kind === 'note') return 'noted'
      if (status === 'resolved' || status === 'closed') return 'repliedAndResolved'
      return status === 'open' ? 'reopened' : 'replied'
    case 'status_changed':
      if (status === 'resolved') return 'resolved'
      return status === 'closed' ? 'closed' : 'status'
    case 'approval_requested':
      return 'asksApproval'
    case 'approval_decided':
      return decision === 'approved' ? 'approved' : 'declined'
    case 'sla_warned':
      return 'slaWarned'
    case 'sla_breached':
      return 'slaBreached'
    case 'sla_escalated':
      return 'slaEscalated'
    case 'notice_sent':
      return 'notice'
    case 'mail_failed':
      return 'mailFailed'
    case 'attachment_blocked':
      return 'fileBlocked'
    case 'survey_answered':
      return facts['score'] === undefined ? 'ratedSomehow' : 'rated'
    default:
      return 'other'
  }
}

/** What a notification says, in the names of that time. */
export function wordsOf({ kind, facts: given }: Pick<Told, 'kind' | 'facts'>): Words {
  const facts = factsOf(given)
  const reference = text(facts['reference'])
  const subject = text(facts['subject'])
  const waiting = facts['waiting']
  return {
    sentence: sentenceOf(kind, facts),
    actor: text(facts['actor_name']),
    status: oneOf(STATUSES, facts['status']),
    target: oneOf(TARGETS, facts['target']),
    score: facts['score'] === undefined ? null : String(facts['score']),
    subject: subject && (reference ? `${reference} ${subject}` : subject),
    detail:
      text(facts['excerpt']) ??
      text(facts['text']) ??
      text(facts['question']) ??
      text(facts['name']) ??
      text(facts['address']),
    dueAt: text(facts['due_at']),
    waiting: typeof waiting === 'number' ? waiting : null,
  }
}

/** Where a notification leads: its ticket, what an alert is about, or where the question is answered. */
export function placeOf({ kind, facts: given, ticket }: Told, isStaff: boolean): string | null {
  const base = isStaff ? '/desk' : '/portal'
  if (ticket) return `${base}/tickets/${ticket.number}`
  if (kind === 'alert') return ALERT_PLACES[String(factsOf(given)['alert'])] ?? '/desk/admin'
  // Whoever decides without seeing the ticket does so on the first page.
  return kind === 'approval' ? base : null
}

/** A day as the reader's clock has it, for headings. */
export function dayOf(at: string): string {
  const date = new Date(at)
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`
}

export interface DayGroup<Entry> {
  day: string
  entries: Entry[]
}

/** A list that is in order, by days. */
export function byDay<Entry extends { createdAt: string }>(entries: readonly Entry[]): DayGroup<Entry>[] {
  const groups: DayGroup<Entry>[] = []
  for (const entry of entries) {
    const day = dayOf(entry.createdAt)
    const last = groups.at(-1)
    if (last?.day === day) last.entries.push(entry)
    else groups.push({ day, entries: [entry] })
  }
  return groups
}
