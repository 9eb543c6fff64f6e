import type { Problem } from '../graphql/errors.ts'

/** The part of a refusal that is about the new password and belongs to its field. */
export function passwordRefusal(
  problem: Problem | null,
): 'PASSWORD_COMMON' | 'PASSWORD_TOO_SHORT' | 'PASSWORD_TOO_LONG' | null {
  switch (problem?.code) {
    case 'PASSWORD_COMMON':
    case 'PASSWORD_TOO_SHORT':
    case 'PASSWORD_TOO_LONG':
      return problem.code
    default:
      return null
  }
}
