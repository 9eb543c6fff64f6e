import { expect, test } from 'vitest'
import { BLANK_TEMPLATE, templateFault, templateOf } from './template-draft.ts'

const named = { ...BLANK_TEMPLATE, name: ' New colleague ' }

test('what is saved is trimmed, and nothing is null', () => {
  expect(
    templateOf({ ...named, subject: ' ', tags: ' hr, , laptop ', checklist: ' Badge \n\nDesk' }),
  ).toEqual({
    name: 'New colleague',
    subject: null,
    body: null,
    priority: 'normal',
    serviceId: null,
    tags: ['hr', 'laptop'],
    checklist: ['Badge', 'Desk'],
    seenByCustomers: false,
  })
})

test('a name is enough', () => {
  expect(templateFault(named)).toBeNull()
})

test.each([
  ['nameMissing', { name: '  ' }],
  ['nameLong', { name: 'x'.repeat(81) }],
  ['subjectLong', { subject: 'x'.repeat(201) }],
  ['tags', { tags: 'x'.repeat(41) }],
  ['tags', { tags: 'a "quoted" one' }],
  ['tags', { tags: Array.from({ length: 31 }, (_, index) => `tag ${index}`).join(',') }],
  ['checklist', { checklist: 'x'.repeat(501) }],
  ['checklist', { checklist: 'Step\n'.repeat(101) }],
] as const)('%s is told', (fault, part) => {
  expect(templateFault({ ...named, ...part })).toBe(fault)
})
