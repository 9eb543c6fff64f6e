import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { accountMailsOn } from '../support/account-mails.ts'
import { value } from '../support/connections.ts'
import type { Person } from '../support/fixture.ts'
import { loginsOn, type Newcomer } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { sqlState } from '../support/refusals.ts'
import { become, rolledBack } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer, recordedWhile, actsWithoutOrigin } = loginsOn(stage)
const { mailsTo } = accountMailsOn(stage)

interface Claims {
  apiTokenId: string
  organizationId: string
  userId: string
  role: 'customer' | 'agent' | 'manager' | 'admin'
  readOnly: boolean
  expiresAt: number | null
  refused?: string
}

const create = 'select to_jsonb(made) from app_public.create_api_token($1, $2, $3) as made'
const revoke = 'select app_public.revoke_api_token($1)'
const hashOf = (secret: string) => createHash('sha256').update(secret).digest()
const asToken = ({ sessionId: _session, ...person }: Person) => person

const makeToken = (actor: Person, scopes: string[], expiresAt: string | null = null) =>
  stage.does<{ id: string; secret: string }>(actor, create, ['A script', scopes, expiresAt])
const claimsOf = (secret: string, from = '192.0.2.7') =>
  stage.ask<Claims | null>(
    'api_token_claims',
    { token_hash: hashOf(secret), ip_address: from },
    { actor: { ipAddress: from } },
  )

describe('no token is made', () => {
  const all = ['read', 'tickets:write', 'admin:read', 'admin:write']

  test.each<[string, Exclude<Person['role'], 'atum_owner'>, (string | null)[] | null]>([
    ['without scopes', 'atum_admin', []],
    ['with none', 'atum_admin', null],
    ['with a scope that is none', 'atum_admin', ['read', 'everything']],
    ['with a scope in another case', 'atum_admin', ['READ']],
    ['with a null for a scope', 'atum_admin', ['read', null]],
    ['by a customer to read as an admin', 'atum_customer', ['admin:read']],
    ['by a customer to write as an admin', 'atum_customer', all],
    // Together they would write with all rights that were asked for to read with.
    ['by a manager to read all and write tickets', 'atum_manager', ['admin:read', 'tickets:write']],
    ['by an admin to read all and write tickets', 'atum_admin', ['read', 'tickets:write', 'admin:read']],
    ['by an agent to read as an admin', 'atum_agent', ['read', 'admin:read']],
    ['by an agent to write as an admin', 'atum_agent', ['admin:write']],
  ])('%s', async (_name, role, scopes) => {
    const { customer, agent, manager, admin } = stage.acme
    const actor = [customer, agent, manager, admin].find((person) => person.role === role)!
    expect(await stage.refuses(actor, create, ['A script', scopes, null])).toBe('AD014')
  })

  test('by an API token or a stranger', async () => {
    const { agent } = stage.acme
    expect(await stage.refuses(asToken(agent), create, ['A script', ['read'], null])).toBe('AD004')
    expect(await stage.refuses({ role: 'atum_agent' }, create, ['A script', ['read'], null])).toBe('AD001')
    expect(await stage.refuses({ role: 'atum_anonymous' }, create, ['A script', ['read'], null])).toBe(
      '42501',
    )
  })

  test('that has ended already, or without a name that fits', async () => {
    const { agent } = stage.acme
    for (const [name, expiresAt] of [
      ['A script', '2020-01-01Z'],
      [' ', null],
      ['x'.repeat(81), null],
    ]) {
      expect(await stage.refuses(agent, create, [name, ['read'], expiresAt])).toBe('23514')
    }
    expect(await stage.refuses(agent, create, [null, ['read'], null])).toBe('23502')
  })

  test('as the hundred-and-first', async () => {
    const person = await newcomer(stage.acme)
    await stage.superuser.query(
      `insert into app_public.api_tokens (organization_id, user_id, name, scopes, made_as, hint)
      select $1, $2, 'One of many', '{read}', 'customer', 'abcd' from generate_series(1, 100)`,
      [person.organizationId, person.userId],
    )
    expect(await stage.refuses(person, create, ['A script', ['read'], null])).toBe('23514')
    await stage.superuser.query(
      'update app_public.api_tokens set revoked_at = now() where id = (select id from app_public.api_tokens where user_id = $1 limit 1)',
      [person.userId],
    )
    expect(await stage.refuses(person, create, ['A script', ['read'], null])).toBe('accepted')
  })
})

