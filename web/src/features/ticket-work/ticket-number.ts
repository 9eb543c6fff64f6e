/** Postgres keeps numbers as `integer`. */
const LARGEST = 2_147_483_647

/** The number in what somebody typed or pasted: `1042`, the same after a number sign, `ACME-1042` or the address of a ticket. */
export function readTicketNumber(typed: string): number | null {
  const digits = /(?:^|[^\d])(\d+)\/?\s*$/.exec(typed)?.[1]
  const number = Number(digits)
  return digits !== undefined && number > 0 && number <= LARGEST ? number : null
}
