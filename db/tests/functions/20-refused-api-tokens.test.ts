import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { accountMailsOn } from '../support/account-mails.ts'
import { value } from '../support/connections.ts'
import { loginsOn } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer } = loginsOn(stage)
const { mailsTo, latest, toSend } = accountMailsOn(stage)

/** An API token of an admin with all scopes: the same claims without a session. */
const token = () => {
  const { sessionId: _session, ...admin } = stage.acme.admin
  return admin
}
const fresh = () => `${randomUUID()}@acme.test`

describe('an API token of an admin does not', () => {
  test.each<[string, string, () => unknown[]]>([
    ['set a mail address', 'update app_public.users set email = $2 where id = $1', () => [fresh()]],
    ['give a role', `update app_public.users set role = 'admin' where id = $1`, () => []],
    ['take a role', `update app_public.users set role = 'customer' where id = $1`, () => []],
    ['shut an account', 'update app_public.users set disabled_at = now() where id = $1', () => []],
    ['let break the glass', 'update app_public.users set is_break_glass = true where id = $1', () => []],
  ])('%s, and a session does', async (_name, sql, more) => {
    const { userId } = stage.acme.agent
    expect(await stage.refuses(token(), sql, [userId, ...more()])).toBe('AD004')
    expect(await stage.refuses(stage.acme.admin, sql, [userId, ...more()])).toBe('accepted')
    // As a migration would, for nobody.
    expect(
      await stage.refuses({ role: 'atum_owner', organizationId: stage.acme.organizationId }, sql, [
        userId,
        ...more(),
      ]),
    ).toBe('accepted')
  })

  test('open an account', async () => {
    const { userId } = await newcomer(stage.acme)
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [userId])
    const open = 'update app_public.users set disabled_at = null where id = $1'
    expect(await stage.refuses(token(), open, [userId])).toBe('AD004')
    expect(await stage.refuses(stage.acme.admin, open, [userId])).toBe('accepted')
  })

  test.each<[string, string, () => unknown[]]>([
    ['invite an admin', `select app_public.invite_user($1, 'X', 'admin')`, () => [fresh()]],
    ['invite a manager', `select app_public.invite_user($1, 'X', 'manager')`, () => [fresh()]],
    ['change how people get in', 'select app_public.change_security_policy()', () => []],
    [
      'add an identity provider',
      `select app_public.save_identity_provider('oidc', 'X', issuer => 'https://evil.test', client_id => 'x')`,
      () => [],
    ],
    [
      'change an identity provider',
      `select app_public.save_identity_provider('oidc', 'X', $1, issuer => 'https://evil.test', client_id => 'x')`,
      () => [stage.acme.providerId],
    ],
    [
      'delete an identity provider',
      'select app_public.delete_identity_provider($1)',
      () => [stage.acme.providerId],
    ],
    ['allow a network', `select app_public.add_ip_rule('192.0.2.0/24')`, () => []],
    [
      'forbid a network',
      'select app_public.remove_ip_rule(rule.id) from app_public.ip_rules as rule limit 1',
      () => [],
    ],
  ])('%s, and a session does', async (_name, sql, values) => {
    expect(await stage.refuses(token(), sql, values())).toBe('AD004')
    expect(await stage.refuses(stage.acme.admin, sql, values())).toBe('accepted')
  })
})

describe('an API token of an admin', () => {
  test('does what is no way in', async () => {
    const { agent, companyId } = stage.acme
    const change = 'update app_public.users set restricted_to_teams = true, company_id = $2 where id = $1'
    expect(await stage.refuses(token(), change, [agent.userId, companyId])).toBe('accepted')
    // As they are already.
    const same = 'update app_public.users set email = email, role = role, name = $2 where id = $1'
    expect(await stage.refuses(stage.acme.admin, same, [stage.acme.admin.userId, 'Me'])).toBe('accepted')
    for (const role of ['customer', 'agent']) {
      const invite = 'select app_public.invite_user($1, $2, $3)'
      expect(await stage.refuses(token(), invite, [fresh(), 'X', role])).toBe('accepted')
    }
  })
})

describe('a mail address that was changed', () => {
  const move = (userId: string, email: string) =>
    stage.does(stage.acme.admin, 'update app_public.users set email = $2 where id = $1 returning id', [
      userId,
      email,
    ])

  test('is told to the address before it, and to no other', async () => {
    const { userId, email } = await newcomer(stage.acme)
    await move(userId, fresh())
    expect(await mailsTo(userId)).toEqual(['address_changed'])
    expect(await toSend(await latest(userId, 'address_changed'))).toMatchObject({
      purpose: 'address_changed',
      email,
      token: null,
    })
  })

  test('is not told where only its case changed, or to whom never came', async () => {
    const [there, waiting] = [await newcomer(stage.acme), await newcomer(stage.acme)]
    await move(there.userId, there.email.toUpperCase())
    await stage.superuser.query('update app_public.users set activated_at = null where id = $1', [
      waiting.userId,
    ])
    await move(waiting.userId, fresh())
    for (const { userId } of [there, waiting]) expect(await mailsTo(userId)).toEqual([])
  })

  test('is the only mail that goes elsewhere', async () => {
    const { userId, organizationId } = await newcomer(stage.acme)
    const write = (purpose: string, address: string | null) =>
      value(
        stage.superuser,
        `with mail as (insert into app_private.account_mails (organization_id, user_id, purpose, address) values ($1, $2, $3, $4) returning 1)
        select count(*)::int from mail`,
        [organizationId, userId, purpose, address],
      )
    await expect(write('password_changed', 'evil@evil.test')).rejects.toThrow('account_mails_address_check')
    await expect(write('address_changed', null)).rejects.toThrow('account_mails_address_check')
  })
})
