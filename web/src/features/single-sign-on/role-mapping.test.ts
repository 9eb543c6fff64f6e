import { expect, it } from 'vitest'
import { groupFault, groupsOf, mappingOf, newGroup } from './role-mapping.ts'

it.each([null, undefined, 'x', 7, []])('takes %j for no mapping', (mapping) => {
  expect(groupsOf(mapping)).toEqual([])
})

it('leaves out what is no role', () => {
  expect(groupsOf({ helpdesk: 'agent', owners: 'owner', odd: 3 })).toMatchObject([
    { group: 'helpdesk', role: 'agent' },
  ])
})

it('wants each group named, and once', () => {
  const rows = [newGroup('helpdesk'), newGroup(' '), newGroup('helpdesk ', 'admin')]
  expect(rows.map((row) => groupFault(rows, row))).toEqual([null, 'missing', 'twice'])
})

it('gives back what it read, names trimmed', () => {
  const mapping = { helpdesk: 'agent', 'cn=admins,dc=acme': 'admin' }
  expect(mappingOf(groupsOf(mapping))).toEqual(mapping)
  expect(mappingOf([newGroup(' leads ', 'manager')])).toEqual({ leads: 'manager' })
})

it('tells rows apart even with the same name', () => {
  expect(newGroup('a').key).not.toBe(newGroup('a').key)
})
