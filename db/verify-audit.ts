/**
 * Follows every audit chain from its first record to its head. Prints `VERIFIED <n> rows` for each, or the first
 * record that is not as it was written and why; the exit status is 0 or 1.
 * `--organization slug` checks one. DATABASE_URL names the database, as its owner; without it, the running one is used.
 */
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { requireOwnerUrl } from '../infra/dev/owner-url.ts'

interface Verdict {
  name: string
  checked: string
  verified: boolean
  broken_seq: string | null
  broken_id: string | null
  reason: string | null
}

const { options } = readArguments()

/** A command that was not understood has verified nothing, and found nothing either. */
function readArguments(): { options: { organization?: string | undefined } } {
  try {
    return { options: parseArgs({ options: { organization: { type: 'string' } } }).values }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(2)
  }
}

const connectionString = requireOwnerUrl()

const client = new Client({ connectionString, application_name: 'atum-audit-verify' })
await client.connect()
const { rows } = await client.query<Verdict>(
  `select coalesce(organization.slug, case when scope = app_hidden.platform_scope() then 'platform' else scope::text end) as name,
          verdict.checked, verdict.verified, verdict.broken_seq, verdict.broken_id, verdict.reason
   from app_private.audit_scopes() as scope
   left join app_public.organizations as organization on organization.id = scope
   cross join lateral app_private.verify_audit_chain_of(scope) as verdict
   where $1::text is null or organization.slug = $1
   order by name`,
  [options.organization ?? null],
)
await client.end()

if (options.organization && rows.length === 0) {
  console.error(`There is no organization "${options.organization}".`)
  process.exit(2)
}
for (const { name, checked, verified, broken_seq, broken_id, reason } of rows) {
  if (verified) console.log(`VERIFIED ${checked} rows in the chain of ${name}`)
  else
    console.log(
      `BROKEN at record ${broken_seq}${broken_id ? ` (${broken_id})` : ''} in the chain of ${name}: ${reason}`,
    )
}
process.exitCode = rows.every(({ verified }) => verified) ? 0 : 1
