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

/** What the rules of the columns that are typed on a command line say, for people. */
const words: Record<string, string> = {
  organizations_slug_key: 'there is an organization called that',
  organizations_slug_check: 'a slug is lower-case letters, digits and single hyphens, like acme',
  organizations_name_check: 'a name has 1 to 120 characters',
  organizations_locale_check: 'a locale is written like en or de-CH',
  organizations_ticket_prefix_check:
    'a prefix is a capital letter and up to nine capitals and digits, like ACME',
  users_email_check: 'the mail address is not one',
  users_name_check: 'a name has 1 to 120 characters',
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
    refuse(`Nothing was done: ${(error.constraint && words[error.constraint]) ?? error.message}`)
  } finally {
    await client.end()
  }
}
