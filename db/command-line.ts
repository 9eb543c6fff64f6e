import { parseArgs, type ParseArgsConfig } from 'node:util'
import { Client, DatabaseError } from 'pg'

/** Ends a command that was not understood, or could not do what it was asked. */
export function refuse(message: string): never {
  console.error(message)
  process.exit(2)
}

/** What stands on the command line, in the options the command knows. */
export function readOptions<const Options extends NonNullable<ParseArgsConfig['options']>>(options: Options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

/** Does something in one transaction; what the database refuses ends the command, and nothing of it stays. */
export async function inTransaction<Result>(
  connectionString: string,
  command: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString, application_name: `atum-${command}` })
  await client.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    refuse(`Nothing was done: ${error.message}`)
  } finally {
    await client.end()
  }
}
