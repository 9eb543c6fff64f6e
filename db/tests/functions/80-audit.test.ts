import { createHash } from 'node:crypto'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Link, readChain, verdictOf } from '../support/audit-chain.ts'
import { connections, value } from '../support/connections.ts'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { type Tenant, twoTenants } from '../support/fixture.ts'
import { refusal, sqlState } from '../support/refusals.ts'
import { asRole, asRoleForGood, committed, rolledBack } from '../support/session.ts'

const open = connections()
let database: TestDatabase
let superuser: Client
let owner: Client
let acme: Tenant
let globex: Tenant

beforeAll(async () => {
  database = await createTestDatabase()
  superuser = await open.open(database.superuserUrl)
  owner = await open.open(database.ownerUrl)
  const tenants = await twoTenants(superuser)
  acme = tenants.acme
  globex = tenants.globex
})

afterAll(async () => {
  await open.close()
  await database.drop()
})

const chainOf = (scope: string) => readChain(superuser, scope)
const last = async (scope: string) => (await chainOf(scope)).at(-1)!

describe('nobody changes what was recorded', () => {
  const changes = [
    ['update', `update app_public.audit_log set operation = 'nothing'`],
    ['delete', 'delete from app_public.audit_log'],
    ['truncate', 'truncate app_public.audit_log'],
    ['truncate with all that depends on it', 'truncate app_public.audit_log cascade'],
  ] as const

  test.each(changes)('%s by the owner', async (_name, sql) => {
    await rolledBack(owner, async () => {
      expect(await refusal(owner, sql)).toBe('AD401')
    })
  })

  test.each(changes)('%s by an admin or the worker', async (_name, sql) => {
    for (const actor of [acme.admin, acme.worker]) {
      await asRole(superuser, actor, async () => {
        expect(await refusal(superuser, sql)).toBe('42501')
      })
    }
  })

  test('by an upsert of the owner', async () => {
    await rolledBack(owner, async () => {
      expect(
        await refusal(
          owner,
          `insert into app_public.audit_log select * from app_public.audit_log limit 1
          on conflict (organization_id, seq) do update set operation = 'nothing'`,
        ),
      ).toBe('AD401')
    })
  })

  test('and nobody but the triggers adds to it', async () => {
    for (const actor of [acme.customer, acme.agent, acme.admin, acme.worker]) {
      await asRole(superuser, actor, async () => {
        expect(
          await refusal(superuser, `insert into app_public.audit_log (organization_id) values ($1)`, [
            acme.organizationId,
          ]),
        ).toBe('42501')
        expect(
          await refusal(
            superuser,
            `select app_private.append_audit($1, 'login', 'app_public.users', null, null, null)`,
            [acme.organizationId],
          ),
        ).toBe('42501')
      })
    }
  })
})

describe('who may verify', () => {
  test.each(['customer', 'agent', 'manager', 'worker'] as const)('not %s', async (who) => {
    await asRole(superuser, acme[who], async () => {
      expect(await refusal(superuser, 'select * from app_public.verify_audit_chain()')).toBe('42501')
      expect(
        await refusal(superuser, 'select * from app_private.verify_audit_chain_of($1)', [
          acme.organizationId,
        ]),
      ).toBe('42501')
    })
  })

  test('an admin the own chain', async () => {
    await asRole(superuser, acme.admin, async () => {
      const { rows } = await superuser.query(
        'select checked::float8, verified, broken_seq, reason from app_public.verify_audit_chain()',
      )
      expect(rows).toEqual([
        {
          checked: await value<string>(superuser, 'select count(*)::float8 from app_public.audit_log'),
          verified: true,
          broken_seq: null,
          reason: null,
        },
      ])
    })
  })
})

