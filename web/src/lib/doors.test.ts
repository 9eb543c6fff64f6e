import { expect, it } from 'vitest'
import { doorOf, forgotPath, signInPath } from './doors.ts'

it('has an address for each door, with and without an organization', () => {
  expect(signInPath('portal', null)).toBe('/portal/login')
  expect(signInPath('desk', null)).toBe('/desk/login')
  expect(signInPath('portal', 'acme')).toBe('/o/acme')
  expect(signInPath('desk', 'acme')).toBe('/o/acme/desk')
  expect(forgotPath('desk', null)).toBe('/desk/forgot')
  expect(forgotPath('portal', 'acme')).toBe('/o/acme/forgot')
  expect(signInPath('portal', '../desk')).toBe('/o/..%2Fdesk')
})

it.each([
  [null, 'portal'],
  ['/portal/tickets/7', 'portal'],
  ['/desk', 'desk'],
  ['/desk?view=mine', 'desk'],
  ['/deskevil', 'portal'],
] as const)('finds the door of %j', (path, door) => {
  expect(doorOf(path)).toBe(door)
})
