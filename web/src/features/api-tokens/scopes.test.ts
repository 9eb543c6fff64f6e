import { expect, it } from 'vitest'
import { knownScope, scopeProblem, scopesFor } from './scopes.ts'

it('offers customers nothing of the staff', () => {
  expect(scopesFor('customer')).toEqual(['read', 'tickets:write'])
  expect(scopesFor('agent')).toContain('admin:write')
})

it.each([
  [[], 'none'],
  [['read'], null],
  [['read', 'tickets:write'], null],
  [['admin:read'], null],
  [['admin:read', 'tickets:write'], 'clash'],
  [['admin:read', 'tickets:write', 'admin:write'], null],
] as const)('%j: %s', (scopes, problem) => {
  expect(scopeProblem(scopes)).toBe(problem)
})

it('does not put words to a scope it does not know', () => {
  expect(knownScope('admin:read')).toBe('admin:read')
  expect(knownScope('constructor')).toBeNull()
  expect(knownScope(null)).toBeNull()
})