describe('every change is recorded', () => {
  const withoutAudit = [
    'app_hidden.search_words',
    'app_hidden.ticket_documents',
    'app_private.announcement_queue',
    'app_private.audit_heads',
    'app_private.automation_matches',
    'app_private.automation_queue',
    'app_private.canned_response_uses',
    'app_private.login_challenges',
    'app_private.macro_uses',
    'app_private.ticket_counters',
    'app_private.upload_amounts',
    'app_public.audit_log',
    'app_public.mailbox_states',
    'app_public.notifications',
    'app_public.ticket_drafts',
    'app_public.webhook_attempts',
    'app_public.webhook_deliveries',
  ]

  test('of every tenant table, at the end of the transaction', async () => {
    const unaudited = await value<string[]>(
      superuser,
      `select coalesce(array_agg(table_name order by table_name), '{}')
      from app_private.tenant_tables() as tenant
      where not exists (
        select from pg_trigger
        where tgrelid = to_regclass(tenant.table_name) and tgfoid = 'app_private.tg__audit'::regproc
          -- For each row, after, on insert, delete and update: bits 0, 2, 3, 4.
          and tgtype = 1 + 4 + 8 + 16 and tgenabled = 'O' and tgdeferrable and tginitdeferred and tgqual is null and tgattr = ''
      )`,
    )
    expect(unaudited).toEqual(withoutAudit)
  })

  test('of every tenant table, as the fixture shows', async () => {
    const silent = await value<string[]>(
      superuser,
      `select coalesce(array_agg(table_name order by table_name), '{}')
      from app_private.tenant_tables() as tenant
      where table_name <> all ($2)
        and not exists (
          select from app_public.audit_log as link
          where link.organization_id = $1 and link.table_name = tenant.table_name and link.operation = 'insert' and link.after is not null
        )`,
      [acme.organizationId, withoutAudit],
    )
    expect(silent).toEqual([])
  })

  test('with who did it, as what, from where and in which request', async () => {
    const agent = { ...acme.agent, ipAddress: '2001:db8::17', requestId: 'request-17' }
    await asRoleForGood(superuser, agent, () =>
      superuser.query(`update app_public.tickets set priority = 'high' where id = $1`, [acme.ticketId]),
    )
    const link = (await chainOf(acme.organizationId)).findLast(
      ({ table_name }) => table_name === 'app_public.tickets',
    )!
    expect(link).toMatchObject({
      actor_id: acme.agent.userId,
      actor_role: 'atum_agent',
      ip_address: '2001:db8::17',
      request_id: 'request-17',
      operation: 'update',
      row_id: acme.ticketId,
    })
    // What the triggers did to the ticket's clocks was done for the same person.
    for (const followed of (await chainOf(acme.organizationId)).filter(
      ({ request_id }) => request_id === 'request-17',
    )) {
      expect(followed).toMatchObject({ actor_id: acme.agent.userId, actor_role: 'atum_agent' })
    }
  })

  test('with the changed columns only, as they were and as they became', async () => {
    const [change] = (await chainOf(acme.organizationId)).filter(
      ({ table_name, request_id }) => table_name === 'app_public.tickets' && request_id === 'request-17',
    )
    expect(JSON.parse(change!.before!)).toMatchObject({ priority: 'normal' })
    expect(JSON.parse(change!.after!)).toMatchObject({ priority: 'high' })
    expect(Object.keys(JSON.parse(change!.after!))).not.toContain('subject')
    expect(Object.keys(JSON.parse(change!.before!))).toEqual(Object.keys(JSON.parse(change!.after!)))
  })

  test('with the whole row where one goes or comes', async () => {
    await owner.query(`insert into app_public.teams (organization_id, name) values ($1, 'For a moment')`, [
      acme.organizationId,
    ])
    const inserted = await last(acme.organizationId)
    expect(inserted).toMatchObject({
      operation: 'insert',
      table_name: 'app_public.teams',
      before: null,
      actor_id: null,
      actor_role: 'atum_owner',
    })
    expect(JSON.parse(inserted.after!)).toMatchObject({
      name: 'For a moment',
      organization_id: acme.organizationId,
    })

    await owner.query(`delete from app_public.teams where name = 'For a moment'`)
    const deleted = await last(acme.organizationId)
    expect(deleted).toMatchObject({
      operation: 'delete',
      table_name: 'app_public.teams',
      after: null,
      row_id: inserted.row_id,
    })
    expect(JSON.parse(deleted.before!)).toEqual(JSON.parse(inserted.after!))
  })

  test('but not what changed nothing, nor what was rolled back', async () => {
    const before = (await last(acme.organizationId)).seq
    await owner.query(`update app_public.tickets set last_comment_at = last_comment_at where id = $1`, [
      acme.ticketId,
    ])
    await rolledBack(owner, async () => {
      await owner.query(`update app_public.teams set name = 'Never'`)
      await owner.query('set constraints all immediate')
    })
    expect((await last(acme.organizationId)).seq).toBe(before)
  })

  test('without secrets', async () => {
    const password = 'a secret nobody may read'
    await owner.query('select app_private.set_password($1, $2, $3)', [
      acme.organizationId,
      acme.customer.userId,
      password,
    ])
    const changed = await last(acme.organizationId)
    expect(changed).toMatchObject({
      table_name: 'app_private.user_secrets',
      operation: 'update',
      row_id: acme.customer.userId,
    })
    expect(JSON.parse(changed.before!)).toMatchObject({ password_hash: '***' })
    expect(JSON.parse(changed.after!)).toMatchObject({ password_hash: '***' })

    const secrets = await value<string[]>(
      superuser,
      `select array_agg(secret) from (
        select password_hash as secret from app_private.user_secrets
        union all select refresh_token_hash::text from app_private.sessions
        union all select encode(refresh_token_hash, 'hex') from app_private.sessions
        union all select sealed from app_private.authenticators
        union all select sealed from app_private.identity_provider_secrets
        union all select encode(code_hash, 'hex') from app_private.recovery_codes
        union all select encode(token_hash, 'hex') from app_private.account_mails
        union all select encode(token_hash, 'hex') from app_private.api_token_secrets
      ) as secrets`,
    )
    const everything = JSON.stringify([
      ...(await chainOf(acme.organizationId)),
      ...(await chainOf(globex.organizationId)),
    ])
    expect(secrets.length).toBeGreaterThanOrEqual(16)
    for (const secret of secrets) expect(everything).not.toContain(secret)
    expect(everything).toContain('"table_name":"app_private.sessions"')
  })
})

