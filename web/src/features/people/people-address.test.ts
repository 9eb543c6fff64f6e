import { expect, it } from 'vitest'
import { peopleFilter, readPeopleAddress, writePeopleAddress } from './people-address.ts'

const everybody = { search: '', role: 'all', state: 'all' } as const

it('turns an odd address into everybody', () => {
  expect(readPeopleAddress(new URLSearchParams('role=owner&state=dead'))).toEqual(everybody)
  expect(readPeopleAddress(new URLSearchParams({ search: 'x'.repeat(1000) })).search).toHaveLength(254)
})

it('keeps a selection in the address, and nothing for everybody', () => {
  const selection = { search: 'Kr\u00fcger & co', role: 'customer', state: 'invited' } as const
  expect(readPeopleAddress(writePeopleAddress(selection))).toEqual(selection)
  expect(writePeopleAddress(everybody).toString()).toBe('')
})

it('asks for nothing in particular unless told to', () => {
  expect(peopleFilter({ ...everybody, search: '  ' })).toEqual({})
})

it('counts a shut account that was never taken up as shut, not as invited', () => {
  expect(peopleFilter({ ...everybody, state: 'invited' }).disabledAt).toEqual({ isNull: true })
  expect(peopleFilter({ ...everybody, state: 'disabled' })).toEqual({ disabledAt: { isNull: false } })
})

it('looks for a word in the name or the address, within role and state', () => {
  expect(peopleFilter({ search: ' web ', role: 'agent', state: 'active' })).toEqual({
    role: { equalTo: 'agent' },
    activatedAt: { isNull: false },
    disabledAt: { isNull: true },
    or: [{ name: { includesInsensitive: 'web' } }, { email: { includesInsensitive: 'web' } }],
  })
})
