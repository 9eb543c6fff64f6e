/** The number in a ticket's address, or null for what cannot be one. Postgres counts to 2,147,483,647. */
export function ticketNumber(text: string | undefined): number | null {
  if (!text || !/^[1-9]\d{0,9}$/.test(text)) return null
  const number = Number(text)
  return number <= 2_147_483_647 ? number : null
}
