/** What the server asks of a new password; that it is not one many people use only the server can tell. */
export const PASSWORD_MINIMUM = 10
/** More than this bcrypt does not read. */
const PASSWORD_BYTES = 72

/** How many characters a password still needs, counted as Postgres counts them. */
export function charactersMissing(password: string): number {
  return Math.max(0, PASSWORD_MINIMUM - [...password].length)
}

/** What is wrong with a new password as far as one can tell here, if anything. */
export function passwordProblem(password: string): 'empty' | 'short' | 'long' | null {
  if (password === '') return 'empty'
  if (charactersMissing(password) > 0) return 'short'
  return new TextEncoder().encode(password).length > PASSWORD_BYTES ? 'long' : null
}
