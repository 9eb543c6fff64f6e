import { expect, it } from 'vitest'
import { groupRules } from './rule-groups.ts'

const reaches = (rules: Parameters<typeof groupRules>[0]) =>
  Object.fromEntries(groupRules(rules).map(({ audience, reach }) => [audience, reach]))

it('lets everybody come from everywhere without a rule', () => {
  expect(new Set(Object.values(reaches([])))).toEqual(new Set(['everywhere']))
})

it('holds every role to the rules for everybody, but one that has its own', () => {
  expect(reaches([{ role: null }, { role: 'admin' }])).toEqual({
    everybody: 'own',
    admin: 'own',
    manager: 'shared',
    agent: 'shared',
    customer: 'shared',
  })
})

it('leaves the others alone when only one role has rules', () => {
  expect(reaches([{ role: 'admin' }])).toMatchObject({ everybody: 'everywhere', agent: 'everywhere' })
})

it('keeps the order of the rules inside their group', () => {
  const rules = [
    { role: 'agent' as const, n: 1 },
    { role: null, n: 2 },
    { role: 'agent' as const, n: 3 },
  ]
  expect(
    groupRules(rules)
      .find(({ audience }) => audience === 'agent')
      ?.rules.map(({ n }) => n),
  ).toEqual([1, 3])
})
