/** What this ticket is to the other one, in the order of the panel. */
export const RELATIONS = [
  'parent',
  'child',
  'original',
  'duplicate',
  'blocked_by',
  'blocks',
  'related',
] as const
export type Relation = (typeof RELATIONS)[number]

export type Kind = 'child_of' | 'duplicate_of' | 'blocks' | 'relates_to'

const SEEN: Record<Kind, { first: Relation; second: Relation }> = {
  child_of: { first: 'parent', second: 'child' },
  duplicate_of: { first: 'original', second: 'duplicate' },
  blocks: { first: 'blocks', second: 'blocked_by' },
  relates_to: { first: 'related', second: 'related' },
}

/** What the other ticket is to this one, which is the first or the second of the two. */
export function relationOf(kind: Kind, place: 'first' | 'second'): Relation {
  return SEEN[kind][place]
}

/** How the server is told that the other ticket is to be this to the one at hand. */
export function relationshipFor(
  relation: Relation,
  ticketId: string,
  otherTicketId: string,
): { ticketId: string; kind: Kind; otherTicketId: string } {
  for (const kind of Object.keys(SEEN) as Kind[]) {
    if (SEEN[kind].first === relation) return { ticketId, kind, otherTicketId }
    if (SEEN[kind].second === relation) return { ticketId: otherTicketId, kind, otherTicketId: ticketId }
  }
  throw new Error(`There is no relation ${relation}`)
}
