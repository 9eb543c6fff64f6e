/** One thing a macro does, as the API keeps it. */
export interface MacroAction {
  type: string
  [field: string]: unknown
}

/** What this screen can set up. A macro made by a program may do more, which is shown and kept as it is. */
export const ACTION_TYPES = [
  'set_state',
  'set_priority',
  'raise_priority',
  'set_team',
  'set_assignee',
  'assign_to_me',
  'add_tags',
  'remove_tags',
  'comment',
] as const
export type ActionType = (typeof ACTION_TYPES)[number]

/** An action as it begins, before anything was chosen. */
export function blankAction(type: ActionType): MacroAction {
  switch (type) {
    case 'set_state':
      return { type, state_id: null }
    case 'set_priority':
      return { type, priority: 'high' }
    case 'set_team':
      return { type, team_id: null }
    case 'set_assignee':
      return { type, assignee_id: null }
    case 'add_tags':
    case 'remove_tags':
      return { type, tags: [] }
    case 'comment':
      return { type, visibility: 'public', body: '' }
    default:
      return { type }
  }
}

export const isKnown = (type: string): type is ActionType =>
  (ACTION_TYPES as readonly string[]).includes(type)

/** Tags as they are typed, with commas between. */
export const tagsOf = (typed: string): string[] =>
  typed
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')

/** What is still missing of an action, or null. */
export function actionFault(action: MacroAction): 'state' | 'tags' | 'body' | null {
  switch (action.type) {
    case 'set_state':
      return typeof action['state_id'] === 'string' ? null : 'state'
    case 'add_tags':
    case 'remove_tags':
      return Array.isArray(action['tags']) && action['tags'].length > 0 ? null : 'tags'
    case 'comment':
      return typeof action['body'] === 'string' && action['body'].trim() !== '' ? null : 'body'
    default:
      return null
  }
}

/** The actions of a macro as the API gives them: JSON of which nothing is known yet. */
export function readActions(value: unknown): MacroAction[] {
  if (!Array.isArray(value)) return []
  return value.filter(
    (action): action is MacroAction =>
      typeof action === 'object' && action !== null && typeof (action as MacroAction).type === 'string',
  )
}
