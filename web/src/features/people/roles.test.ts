import { expect, it } from 'vitest'
import { includes, RIGHTS, ROLES } from './roles.ts'

it('gives no role a right of the ones above it', () => {
  expect(includes('customer', 'agent')).toBe(false)
  expect(includes('agent', 'manager')).toBe(false)
  expect(includes('manager', 'admin')).toBe(false)
})

it('gives each role what those below it have', () => {
  for (const { from } of RIGHTS) {
    expect(ROLES.filter((role) => includes(role, from))).toEqual(ROLES.slice(ROLES.indexOf(from)))
  }
})
