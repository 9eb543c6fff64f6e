let place = ''

/** Remembers which list the inbox showed, for the way back from a ticket. */
export function rememberInboxPlace(search: string): void {
  place = search
}

/** The address of the inbox as it was left. */
export function inboxPlace(): string {
  return place ? `/desk?${place}` : '/desk'
}
