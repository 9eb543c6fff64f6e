/**
 * `npm run break-glass -- --organization acme --email ada@acme.example` lets an admin in again when nobody gets in any
 * more: by a wrong IP rule, an identity provider that is gone, a shut account, a forgotten password. It says what it
 * will do and does it with `--yes`; with `--reset-two-factor` it also forgets a lost second factor. All of it is in the
 * organization's audit log. DATABASE_URL names the database, as its owner; without it, the running one is used.
 */
import { hostname, userInfo } from 'node:os'
import { type Client } from 'pg'
import { requireOwnerUrl } from '../infra/dev/owner-url.ts'
import { publicLink } from '../infra/dev/public-link.ts'
import { inTransaction, readOptions, refuse } from './command-line.ts'

interface Situation {
  organization_id: string
  organization_name: string
  is_suspended: boolean
  ip_rules: number
  local_login: boolean
  user_id: string | null
  role: string | null
  is_disabled: boolean
  has_second_factor: boolean
}

const {
  organization: slug,
  email,
  'reset-two-factor': resetTwoFactor,
  yes,
} = readOptions({
  organization: { type: 'string' },
  email: { type: 'string' },
  'reset-two-factor': { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
})
if (!slug || !email) refuse('Needed: --organization and --email. Also: --reset-two-factor, --yes.')
const connectionString = requireOwnerUrl()

const outcome = await inTransaction(connectionString, 'break-glass', async (client) => {
  const situation = await situationOf(client, slug, email)
  if (!situation) return { refused: `There is no organization "${slug}".` }
  if (!situation.user_id) return { refused: `${situation.organization_name} has no ${email}.` }
  if (situation.role !== 'admin')
    return { refused: `${email} is no admin of ${situation.organization_name}.` }
  if (situation.is_suspended) {
    return { refused: `${situation.organization_name} is suspended: open it with organization:resume first.` }
  }

  console.log(`In ${situation.organization_name} this will`)
  for (const line of intentions(situation, email)) console.log(`  - ${line}`)
  console.log()
  return yes ? { token: await breakGlass(client, situation) } : {}
})

if (outcome.refused) refuse(outcome.refused)
if (!outcome.token) refuse('Nothing was done yet: say --yes to do it.')
console.log(`It is done. The link, for ${email} and nobody else:\n`)
console.log(`  ${publicLink(`/reset#token=${outcome.token}`, connectionString)}`)

async function situationOf(client: Client, slug: string, email: string): Promise<Situation | undefined> {
  const { rows } = await client.query<Situation>(
    `select
       organization.id as organization_id, organization.name as organization_name,
       organization.suspended_at is not null as is_suspended,
       (select count(*)::integer from app_public.ip_rules as rule where rule.organization_id = organization.id) as ip_rules,
       policy.local_login,
       person.id as user_id, person.role, person.disabled_at is not null as is_disabled,
       exists (
         select
         from app_private.authenticators as authenticator
         where authenticator.organization_id = person.organization_id and authenticator.user_id = person.id
           and authenticator.confirmed_at is not null
       ) as has_second_factor
     from app_public.organizations as organization
     join app_public.security_policies as policy on policy.organization_id = organization.id
     left join app_public.users as person on person.organization_id = organization.id and person.email = $2
     where organization.slug = $1`,
    [slug, email],
  )
  return rows[0]
}

function intentions(situation: Situation, email: string): string[] {
  const { ip_rules, local_login, is_disabled, has_second_factor } = situation
  return [
    ip_rules > 0
      ? `remove its IP rules, ${ip_rules} of them, so that people may come from everywhere`
      : 'find no IP rules to remove',
    local_login ? 'leave login by password on' : 'turn login by password on, for everybody',
    is_disabled ? `open the account of ${email} again` : `keep the account of ${email} open`,
    `forget the failed logins of ${email}`,
    ...(resetTwoFactor ? [`forget the second factor of ${email}`] : []),
    `make a link by which ${email} chooses a new password, once and within an hour`,
    ...(has_second_factor && !resetTwoFactor ? ['ask for the second factor as before'] : []),
    'write all of it into the audit log of the organization',
  ]
}

async function breakGlass(client: Client, situation: Situation): Promise<string> {
  const { organization_id: organizationId, user_id: userId } = situation
  await client.query(
    `select set_config('atum.organization_id', $1, true), set_config('atum.request_id', $2, true)`,
    [organizationId, `break-glass:${userInfo().username}@${hostname()}`],
  )
  await client.query(`select app_private.append_audit($1, 'break_glass', 'app_public.users', $2, null, $3)`, [
    organizationId,
    userId,
    {
      ip_rules_removed: situation.ip_rules,
      local_login_turned_on: !situation.local_login,
      account_opened: situation.is_disabled,
      two_factor_reset: resetTwoFactor,
    },
  ])
  await client.query('delete from app_public.ip_rules where organization_id = $1', [organizationId])
  await client.query(
    'update app_public.security_policies set local_login = true where organization_id = $1 and not local_login',
    [organizationId],
  )
  await client.query(
    'update app_public.users set disabled_at = null where organization_id = $1 and id = $2 and disabled_at is not null',
    [organizationId, userId],
  )
  if (resetTwoFactor) {
    await client.query(
      `select app_private.remove_two_factor(person) from app_public.users as person
       where person.organization_id = $1 and person.id = $2`,
      [organizationId, userId],
    )
  }
  await forgetFailures(client, situation)
  return makeLink(client, situation)
}

// Failures are counted under hashes; the addresses they came from are in the audit log.
async function forgetFailures(client: Client, situation: Situation): Promise<void> {
  await client.query(
    `delete from app_private.login_failures as failure
     using (
       select null::inet as ip_address
       union
       select link.ip_address
       from app_public.audit_log as link
       where link.organization_id = $1 and link.row_id = $2::uuid
         and link.operation in ('login_failed', 'two_factor_failed') and link.recorded_at > now() - interval '1 day'
     ) as place
     cross join unnest(array[$2::uuid::text, $2::uuid::text || ' second factor']) as account
     cross join lateral app_private.login_throttles(account, place.ip_address) as throttle
     where failure.key = throttle.key and throttle.key !~ '^address:'`,
    [situation.organization_id, situation.user_id],
  )
}

async function makeLink(client: Client, situation: Situation): Promise<string> {
  const { organization_id: organizationId, user_id: userId } = situation
  await client.query(`select app_private.spend_links_of($1, $2, 'password_reset')`, [organizationId, userId])
  const { rows: made } = await client.query<{ id: string }>(
    `insert into app_private.account_mails (organization_id, user_id, purpose, expires_at, delivery)
     values ($1, $2, 'password_reset', now() + interval '1 hour', 'handed_over')
     returning id`,
    [organizationId, userId],
  )
  const { rows: issued } = await client.query<{ token: string }>(
    'select app_private.issue_account_token($1) as token',
    [made[0]!.id],
  )
  return issued[0]!.token
}
