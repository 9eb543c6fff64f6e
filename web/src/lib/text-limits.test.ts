import { expect, it } from 'vitest'
import { BODY_LIMIT, bodyProblem, SUBJECT_LIMIT, subjectProblem } from './text-limits.ts'

it.each(['', '   ', '\n\t'])('refuses the empty body %j', (body) => {
  expect(bodyProblem(body)).toBe('empty')
})

it('refuses a body that is too long in characters or, in other scripts, in bytes', () => {
  expect(bodyProblem('a'.repeat(BODY_LIMIT))).toBeNull()
  expect(bodyProblem('a'.repeat(BODY_LIMIT + 1))).toBe('long')
  expect(bodyProblem('日'.repeat(21_845))).toBeNull()
  expect(bodyProblem('日'.repeat(21_846))).toBe('long')
})

it('counts a subject as the database does: trimmed, in characters', () => {
  expect(subjectProblem('  ')).toBe('empty')
  expect(subjectProblem(` ${'😀'.repeat(SUBJECT_LIMIT)} `)).toBeNull()
  expect(subjectProblem('a'.repeat(SUBJECT_LIMIT + 1))).toBe('long')
})
