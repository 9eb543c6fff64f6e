import { expect, it } from 'vitest'
import { companyNameFault } from './company-name.ts'

it.each([
  ['', 'missing'],
  [' \t', 'missing'],
  ['x'.repeat(121), 'long'],
  [` ${'😀'.repeat(120)} `, null],
  ['Tidewater Marine', null],
] as const)('takes %j for a name: %j', (name, fault) => {
  expect(companyNameFault(name)).toBe(fault)
})
