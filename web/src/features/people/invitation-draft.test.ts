import { expect, it } from 'vitest'
import { BLANK_INVITATION, emailFault, invitationOf, nameFault } from './invitation-draft.ts'

it.each([
  ['', 'missing'],
  ['  ', 'missing'],
  ['ada', 'odd'],
  ['ada@', 'odd'],
  ['a b@acme.example', 'odd'],
  [`${'a'.repeat(250)}@b.de`, 'odd'],
  [' ada@acme.example ', null],
] as const)('takes %j for an address: %j', (email, fault) => {
  expect(emailFault(email)).toBe(fault)
})

it('counts a name in characters', () => {
  expect(nameFault(' ')).toBe('missing')
  expect(nameFault('😀'.repeat(120))).toBeNull()
  expect(nameFault('😀'.repeat(121))).toBe('long')
})

it('sends neither teams for a customer nor a company for the team, whatever was chosen before', () => {
  const draft = {
    ...BLANK_INVITATION,
    email: ' ada@acme.example ',
    name: ' Ada ',
    company: { rowId: 'c1', name: 'Engines' },
    teamIds: ['t1'],
  }
  expect(invitationOf(draft)).toEqual({
    email: 'ada@acme.example',
    name: 'Ada',
    role: 'customer',
    companyId: 'c1',
    teamIds: [],
  })
  expect(invitationOf({ ...draft, role: 'agent' })).toMatchObject({ companyId: null, teamIds: ['t1'] })
})
