/**
 * `npm run organization:create -- --slug acme --name "Acme" --admin-email ada@acme.example --admin-name "Ada"` makes an
 * organization with its first admin, and prints the link by which the admin comes in. `--prefix` is what its tickets are
 * called by: ACME makes ACME-1001.
 * ATUM_OPERATOR_DATABASE_URL names the database, as its operator, or DATABASE_URL, as its owner; without either, the
 * running one is used.
 */
import { requireOperatorUrl } from '../infra/dev/operator-url.ts'
import { publicLink } from '../infra/dev/public-link.ts'
import { inTransaction, readOptions, refuse } from './command-line.ts'

const values = readOptions({
  slug: { type: 'string' },
  name: { type: 'string' },
  'admin-email': { type: 'string' },
  'admin-name': { type: 'string' },
  'time-zone': { type: 'string', default: 'Etc/UTC' },
  locale: { type: 'string', default: 'en' },
  prefix: { type: 'string', default: 'ATUM' },
})
const { slug, name, 'admin-email': email, 'admin-name': adminName } = values
if (!slug || !name || !email || !adminName) {
  refuse(
    'Needed: --slug, --name, --admin-email and --admin-name. Also: --time-zone, --locale, --prefix (ACME makes tickets ACME-1001).',
  )
}
const connectionString = requireOperatorUrl()

const token = await inTransaction(connectionString, 'create-organization', async (client) => {
  const { rows } = await client.query<{ token: string }>(
    'select app_private.found_organization($1, $2, $3, $4, $5, $6, $7) as token',
    [slug, name, email, adminName, values['time-zone'], values.locale, values.prefix],
  )
  return rows[0]!.token
})
console.log(`${name} is there. By this link, once and within 7 days, ${adminName} chooses a password:\n`)
console.log(`  ${publicLink(`/invitation#token=${token}`, connectionString)}\n`)
console.log(`After that ${email} logs in at the desk.`)
