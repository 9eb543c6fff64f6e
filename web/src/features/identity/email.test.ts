import { expect, it } from 'vitest'
import { emailProblem } from './email.ts'

it.each([
  ['', 'missing'],
  ['  ', 'missing'],
  ['ada', 'odd'],
  ['ada@', 'odd'],
  ['ada @acme.example', 'odd'],
  [' ada@acme.example ', null],
  ['ada@localhost', null],
] as const)('%j is %s', (email, problem) => {
  expect(emailProblem(email)).toBe(problem)
})
