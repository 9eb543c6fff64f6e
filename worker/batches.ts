import type { QueryResult } from 'pg'
import type { OrganizationClient } from './organization-task.ts'

// What the functions do at once.
const batch = 1_000

/** Asks for one batch after the other, until one is not full. */
export async function inBatches(client: OrganizationClient, query: string): Promise<void> {
  for (let done = batch; done === batch;) {
    const { rows }: QueryResult<{ done: number }> = await client.query(query)
    done = rows[0]?.done ?? 0
  }
}
