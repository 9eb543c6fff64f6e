export const COMPANY_NAME_LIMIT = 120

/** What is wrong with a company's name. Counted in characters as Postgres counts them. */
export function companyNameFault(name: string): 'missing' | 'long' | null {
  const length = [...name.trim()].length
  if (length === 0) return 'missing'
  return length > COMPANY_NAME_LIMIT ? 'long' : null
}
