import { beforeEach, expect, test } from 'vitest'
import { setInstallation } from '../support/commands.ts'
import { value } from '../support/connections.ts'

const installation = setInstallation()
const { run } = installation
const password = 'correct horse battery staple'
const elsewhere = '203.0.113.9'

let made = 0
let slug: string
let email: string
let organizationId: string
let adminId: string

const only = <T>(sql: string, values: unknown[] = []) => value<T>(installation.superuser, sql, values)

const logIn = (secret: string, address = '192.0.2.7') =>
  value<{ outcome: string; retryAfterSeconds?: number }>(
    installation.server,
    `select app_private.log_in($1, $2, null, false, $3, 'a browser')`,
    [email, secret, address],
  )

const breakGlass = (...more: string[]) =>
  run('break-glass', ['--organization', slug, '--email', email, ...more], {
    DATABASE_URL: installation.ownerUrl,
    ATUM_PUBLIC_URL: 'https://desk.example.com',
  })

const tokenIn = (words: string) =>
  /\n {2}https:\/\/desk\.example\.com\/reset#token=([0-9a-f]{64})\n/.exec(words)?.[1] ?? ''

/** An organization whose admin is kept out by everything at once. */
beforeEach(async () => {
  made += 1
  slug = `acme${made}`
  email = `ada@${slug}.test`
  organizationId = await only<string>('select app_private.create_organization($1, $1)', [slug])
  const person = (address: string, role: string) =>
    only<string>(
      `insert into app_public.users (organization_id, email, name, role) values ($1, $2, 'Somebody', $3) returning id`,
      [organizationId, address, role],
    )
  adminId = await person(email, 'admin')
  await person(`bob@${slug}.test`, 'admin')
  await person(`carol@${slug}.test`, 'manager')
  await only('select app_private.set_password($1, $2, $3)', [organizationId, adminId, password])
  for (let failure = 0; failure < 22; failure += 1) {
    await only(`select app_private.count_login_failure($1, '${elsewhere}')`, [adminId])
  }
  // What the failures leave in the log, from where they came.
  await installation.superuser.query('begin')
  await only(`select set_config('atum.ip_address', '${elsewhere}', true)`)
  await only(`select app_private.append_audit($1, 'login_failed', 'app_public.users', $2, null, null)`, [
    organizationId,
    adminId,
  ])
  await installation.superuser.query('commit')
  await installation.superuser.query(
    `insert into app_public.ip_rules (organization_id, network) values ($1, '198.51.100.0/24'), ($1, '2001:db8::/32')`,
    [organizationId],
  )
  await installation.superuser.query(
    'update app_public.security_policies set local_login = false where organization_id = $1',
    [organizationId],
  )
  await installation.superuser.query('update app_public.users set disabled_at = now() where id = $1', [
    adminId,
  ])
  await installation.superuser.query(
    `insert into app_private.authenticators (organization_id, user_id, sealed, confirmed_at) values ($1, $2, 'v1.x', now())`,
    [organizationId, adminId],
  )
})

const situation = async () => {
  const { rows } = await installation.superuser.query<{
    rules: number
    local_login: boolean
    disabled: boolean
    second_factor: boolean
  }>(
    `select
       (select count(*)::int from app_public.ip_rules as rule where rule.organization_id = policy.organization_id) as rules,
       policy.local_login, person.disabled_at is not null as disabled,
       exists (select from app_private.authenticators as authenticator where authenticator.user_id = person.id) as second_factor
     from app_public.security_policies as policy join app_public.users as person on person.id = $1
     where policy.organization_id = $2`,
    [adminId, organizationId],
  )
  return rows[0]
}

test('says what it would do, and does nothing without --yes', async () => {
  const before = await situation()
  await expect(breakGlass()).rejects.toThrow(
    [
      `In ${slug} this will`,
      '  - remove its IP rules, 2 of them, so that people may come from everywhere',
      '  - turn login by password on, for everybody',
      `  - open the account of ${email} again`,
      `  - forget the failed logins of ${email}`,
      `  - make a link by which ${email} chooses a new password, once and within an hour`,
      '  - ask for the second factor as before',
      '  - write all of it into the audit log of the organization',
      '',
      'Nothing was done yet: say --yes to do it.',
    ].join('\n'),
  )
  expect(await situation()).toEqual(before)
})

