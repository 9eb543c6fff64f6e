import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { refusalOf, REFUSALS } from './sql-states.ts'

it('calls each refusal as the catalogue does', () => {
  const catalogue = readFileSync(new URL('../../../docs/ERROR_CODES.md', import.meta.url), 'utf8')
  const lines = catalogue.split('\n')
  for (const [sqlState, code] of Object.entries(REFUSALS)) {
    expect(
      lines.some((line) => line.includes(sqlState) && line.includes(code)),
      `${sqlState} ${code}`,
    ).toBe(true)
  }
})

it('has words for each', () => {
  for (const [sqlState, code] of Object.entries(REFUSALS)) expect(refusalOf(sqlState)).toBe(code)
  expect(refusalOf('23514')).toBe('INVALID_INPUT')
})