describe('a token', () => {
  test('is 192 random bits and a checksum over them, shown once and kept as a hash', async () => {
    const { id, secret } = await makeToken(stage.acme.agent, ['read'])
    expect(secret).toMatch(/^atum_[0-9a-f]{56}$/)
    const body = secret.slice(0, -8)
    expect(secret.slice(-8)).toBe(createHash('sha256').update(body).digest('hex').slice(0, 8))
    const { rows } = await stage.superuser.query(
      `select token.hint, encode(secret.token_hash, 'hex') as hash, token.last_used_at
      from app_public.api_tokens as token join app_private.api_token_secrets as secret on secret.token_id = token.id where token.id = $1`,
      [id],
    )
    expect(rows).toEqual([
      { hint: secret.slice(-4), hash: hashOf(secret).toString('hex'), last_used_at: null },
    ])
    const everything = await value<string>(
      stage.superuser,
      `select (select string_agg(to_jsonb(link)::text, ' ') from app_public.audit_log as link)
        || (select string_agg(to_jsonb(token)::text, ' ') from app_public.api_tokens as token)`,
    )
    expect(everything).toContain(id)
    expect(everything).not.toContain(secret)
    expect(everything).not.toContain(hashOf(secret).toString('hex'))
  })

  test.each<
    [
      string,
      keyof typeof stage.acme & ('customer' | 'agent' | 'manager' | 'admin'),
      string[],
      string,
      boolean,
    ]
  >([
    ['a customer', 'customer', ['read'], 'customer', true],
    ['a customer', 'customer', ['read', 'tickets:write'], 'customer', false],
    ['a customer', 'customer', ['tickets:write'], 'customer', false],
    ['an agent', 'agent', ['read'], 'agent', true],
    ['an agent', 'agent', ['tickets:write'], 'agent', false],
    ['a manager', 'manager', ['read'], 'agent', true],
    ['a manager', 'manager', ['read', 'tickets:write'], 'agent', false],
    ['a manager', 'manager', ['admin:read'], 'manager', true],
    ['a manager', 'manager', ['read', 'admin:read', 'admin:write'], 'manager', false],
    ['an admin', 'admin', ['read'], 'agent', true],
    ['an admin', 'admin', ['tickets:write'], 'agent', false],
    ['an admin', 'admin', ['read', 'admin:read'], 'admin', true],
    ['an admin', 'admin', ['admin:write'], 'admin', false],
    ['an admin', 'admin', ['read', 'tickets:write', 'admin:read', 'admin:write'], 'admin', false],
  ])('of %s (%s) with %j acts as %s, read-only: %s', async (_name, who, scopes, role, readOnly) => {
    const actor = stage.acme[who]
    const { id, secret } = await makeToken(actor, scopes)
    expect(await claimsOf(secret)).toEqual({
      apiTokenId: id,
      organizationId: stage.acme.organizationId,
      userId: actor.userId,
      role,
      readOnly,
      expiresAt: null,
    })
  })

  test.each<[string, string, string[], string]>([
    ['manager', 'admin', ['admin:write'], 'manager'],
    ['manager', 'agent', ['admin:write'], 'agent'],
    ['manager', 'customer', ['admin:write'], 'customer'],
    ['customer', 'admin', ['read', 'tickets:write'], 'customer'],
    ['admin', 'manager', ['admin:read'], 'manager'],
  ])('made as %s by who became %s acts, with %j, as %s', async (before, after, scopes, acting) => {
    const person = await newcomer(stage.acme, before as 'manager')
    const { secret } = await makeToken(person, scopes)
    await stage.superuser.query('update app_public.users set role = $2 where id = $1', [person.userId, after])
    expect(await claimsOf(secret)).toMatchObject({ role: acting })
  })

  test('says when it ends, in whole seconds that are never too early', async () => {
    const { secret } = await makeToken(stage.acme.agent, ['read'], '2090-01-01T00:00:00.25Z')
    expect(await claimsOf(secret)).toMatchObject({ expiresAt: Date.UTC(2090, 0, 1) / 1000 + 1 })
  })

  test('that only reads changes nothing, whatever it calls', async () => {
    const { agent, ticketId } = stage.acme
    await rolledBack(stage.server, async () => {
      await become(stage.server, asToken(agent))
      await stage.server.query(`select set_config('transaction_read_only', 'on', true)`)
      expect(await value(stage.server, 'select count(*)::int from app_public.tickets')).toBe(2)
      for (const statement of [
        `select app_public.create_ticket('A subject', 'A body')`,
        `select app_public.add_comment('${ticketId}', 'A body')`,
        `update app_public.tickets set priority = 'low'`,
        `select set_config('transaction_read_only', 'off', true)`,
        'set transaction read write',
      ]) {
        await stage.server.query('savepoint attempt')
        expect([statement, await sqlState(stage.server.query(statement))]).toEqual([
          statement,
          statement.includes('transaction') ? '25001' : '25006',
        ])
        await stage.server.query('rollback to savepoint attempt')
      }
    })
  })
})

