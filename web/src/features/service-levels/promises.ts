/** What is promised, and to which tickets, in the order in which it is shown. */
export const KINDS = ['first_response', 'next_response', 'resolution'] as const
export const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const

export type Kind = (typeof KINDS)[number]
export type Priority = (typeof PRIORITIES)[number]
export type TargetKey = `${Kind} ${Priority}`

export const targetKey = (kind: Kind, priority: Priority): TargetKey => `${kind} ${priority}`