describe('the canonical text', () => {
  /** As docs/SECURITY.md says it, without a word of SQL. */
  function rowHash(link: Link): string {
    const field = (name: string, text: string | null) =>
      `${name}:${text === null ? '-' : `${Buffer.byteLength(text)}:${text}`}\n`
    const microseconds = BigInt(link.recorded_microseconds)
    const recordedAt = `${new Date(Number(microseconds / 1000n)).toISOString().slice(0, 19)}.${String(microseconds % 1_000_000n).padStart(6, '0')}Z`
    const text = [
      'atum-audit-v1\n',
      field('chain_scope', link.chain_scope),
      field('seq', String(link.seq)),
      field('id', link.id),
      field('recorded_at', recordedAt),
      field('actor_id', link.actor_id),
      field('actor_role', link.actor_role),
      field('ip_address', link.ip_address),
      field('request_id', link.request_id),
      field('operation', link.operation),
      field('table_name', link.table_name),
      field('row_id', link.row_id),
      field('before', link.before),
      field('after', link.after),
      field('prev_hash', link.prev_hash),
    ].join('')
    return createHash('sha256').update(text, 'utf8').digest('hex')
  }

  test('is what anybody can hash again: nulls, quotes, line ends, other alphabets and an address with a mask', async () => {
    const names = [
      'plain',
      `it's "quoted" \\ back`,
      'two\nlines',
      'Ελληνικά 日本語 🦔',
      'a:1:b',
      `é and e\u0301`,
    ]
    for (const name of names) {
      await asRoleForGood(
        superuser,
        {
          role: 'atum_owner',
          organizationId: acme.organizationId,
          ipAddress: '192.0.2.7/24',
          requestId: `r:${name}`,
        },
        () =>
          superuser.query('insert into app_public.teams (organization_id, name) values ($1, $2)', [
            acme.organizationId,
            name,
          ]),
      )
    }
    const chain = await chainOf(acme.organizationId)
    expect(chain.filter(({ request_id }) => request_id?.startsWith('r:'))).toHaveLength(names.length)
    expect(
      chain.some(
        ({ actor_id, ip_address, before }) => actor_id === null && ip_address === null && before === null,
      ),
    ).toBe(true)
    for (const link of chain) expect(rowHash(link)).toBe(link.row_hash)
  })

  test('links each record to the one before, from 64 zeros on, without gaps', async () => {
    const chain = await chainOf(acme.organizationId)
    expect(chain.length).toBeGreaterThan(40)
    chain.forEach((link, position) => {
      expect(link.seq).toBe(position + 1)
      expect(link.prev_hash).toBe(position === 0 ? '0'.repeat(64) : chain[position - 1]!.row_hash)
      expect(link.chain_scope).toBe(acme.organizationId)
    })
  })

  test('tells apart what only looks the same', async () => {
    const texts = await value<string[]>(
      superuser,
      `select array_agg(app_hidden.audit_canonical_text(jsonb_populate_record(link, change)))
      from app_public.audit_log as link
      cross join unnest($1::jsonb[]) as change
      where link.seq = 1 and link.organization_id = $2`,
      [
        [null, '', '-', '1:a', 'a\noperation:1:x'].map((requestId) =>
          JSON.stringify({ request_id: requestId }),
        ),
        acme.organizationId,
      ],
    )
    expect(new Set(texts).size).toBe(5)
  })
})

