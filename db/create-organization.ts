/**
 * `npm run organization:create -- --slug acme --name "Acme" --admin-email ada@acme.example --admin-name "Ada"` makes an
 * organization with its first admin, and prints the password it made for them. DATABASE_URL names the database, as its
 * owner; without it, the running one is used.
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Client, DatabaseError } from 'pg'
import { requireOwnerUrl } from '../infra/dev/owner-url.ts'

function refuse(message: string): never {
  console.error(message)
  process.exit(2)
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        slug: { type: 'string' },
        name: { type: 'string' },
        'admin-email': { type: 'string' },
        'admin-name': { type: 'string' },
        'time-zone': { type: 'string', default: 'Etc/UTC' },
        locale: { type: 'string', default: 'en' },
        prefix: { type: 'string', default: 'ATUM' },
      },
    }).values
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error))
  }
}

const values = readArguments()
const { slug, name, 'admin-email': email, 'admin-name': adminName } = values
if (!slug || !name || !email || !adminName) {
  refuse('Needed: --slug, --name, --admin-email and --admin-name. Also: --time-zone, --locale, --prefix.')
}
const connectionString = requireOwnerUrl()

const password = randomBytes(15).toString('base64url')
const client = new Client({ connectionString, application_name: 'atum-create-organization' })
await client.connect()
try {
  await client.query('begin')
  await client.query(
    `with organization as (
       select app_private.create_organization($1, $2, $3, $4, $5) as id
     )
     select set_config('atum.organization_id', id::text, true) from organization`,
    [slug, name, values['time-zone'], values.locale, values.prefix],
  )
  await client.query(
    `with admin as (
       insert into app_public.users (organization_id, email, name, role)
       values (app_hidden.current_organization_id(), $1, $2, 'admin')
       returning organization_id, id
     )
     select app_private.set_password(organization_id, id, $3) from admin`,
    [email, adminName, password],
  )
  await client.query('commit')
  console.log(`${name} is there. ${adminName} logs in at the desk as ${email} with the password ${password}`)
} catch (error) {
  if (!(error instanceof DatabaseError)) throw error
  refuse(`Nothing was made: ${error.message}`)
} finally {
  await client.end()
}