test('lets the admin in again by a link that works once', async () => {
  expect(await logIn(password, elsewhere)).toMatchObject({ outcome: 'too_many_attempts' })
  const token = tokenIn(await breakGlass('--yes'))
  expect(await situation()).toEqual({ rules: 0, local_login: true, disabled: false, second_factor: true })
  // From where somebody guessed, too.
  expect(await logIn('a wrong password', elsewhere)).toEqual({ outcome: 'invalid_credentials' })

  const reset = 'select app_private.reset_password($1, $2)'
  await installation.server.query(reset, [token, 'another long password'])
  expect(await logIn('another long password')).toMatchObject({ outcome: 'two_factor_required' })
  await expect(installation.server.query(reset, [token, 'a third long password'])).rejects.toMatchObject({
    code: 'AD010',
  })
})

test('forgets a lost second factor only when asked', async () => {
  const token = tokenIn(await breakGlass('--yes', '--reset-two-factor'))
  expect((await situation())?.second_factor).toBe(false)
  await installation.server.query('select app_private.reset_password($1, $2)', [
    token,
    'another long password',
  ])
  expect(await logIn('another long password')).toMatchObject({ outcome: 'ok' })
})

test('a second run makes the link of the first worthless', async () => {
  const first = tokenIn(await breakGlass('--yes'))
  const words = await breakGlass('--yes')
  expect(words).toContain('  - find no IP rules to remove\n  - leave login by password on\n')
  const holder = (token: string) =>
    installation.server.query('select app_private.account_token_of($1)', [token])
  await expect(holder(first)).rejects.toMatchObject({ code: 'AD010' })
  await expect(holder(tokenIn(words))).resolves.toBeDefined()
})

test('is in the audit log, with what it changed and who was at the machine', async () => {
  await breakGlass('--yes')
  const { rows } = await installation.superuser.query<Record<string, unknown>>(
    `select operation, table_name, actor_id, actor_role, row_id, request_id, after from app_public.audit_log
     where organization_id = $1 and request_id like 'break-glass:%' order by seq`,
    [organizationId],
  )
  expect(rows[0]).toEqual({
    operation: 'break_glass',
    table_name: 'app_public.users',
    actor_id: null,
    actor_role: 'atum_owner',
    row_id: adminId,
    request_id: expect.stringMatching(/^break-glass:\S+@\S+$/) as string,
    after: {
      ip_rules_removed: 2,
      local_login_turned_on: true,
      account_opened: true,
      two_factor_reset: false,
    },
  })
  expect(
    rows.slice(1).map(({ operation, table_name }) => `${String(operation)} ${String(table_name)}`),
  ).toEqual(
    expect.arrayContaining([
      'delete app_public.ip_rules',
      'update app_public.security_policies',
      'update app_public.users',
      'insert app_private.account_mails',
    ]),
  )
  expect(await only('select verified from app_private.verify_audit_chain_of($1)', [organizationId])).toBe(
    true,
  )
})

test('is for admins of open organizations only', async () => {
  const refused = (args: string[]) => expect(run('break-glass', [...args, '--yes'])).rejects
  await refused(['--organization', 'nobody', '--email', email]).toThrow('There is no organization "nobody".')
  await refused(['--organization', slug, '--email', 'eve@acme.test']).toThrow(`${slug} has no eve@acme.test.`)
  await refused(['--organization', slug, '--email', `carol@${slug}.test`]).toThrow(
    `carol@${slug}.test is no admin of ${slug}.`,
  )
  await refused(['--organization', slug]).toThrow('Needed: ')
  await only('select app_private.suspend_organization($1)', [slug])
  await refused(['--organization', slug, '--email', email]).toThrow(`${slug} is suspended`)
  expect((await situation())?.rules).toBe(2)
})
