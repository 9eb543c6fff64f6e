import { expect, it } from 'vitest'
import { csvOf } from './csv.ts'

it('writes cells that hold what separates them', () => {
  expect(
    csvOf([
      ['Name', 'Hours'],
      ['Smith, "Bo"\nand sons', 1.5],
    ]),
  ).toBe('\uFEFFName,Hours\r\n"Smith, ""Bo""\nand sons",1.5\r\n')
})

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', ' =cmd()', '\r=1'])('makes no formula of %j', (text) => {
  expect(csvOf([[text]])).toBe(`\uFEFF"'${text}"\r\n`)
})
