import { Client } from 'pg'

/** Connections of one test file, closed together. */
export interface Connections {
  open: (url: string) => Promise<Client>
  close: () => Promise<void>
}

export function connections(): Connections {
  const opened: Client[] = []
  return {
    open: async (connectionString) => {
      const client = new Client({ connectionString })
      await client.connect()
      // A test that would wait for ever fails instead, with a SQLSTATE that says on what.
      await client.query(`set lock_timeout = '12s'; set statement_timeout = '15s'`)
      opened.push(client)
      return client
    },
    close: async () => {
      await Promise.all(opened.map((client) => client.end()))
    },
  }
}

/** The one value of the one row. */
export async function value<T>(client: Client, sql: string, values: unknown[] = []): Promise<T> {
  const { rows } = await client.query({ text: sql, values, rowMode: 'array' })
  const [first] = rows as unknown[][]
  if (!first) throw new Error(`No row: ${sql}`)
  return first[0] as T
}
