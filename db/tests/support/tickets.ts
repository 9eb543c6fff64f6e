import type { Client } from 'pg'

/** A ticket as the database has it. */
export interface Ticket {
  id: string
  number: number
  [column: string]: unknown
}

/** Opens a ticket as whoever the client has become. */
export async function createTicket(client: Client, values: Record<string, unknown> = {}): Promise<Ticket> {
  const named = { subject: 'No network', body: 'Since this morning', ...values }
  const { rows } = await client.query<Ticket>(
    `select * from app_public.create_ticket(${Object.keys(named)
      .map((name, position) => `${name} => $${position + 1}`)
      .join(', ')})`,
    Object.values(named),
  )
  return rows[0]!
}
