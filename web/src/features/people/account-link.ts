/** Where each kind of link leads. The token stands after the `#`, which no server and no log sees. */
const PLACES: Record<string, string> = { invitation: '/invitation', password_reset: '/reset' }

/** The link to hand over to a person. */
export function accountLink({ purpose, token }: { purpose: string; token: string }, origin: string): string {
  const place = PLACES[purpose]
  if (place === undefined) throw new Error(`No page takes the token of ${purpose}`)
  return `${origin}${place}#token=${encodeURIComponent(token)}`
}