describe('a token is none', () => {
  test.each(['', 'atum_', `atum_${'0'.repeat(56)}`])('that was never made (%j)', async (secret) => {
    expect(await claimsOf(secret)).toBe(null)
  })

  test('that is null', async () => {
    expect(await stage.ask('api_token_claims', { token_hash: null, ip_address: null })).toBe(null)
  })

  test('once it was revoked or has ended', async () => {
    const { agent } = stage.acme
    const [revoked, ended] = [
      await makeToken(agent, ['read']),
      await makeToken(agent, ['read'], '2090-01-01Z'),
    ]
    expect(await claimsOf(revoked.secret)).not.toBe(null)
    await stage.does(agent, revoke, [revoked.id])
    await stage.superuser.query('update app_public.api_tokens set expires_at = now() where id = $1', [
      ended.id,
    ])
    expect(await claimsOf(revoked.secret)).toBe(null)
    expect(await claimsOf(ended.secret)).toBe(null)
  })

  test('while its person has not come yet', async () => {
    const person = await newcomer(stage.acme, 'agent')
    const { secret } = await makeToken(person, ['read'])
    const change = (activated: string) =>
      stage.superuser.query(`update app_public.users set activated_at = ${activated} where id = $1`, [
        person.userId,
      ])
    await change('null')
    expect(await claimsOf(secret)).toBe(null)
    await change('now()')
    expect(await claimsOf(secret)).not.toBe(null)
  })

  test('where the organization is closed or the address not allowed, and says which', async () => {
    const { secret } = await makeToken(stage.acme.manager, ['read'])
    await stage.superuser.query(
      `insert into app_public.ip_rules (organization_id, role, network) values ($1, 'manager', '198.51.100.0/24')`,
      [stage.acme.organizationId],
    )
    expect(await claimsOf(secret)).toEqual({ refused: 'address_not_allowed' })
    expect(await claimsOf(secret, '198.51.100.1')).toMatchObject({ role: 'agent' })
    await stage.superuser.query(
      `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
    )
    expect(await claimsOf(secret, '198.51.100.1')).toEqual({ refused: 'organization_suspended' })
    await stage.superuser.query('update app_public.organizations set suspended_at = null')
    await stage.superuser.query(`delete from app_public.ip_rules where role = 'manager'`)
  })
})

describe('no token outlives', () => {
  const isShut = 'update app_public.users set disabled_at = now() where id = $1 returning id'
  const isOpen = 'update app_public.users set disabled_at = null where id = $1 returning id'

  test.each<[string, (person: Newcomer) => Promise<unknown>]>([
    [
      'that its person is disabled, also once they are enabled',
      async ({ userId }) => {
        await stage.does(stage.acme.admin, isShut, [userId])
        await stage.does(stage.acme.admin, isOpen, [userId])
      },
    ],
    [
      'that an admin ends every session of its person',
      ({ userId }) => stage.does(stage.acme.admin, 'select app_public.end_sessions_of($1)', [userId]),
    ],
    [
      'that its person resets the password',
      async ({ userId }) => {
        const { token } = await stage.does<{ token: string }>(
          { ...stage.acme.admin, ipAddress: '192.0.2.1', requestId: 'helping' },
          'select to_jsonb(link) from app_public.create_account_link($1) as link',
          [userId],
        )
        await stage.ask('reset_password', { token, password: 'a horse that nobody has stapled' })
      },
    ],
  ])('%s', async (_name, happens) => {
    const person = await newcomer(stage.acme, 'agent')
    const [made, another] = [await makeToken(person, ['read']), await makeToken(person, ['tickets:write'])]
    const ofSomebodyElse = await makeToken(stage.acme.manager, ['read'])
    const listener = await stage.open(stage.database.serverUrl)
    const heard = await heardWhile(listener, ['atum_revocations'], () => happens(person))
    for (const { id, secret } of [made, another]) {
      expect(await claimsOf(secret)).toBe(null)
      expect(heard.atum_revocations).toContainEqual({ kind: 'api_token', id })
    }
    expect(await claimsOf(ofSomebodyElse.secret)).not.toBe(null)
  })
})

test('its person is written to when a token is made', async () => {
  const person = await newcomer(stage.acme)
  await makeToken(person, ['read'])
  expect(await mailsTo(person.userId)).toEqual(['api_token_made'])
})

describe('using a token', () => {
  test('is noted to the minute, and recorded from each new address', async () => {
    const { id, secret } = await makeToken(stage.acme.agent, ['read'])
    const lastUse = async () => {
      const { rows } = await stage.superuser.query(
        'select last_used_at, host(last_used_ip) as ip from app_public.api_tokens where id = $1',
        [id],
      )
      return rows[0] as { last_used_at: Date; ip: string }
    }
    const chain = () => value<number>(stage.superuser, 'select count(*)::int from app_public.audit_log')

    const first = await recordedWhile(() => claimsOf(secret))
    expect(first).toEqual([
      {
        organization_id: stage.acme.organizationId,
        operation: 'api_token_new_address',
        row_id: id,
        actor_id: stage.acme.agent.userId,
        after: { last_used_ip: '192.0.2.7' },
      },
    ])
    const { last_used_at: noted, ip } = await lastUse()
    expect(ip).toBe('192.0.2.7')

    const length = await chain()
    await claimsOf(secret)
    expect((await lastUse()).last_used_at).toEqual(noted)
    await stage.superuser.query(
      `update app_public.api_tokens set last_used_at = last_used_at - interval '2 minutes' where id = $1`,
      [id],
    )
    await claimsOf(secret)
    expect((await lastUse()).last_used_at.getTime()).toBeGreaterThan(noted.getTime())
    expect(await chain()).toBe(length)

    const [elsewhere] = await recordedWhile(() => claimsOf(secret, '2001:db8::1'))
    expect(elsewhere).toMatchObject({
      operation: 'api_token_new_address',
      after: { last_used_ip: '2001:db8::1' },
    })
    expect(await actsWithoutOrigin()).toEqual([])
  })
})

describe('revoking', () => {
  test('is for the own tokens, and for admins', async () => {
    const { agent, manager, admin, customer } = stage.acme
    const { id } = await makeToken(agent, ['read'])
    for (const actor of [customer, manager, stage.globex.admin]) {
      expect(await stage.refuses(actor, revoke, [id])).toBe('AD101')
    }
    expect(await stage.refuses(asToken(agent), revoke, [id])).toBe('AD004')
    const listener = await stage.open(stage.database.serverUrl)
    const heard = await heardWhile(listener, ['atum_revocations'], () => stage.does(admin, revoke, [id]))
    expect(heard.atum_revocations).toEqual([{ kind: 'api_token', id }])
    expect(await stage.refuses(agent, revoke, [id])).toBe('AD101')
    expect(
      await value(
        stage.superuser,
        `select actor_id from app_public.audit_log where row_id = $1 and after ? 'revoked_at' and operation = 'update'`,
        [id],
      ),
    ).toBe(admin.userId)
  })
})