describe('writers', () => {
  test('of two organizations do not wait for each other', async () => {
    const other = await open.open(database.ownerUrl)
    await other.query(`set lock_timeout = '300ms'`)
    const rename = (client: Client, tenant: Tenant, name: string) =>
      client.query('update app_public.services set description = $2 where organization_id = $1', [
        tenant.organizationId,
        name,
      ])
    await rolledBack(owner, async () => {
      await rename(owner, acme, 'one')
      // The head of this chain is locked until the end of the transaction.
      await owner.query('set constraints all immediate')
      expect(await sqlState(committed(other, () => rename(other, globex, 'two')))).toBe('accepted')
      expect(await sqlState(committed(other, () => rename(other, acme, 'three')))).toBe('55P03')
    })
  })

  test('of one organization wait only while committing', async () => {
    const other = await open.open(database.ownerUrl)
    await other.query(`set lock_timeout = '300ms'`)
    const touch = (client: Client, ticketId: string) =>
      client.query(`update app_public.tickets set breached = not breached where id = $1`, [ticketId])
    await committed(owner, async () => {
      await touch(owner, acme.ticketId)
      expect(await sqlState(committed(other, () => touch(other, acme.neighbourTicketId)))).toBe('accepted')
    })
    expect((await verdictOf(superuser, acme.organizationId)).verified).toBe(true)
  })

  test('in opposite order do not deadlock over the chain, and leave it whole', async () => {
    const services = [acme.serviceId, acme.archivedServiceId]
    const tickets = [acme.ticketId, acme.neighbourTicketId]
    const clients = await Promise.all([0, 1, 2, 3].map(() => open.open(database.ownerUrl)))
    const before = (await last(acme.organizationId)).seq
    const rounds = 6
    const states = await Promise.all(
      clients.map(async (client, position) => {
        const outcomes: string[] = []
        for (let round = 0; round < rounds; round += 1) {
          // Each writes rows of its own, half of them a service first and half of them a ticket first.
          const changes = [
            () =>
              client.query(
                'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3) on conflict do nothing',
                [
                  acme.organizationId,
                  acme.teamId,
                  [acme.agent, acme.manager, acme.admin, acme.neighbour][position]!.userId,
                ],
              ),
            () =>
              client.query('insert into app_public.teams (organization_id, name) values ($1, $2)', [
                acme.organizationId,
                `team ${position} ${round}`,
              ]),
            () =>
              position < 2 &&
              client.query('update app_public.services set description = $2 where id = $1', [
                services[position],
                `${round}`,
              ]),
            () =>
              position >= 2 &&
              client.query('update app_public.tickets set breached = not breached where id = $1', [
                tickets[position - 2],
              ]),
          ]
          outcomes.push(
            await sqlState(
              committed(client, async () => {
                for (const change of position % 2 === 0 ? changes : changes.toReversed()) await change()
              }),
            ),
          )
        }
        return outcomes
      }),
    )
    expect(states.flat().filter((state) => state !== 'accepted')).toEqual([])
    const verdict = await verdictOf(superuser, acme.organizationId)
    expect(verdict.verified).toBe(true)
    expect(verdict.checked).toBeGreaterThanOrEqual(before + clients.length * rounds * 2)
  })
})
