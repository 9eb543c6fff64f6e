import { expect, it } from 'vitest'
import { knownScope, scopeProblem, scopesFor } from './scopes.ts'

it.each([
  ['customer', ['read', 'tickets:write']],
  ['agent', ['read', 'tickets:write']],
  ['manager', ['read', 'tickets:write', 'admin:read', 'admin:write']],
  ['admin', ['read', 'tickets:write', 'admin:read', 'admin:write']],
] as const)('offers the scopes of a %s', (role, scopes) => {
  expect(scopesFor(role)).toEqual(scopes)
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
