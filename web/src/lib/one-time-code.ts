/** An authenticator shows six digits. */
export const CODE_LENGTH = 6

/** The digits of what was typed or pasted: apps show "123 456", keyboards of some scripts have digits of their own. */
export function digitsOf(text: string): string {
  return text.normalize('NFKC').replaceAll(/\D/g, '').slice(0, CODE_LENGTH)
}
