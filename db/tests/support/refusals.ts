import { type Client, DatabaseError } from 'pg'

/** The SQLSTATE with which a statement was refused, or 'accepted'. */
export async function sqlState(statement: Promise<unknown>): Promise<string> {
  try {
    await statement
    return 'accepted'
  } catch (error) {
    if (error instanceof DatabaseError && error.code) return error.code
    throw error
  }
}

/** As `sqlState`, inside a transaction that goes on afterwards: the statement leaves nothing behind. */
export async function refusal(client: Client, sql: string, values: unknown[] = []): Promise<string> {
  await client.query('savepoint refusal')
  try {
    return await sqlState(client.query(sql, values))
  } finally {
    await client.query('rollback to savepoint refusal')
  }
}
