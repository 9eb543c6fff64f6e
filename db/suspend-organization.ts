/**
 * `npm run organization:suspend -- --slug acme` closes an organization for a time: within a second nobody of it gets in
 * and its sockets close. `npm run organization:resume -- --slug acme` opens it again, with all that it had.
 * ATUM_OPERATOR_DATABASE_URL names the database, as its operator, or DATABASE_URL, as its owner; without either, the
 * running one is used.
 */
import { requireOperatorUrl } from '../infra/dev/operator-url.ts'
import { inTransaction, readOptions, refuse } from './command-line.ts'

const { slug, resume } = readOptions({
  slug: { type: 'string' },
  resume: { type: 'boolean', default: false },
})
if (!slug) refuse('Needed: --slug.')

const found = await inTransaction(requireOperatorUrl(), 'suspend-organization', async (client) => {
  const { rows } = await client.query<{ found: boolean }>(
    'select app_private.suspend_organization($1, suspended => $2) as found',
    [slug, !resume],
  )
  return rows[0]!.found
})
if (!found) refuse(`There is no organization "${slug}".`)
console.log(resume ? `${slug} is open.` : `${slug} is closed. Open it again with organization:resume.`)
