import type { UserRole } from '../../lib/session.ts'

/** Whom a rule is for: a role, or every role that has no rules of its own. */
export type Audience = 'everybody' | UserRole

export const AUDIENCES = [
  'everybody',
  'admin',
  'manager',
  'agent',
  'customer',
] as const satisfies readonly Audience[]

/** From where a group may come, in effect. */
export type Reach = 'everywhere' | 'own' | 'shared'

export interface RuleGroup<Rule> {
  audience: Audience
  rules: Rule[]
  reach: Reach
}

/** The rules by whom they are for, each group with what holds for it; a role without rules has those for everybody. */
export function groupRules<Rule extends { role: UserRole | null }>(
  rules: readonly Rule[],
): RuleGroup<Rule>[] {
  const isShared = rules.some((rule) => rule.role === null)
  return AUDIENCES.map((audience) => {
    const own = rules.filter((rule) => (rule.role ?? 'everybody') === audience)
    return {
      audience,
      rules: own,
      reach: own.length > 0 ? 'own' : audience !== 'everybody' && isShared ? 'shared' : 'everywhere',
    }
  })
}
