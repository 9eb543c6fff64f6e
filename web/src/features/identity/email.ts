/** What is wrong with an address as far as one can tell here; whether it exists only a mail can tell. */
export function emailProblem(email: string): 'missing' | 'odd' | null {
  const address = email.trim()
  if (address === '') return 'missing'
  return /^[^\s@]+@[^\s@]+$/.test(address) ? null : 'odd'
}
