import type { Priority } from '../../components/priority-mark.tsx'
import type { Status } from '../../components/status-glyph.tsx'
import {
  readConditions as readRules,
  tidyConditions,
  type Condition,
  type Conditions,
} from '../../lib/ticket-rules.ts'

export const STATUSES = [
  'new',
  'open',
  'pending',
  'on_hold',
  'resolved',
  'closed',
] as const satisfies readonly Status[]
export const LEAST_PRIORITIES = ['any', 'normal', 'high', 'urgent'] as const satisfies readonly (
  Priority | 'any'
)[]
export const ASSIGNEES = ['anybody', 'me', 'nobody'] as const
export const COLUMNS = [
  'reference',
  'subject',
  'status',
  'priority',
  'requester',
  'company',
  'assignee',
  'team',
  'service',
  'tags',
  'due',
  'created',
  'updated',
] as const
export const SORTS = ['updated', 'created', 'due', 'priority'] as const
export const VISIBILITIES = ['personal', 'team', 'shared'] as const

export type Column = (typeof COLUMNS)[number]

/** The conditions of a view as the dialog asks for them. */
export interface ConditionDraft {
  statuses: Status[]
  leastPriority: (typeof LEAST_PRIORITIES)[number]
  assignee: (typeof ASSIGNEES)[number]
  /** The row id of a team; empty for any. */
  teamId: string
  /** Separated by commas; one of them is enough. */
  tags: string
  onlyBreached: boolean
  /** What the fields above have no place for. */
  others: Condition[]
  /** One of these is enough, where there are any. */
  anyOf: Condition[]
}

export const NO_CONDITIONS: ConditionDraft = {
  statuses: ['new', 'open'],
  leastPriority: 'any',
  assignee: 'anybody',
  teamId: '',
  tags: '',
  onlyBreached: false,
  others: [],
  anyOf: [],
}

const wordsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((word) => typeof word === 'string')

const isOneOf = <Word extends string>(words: readonly Word[], word: unknown): word is Word =>
  words.includes(word as Word)

/** Takes conditions apart into the fields of the dialog. */
export function readConditions(conditions: unknown): ConditionDraft {
  const { all, any } = readRules(conditions)
  const draft: ConditionDraft = { ...NO_CONDITIONS, statuses: [], others: [], anyOf: any }
  for (const listed of all) {
    const { field, operator, value } = listed
    const words = wordsOf(value)
    if (field === 'status' && operator === 'is' && draft.statuses.length === 0) {
      draft.statuses = STATUSES.filter((status) => words.includes(status))
    } else if (field === 'priority' && operator === 'at_least' && isOneOf(LEAST_PRIORITIES, value)) {
      draft.leastPriority = value
    } else if (field === 'assignee_id' && operator === 'is_empty') draft.assignee = 'nobody'
    else if (field === 'assignee_id' && operator === 'is' && words.join() === 'me') draft.assignee = 'me'
    else if (field === 'team_id' && operator === 'is' && words.length === 1) draft.teamId = words[0] as string
    else if (field === 'tags' && operator === 'includes_any' && draft.tags === '')
      draft.tags = words.join(', ')
    else if (field === 'breached' && operator === 'is' && value === true) draft.onlyBreached = true
    else draft.others.push(listed)
  }
  return draft
}

/** Puts the fields of the dialog together. */
export function writeConditions(draft: ConditionDraft): Partial<Conditions> {
  const tags = draft.tags
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  const all: Condition[] = []
  if (draft.statuses.length > 0) all.push({ field: 'status', operator: 'is', value: draft.statuses })
  if (draft.leastPriority !== 'any')
    all.push({ field: 'priority', operator: 'at_least', value: draft.leastPriority })
  if (draft.assignee === 'me') all.push({ field: 'assignee_id', operator: 'is', value: 'me' })
  if (draft.assignee === 'nobody') all.push({ field: 'assignee_id', operator: 'is_empty' })
  if (draft.teamId !== '') all.push({ field: 'team_id', operator: 'is', value: draft.teamId })
  if (tags.length > 0) all.push({ field: 'tags', operator: 'includes_any', value: tags })
  if (draft.onlyBreached) all.push({ field: 'breached', operator: 'is', value: true })
  all.push(...draft.others)
  return tidyConditions({ all, any: draft.anyOf })
}
