import { expect, it } from 'vitest'
import { relationOf, RELATIONS, relationshipFor } from './relationships.ts'

it.each(RELATIONS)('says %s to the server so that it is read back as the same', (relation) => {
  const said = relationshipFor(relation, 'this', 'other')
  expect(relationOf(said.kind, said.ticketId === 'this' ? 'first' : 'second')).toBe(relation)
})

it('makes the other one the parent, not the child', () => {
  expect(relationshipFor('parent', 'this', 'other')).toEqual({
    ticketId: 'this',
    kind: 'child_of',
    otherTicketId: 'other',
  })
})
