/** The identifier of a row in a page's address, or null for what cannot be one. */
export function rowId(text: string | undefined): string | null {
  return text && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : null
}
