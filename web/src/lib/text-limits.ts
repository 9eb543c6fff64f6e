/** What the server takes as a subject and as a body; a body is also bounded in bytes, which other scripts reach first. */
export const SUBJECT_LIMIT = 200
export const BODY_LIMIT = 50_000
const BODY_BYTES = 65_536

/** What is wrong with the text of a message, if anything. */
export function bodyProblem(body: string): 'empty' | 'long' | null {
  if (body.trim() === '') return 'empty'
  return body.length > BODY_LIMIT || new TextEncoder().encode(body).length > BODY_BYTES ? 'long' : null
}

/** What is wrong with a subject, if anything. Counted in characters as Postgres counts them. */
export function subjectProblem(subject: string): 'empty' | 'long' | null {
  const length = [...subject.trim()].length
  if (length === 0) return 'empty'
  return length > SUBJECT_LIMIT ? 'long' : null
}
