/** What one condition asks of a ticket, in the words of the database. */
export interface Condition {
  field: string
  operator: string
  value?: unknown
}

/** `all` must hold, and of `any` at least one, where there is one. */
export interface Conditions {
  all: Condition[]
  any: Condition[]
}

/** One thing that is done to a ticket: its `type`, and what that needs. */
export interface Action {
  type: string
  [detail: string]: unknown
}

export const STATUSES = ['new', 'open', 'pending', 'on_hold', 'resolved', 'closed'] as const
export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const
export const CHANNELS = ['portal', 'desk', 'mail', 'api'] as const
export const AUDIENCES = ['requester', 'assignee', 'team', 'watchers', 'managers'] as const

/** What stands beside an operator. */
export type ValueKind =
  'status' | 'priority' | 'channel' | 'service' | 'team' | 'agent' | 'tags' | 'text' | 'duration' | 'boolean'

const BY_ID = ['is', 'is_not', 'is_empty', 'is_not_empty'] as const
const BY_AGE = ['older_than', 'newer_than'] as const

/** The conditions that can be put together by hand; others are shown as they are and kept. */
export const FIELDS = {
  status: { operators: ['is', 'is_not'], value: 'status' },
  priority: { operators: ['is', 'is_not', 'at_least', 'at_most'], value: 'priority' },
  channel: { operators: ['is', 'is_not'], value: 'channel' },
  service_id: { operators: BY_ID, value: 'service' },
  team_id: { operators: BY_ID, value: 'team' },
  assignee_id: { operators: BY_ID, value: 'agent' },
  tags: { operators: ['includes_any', 'includes_all', 'includes_none'], value: 'tags' },
  subject: { operators: ['contains', 'contains_not'], value: 'text' },
  created_at: { operators: BY_AGE, value: 'duration' },
  updated_at: { operators: BY_AGE, value: 'duration' },
  last_comment_at: { operators: BY_AGE, value: 'duration' },
  resolved_at: { operators: BY_AGE, value: 'duration' },
  next_due_at: { operators: ['within'], value: 'duration' },
  breached: { operators: ['is'], value: 'boolean' },
  snoozed: { operators: ['is'], value: 'boolean' },
} as const satisfies Record<string, { operators: readonly string[]; value: ValueKind }>

export type Field = keyof typeof FIELDS
export type Operator = (typeof FIELDS)[Field]['operators'][number]

/** What an action needs, by the name it has in the database. */
export type DetailKind = ValueKind | 'visibility' | 'audience' | 'long_text'

/** The actions that can be put together by hand; others are shown as they are and kept. */
export const ACTIONS = {
  set_priority: { priority: 'priority' },
  raise_priority: {},
  set_status: { status: 'status' },
  set_service: { service_id: 'service' },
  set_team: { team_id: 'team' },
  set_assignee: { assignee_id: 'agent' },
  assign_automatically: {},
  add_tags: { tags: 'tags' },
  remove_tags: { tags: 'tags' },
  add_watcher: { user_id: 'agent' },
  snooze: { seconds: 'duration' },
  comment: { visibility: 'visibility', body: 'long_text' },
  notify: { to: 'audience', text: 'text' },
} as const satisfies Record<string, Record<string, DetailKind>>

export type ActionType = keyof typeof ACTIONS

const BLANK: Record<DetailKind, unknown> = {
  status: 'open',
  priority: 'high',
  channel: 'portal',
  service: null,
  team: null,
  agent: null,
  tags: [],
  text: '',
  long_text: '',
  duration: 86_400,
  boolean: true,
  visibility: 'internal',
  audience: 'assignee',
}

const needsValue = (operator: string) => operator !== 'is_empty' && operator !== 'is_not_empty'

/** Whether the editor can show a condition field by field. */
export function isEditable({ field, operator, value }: Condition): boolean {
  if (!Object.hasOwn(FIELDS, field)) return false
  const { operators, value: kind } = FIELDS[field as Field]
  if (!(operators as readonly string[]).includes(operator)) return false
  if (!needsValue(operator)) return true
  if (kind === 'tags') return Array.isArray(value)
  if (kind === 'duration') return typeof value === 'number'
  if (kind === 'boolean') return typeof value === 'boolean'
  return value === null || typeof value === 'string'
}

/** A condition to begin with. */
export const blankCondition = (field: Field): Condition => ({
  field,
  operator: FIELDS[field].operators[0],
  value: BLANK[FIELDS[field].value],
})

/** A condition with another operator, and with a value where that one needs it. */
export function withOperator(condition: Condition, operator: Operator): Condition {
  const { field, value } = condition
  if (!needsValue(operator)) return { field, operator }
  return { field, operator, value: value ?? BLANK[FIELDS[field as Field].value] }
}

/** What is asked beside the operator, or null for nothing. */
export const valueKind = ({ field, operator }: Condition): ValueKind | null =>
  needsValue(operator) && Object.hasOwn(FIELDS, field) ? FIELDS[field as Field].value : null

/** An action to begin with. */
export const blankAction = (type: ActionType): Action => ({
  type,
  ...Object.fromEntries(
    Object.entries(ACTIONS[type]).map(([name, kind]) => [name, BLANK[kind as DetailKind]]),
  ),
})

/** Without the blanks that come with typing, as the database wants it. */
const tidy = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((each) => (typeof each === 'string' ? each.trim() : each)).filter((each) => each !== '')
    : value

const tidied = <Rule extends object>(rule: Rule): Rule =>
  Object.fromEntries(Object.entries(rule).map(([name, value]) => [name, tidy(value)])) as Rule

export const tidyActions = (actions: readonly Action[]): Action[] => actions.map(tidied)

/** Conditions as they are sent: a list that is empty is left out. */
export function tidyConditions({ all, any }: Conditions): Partial<Conditions> {
  return {
    ...(all.length > 0 ? { all: all.map(tidied) } : {}),
    ...(any.length > 0 ? { any: any.map(tidied) } : {}),
  }
}

const rules = <Rule>(value: unknown): Rule[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : []

/** Conditions as they came, which are JSON of any form to the type checker. */
export function readConditions(value: unknown): Conditions {
  const { all, any } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return { all: rules<Condition>(all), any: rules<Condition>(any) }
}

export const readActions = (value: unknown): Action[] => rules<Action>(value)

const isBlank = (value: unknown) =>
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && tidyLength(value) === 0)
const tidyLength = (values: unknown[]) => (tidy(values) as unknown[]).length

/** Whether something in a condition or an action is still to be said. */
export const isUnfinished = (rule: Condition | Action): boolean =>
  Object.entries(rule).some(([name, value]) => {
    // Without a team, service or assignee is something one can set.
    if ('type' in rule && value === null && /^(service|team|assignee)_id$/.test(name)) return false
    return isBlank(value) || value === 0
  })

export const UNITS = { minutes: 60, hours: 3_600, days: 86_400 } as const
export type Unit = keyof typeof UNITS

/** Seconds in the largest unit that tells them in whole numbers. */
export function durationOf(seconds: number): { amount: number; unit: Unit } {
  const unit = (['days', 'hours', 'minutes'] as const).find(
    (each) => seconds % UNITS[each] === 0 && seconds > 0,
  )
  return unit
    ? { amount: seconds / UNITS[unit], unit }
    : { amount: Math.round(seconds / 60), unit: 'minutes' }
}
