import { createHash } from 'node:crypto'
import type { Client } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword, type Tenant } from '../support/fixture.ts'
import { sqlState } from '../support/refusals.ts'
import { committed } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const password = fixturePassword

interface Answer {
  outcome: string
  user?: { id: string; organization: { slug: string } }
  sessionId?: string
  refreshToken?: string
  organizations?: { slug: string; name: string }[]
}

const logIn = (
  email: string | null,
  secret: string | null,
  {
    slug = null,
    demo = false,
    userAgent = 'a browser',
    client = stage.server,
  }: { slug?: string | null; demo?: boolean; userAgent?: string; client?: Client } = {},
) =>
  value<Answer>(client, `select app_private.log_in($1, $2, $3, $4, '192.0.2.7', $5)`, [
    email,
    secret,
    slug,
    demo,
    userAgent,
  ])

const refresh = (token: string | undefined, client = stage.server) =>
  value<Answer>(client, `select app_private.refresh_session($1, '192.0.2.8', 'another browser')`, [token])

const logOut = (token: string | undefined) => stage.server.query('select app_private.log_out($1)', [token])

/** A person with a password; in several organizations under the same address if need be. */
async function person(tenant: Tenant, email: string, secret: string, { demo = false } = {}): Promise<string> {
  const id = await value<string>(
    stage.superuser,
    `insert into app_public.users (organization_id, email, name) values ($1, $2, 'Somebody') returning id`,
    [tenant.organizationId, email],
  )
  await stage.superuser.query('select app_private.set_password($1, $2, $3, $4)', [
    tenant.organizationId,
    id,
    secret,
    demo,
  ])
  return id
}

const sessions = () => value<number>(stage.superuser, 'select count(*)::int from app_private.sessions')

interface Recorded {
  organization_id: string
  operation: string
  row_id: string | null
  actor_id: string | null
  after: unknown
}

/** The acts, not the row changes, that were recorded while something was done. */
async function recordedWhile(work: () => Promise<unknown>): Promise<Recorded[]> {
  const before = await value<string[]>(stage.superuser, 'select array_agg(id) from app_public.audit_log')
  await work()
  const { rows } = await stage.superuser.query<Recorded>(
    `select organization_id, operation, row_id, actor_id, after from app_public.audit_log
    where id <> all ($1::uuid[]) and operation not in ('insert', 'update', 'delete') order by recorded_at`,
    [before],
  )
  return rows
}

const platform = '00000000-0000-0000-0000-000000000000'

beforeAll(async () => {
  await person(stage.acme, 'both@example.test', 'the same in both')
  await person(stage.globex, 'both@example.test', 'the same in both')
  await person(stage.acme, 'twice@example.test', 'one in acme')
  await person(stage.globex, 'twice@example.test', 'another in globex')
  await person(stage.acme, 'demo@example.test', 'demo', { demo: true })
  const shut = await person(stage.acme, 'shut@example.test', password)
  await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [shut])
})

describe('nobody logs in', () => {
  test.each<[string, () => Promise<Answer>]>([
    ['with a wrong password', () => logIn('customer@acme.test', 'wrong')],
    ['with no password', () => logIn('customer@acme.test', '')],
    ['with a password that is null', () => logIn('customer@acme.test', null)],
    [
      'with the hash of the password',
      async () =>
        logIn(
          'customer@acme.test',
          await value<string>(
            stage.superuser,
            'select password_hash from app_private.user_secrets where user_id = $1',
            [stage.acme.customer.userId],
          ),
        ),
    ],
    ['with another case of the password', () => logIn('customer@acme.test', password.toUpperCase())],
    ['with an unknown address', () => logIn('nobody@acme.test', password)],
    ['with no address', () => logIn('', password)],
    ['with an address that is null', () => logIn(null, password)],
    ['with a pattern for an address', () => logIn('%@acme.test', password)],
    ['with an account that has no password', () => logIn('agent@acme.test', '')],
    ['with an account that is shut', () => logIn('shut@example.test', password)],
    ['with a demo password where that is not allowed', () => logIn('demo@example.test', 'demo')],
    [
      'in an organization that is not theirs',
      () => logIn('customer@acme.test', password, { slug: 'globex' }),
    ],
    ['in an organization that never was', () => logIn('customer@acme.test', password, { slug: 'initech' })],
    [
      'in one organization with the password of the other',
      () => logIn('twice@example.test', 'one in acme', { slug: 'globex' }),
    ],
    ['in two organizations with the password of none', () => logIn('both@example.test', 'wrong')],
  ])('%s', async (_name, attempt) => {
    const before = await sessions()
    expect(await attempt()).toEqual({ outcome: 'invalid_credentials' })
    expect(await sessions()).toBe(before)
  })

  test('with a NUL in the address', async () => {
    expect(await sqlState(logIn('a\0b@acme.test', password))).toBe('22021')
  })
})

describe('somebody logs in', () => {
  test('and is told who they are, with nothing that is secret', async () => {
    const answer = await logIn('Customer@ACME.test', password)
    expect(answer).toEqual({
      outcome: 'ok',
      sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      refreshToken: expect.stringMatching(/^[0-9a-f]{96}$/),
      user: {
        id: stage.acme.customer.userId,
        name: 'customer of acme',
        email: 'customer@acme.test',
        role: 'customer',
        locale: 'en',
        timeZone: 'Etc/UTC',
        organization: { id: stage.acme.organizationId, slug: 'acme', name: 'The acme company' },
      },
    })
  })

  test('and the session keeps a hash, an address, and the beginning of a very long user agent', async () => {
    const { refreshToken, sessionId } = await logIn('customer@acme.test', password, {
      userAgent: 'x'.repeat(5000),
    })
    const { rows } = await stage.superuser.query(
      `select user_id, encode(refresh_token_hash, 'hex') as hash, host(ip_address) as ip, length(user_agent) as agent, revoked_at,
        expires_at between now() + interval '13 days' and now() + interval '15 days' as lasts
      from app_private.sessions where id = $1`,
      [sessionId],
    )
    expect(rows).toEqual([
      {
        user_id: stage.acme.customer.userId,
        hash: createHash('sha256').update(refreshToken!).digest('hex'),
        ip: '192.0.2.7',
        agent: 400,
        revoked_at: null,
        lasts: true,
      },
    ])
    const everything = await value<string>(
      stage.superuser,
      `select string_agg(to_jsonb(session)::text, ' ') from app_private.sessions as session`,
    )
    expect(everything).not.toContain(refreshToken)
  })

  test('with a demo password where that is allowed', async () => {
    expect(await logIn('demo@example.test', 'demo', { demo: true })).toMatchObject({ outcome: 'ok' })
  })

  test('and the claims last as long as the transaction', async () => {
    await committed(stage.server, async () => {
      await logIn('customer@acme.test', password)
      expect(await value(stage.server, `select current_setting('atum.user_id')`)).toBe(
        stage.acme.customer.userId,
      )
    })
    expect(await value(stage.server, `select coalesce(current_setting('atum.user_id', true), '')`)).toBe('')
  })
})

describe('an address in two organizations', () => {
  test('is asked for the organization once the password is right, and only then', async () => {
    expect(await logIn('both@example.test', 'wrong')).toEqual({ outcome: 'invalid_credentials' })
    const before = await sessions()
    expect(await logIn('both@example.test', 'the same in both')).toEqual({
      outcome: 'organization_required',
      organizations: [
        { slug: 'acme', name: 'The acme company' },
        { slug: 'globex', name: 'The globex company' },
      ],
    })
    expect(await sessions()).toBe(before)
  })

  test('is one person where the password says which', async () => {
    const { outcome, user } = await logIn('twice@example.test', 'another in globex')
    expect([outcome, user?.organization.slug]).toEqual(['ok', 'globex'])
  })

  test('is one person where the organization is named', async () => {
    for (const slug of ['acme', 'globex']) {
      const { outcome, user } = await logIn('both@example.test', 'the same in both', { slug })
      expect([outcome, user?.organization.slug]).toEqual(['ok', slug])
    }
  })
})

describe('what is recorded', () => {
  test('of a login: who', async () => {
    const [record, ...rest] = await recordedWhile(() => logIn('customer@acme.test', password))
    expect(rest).toEqual([])
    expect(record).toEqual({
      organization_id: stage.acme.organizationId,
      operation: 'login',
      row_id: stage.acme.customer.userId,
      actor_id: stage.acme.customer.userId,
      after: null,
    })
  })

  test('of a wrong password: whose account, in the chain of the organization, and never the password', async () => {
    const records = await recordedWhile(() => logIn('customer@acme.test', 'a telling typo'))
    expect(records).toEqual([
      {
        organization_id: stage.acme.organizationId,
        operation: 'login_failed',
        row_id: stage.acme.customer.userId,
        actor_id: null,
        after: { email: 'customer@acme.test' },
      },
    ])
    expect(
      await value(
        stage.superuser,
        `select count(*)::int from app_public.audit_log as link where link::text like '%a telling typo%'`,
      ),
    ).toBe(0)
  })

  test('of a wrong password for two accounts: both', async () => {
    const records = await recordedWhile(() => logIn('both@example.test', 'wrong'))
    expect(records.map(({ organization_id }) => organization_id).toSorted()).toEqual(
      [stage.acme.organizationId, stage.globex.organizationId].toSorted(),
    )
  })

  test('of an unknown address: in the chain of the platform, cut to the length of an address', async () => {
    const records = await recordedWhile(() => logIn(`${'x'.repeat(5000)}@nowhere.test`, 'x'))
    expect(records).toEqual([
      {
        organization_id: platform,
        operation: 'login_failed',
        row_id: null,
        actor_id: null,
        after: { email: 'x'.repeat(254) },
      },
    ])
  })

  test('of an account that is shut, and of a demo password: the failure', async () => {
    const shut = await recordedWhile(() => logIn('shut@example.test', password))
    const demo = await recordedWhile(() => logIn('demo@example.test', 'demo'))
    expect([...shut, ...demo].map(({ operation, organization_id }) => [operation, organization_id])).toEqual([
      ['login_failed', stage.acme.organizationId],
      ['login_failed', stage.acme.organizationId],
    ])
  })

  test('stays in whole chains', async () => {
    for (const scope of [platform, stage.acme.organizationId, stage.globex.organizationId]) {
      expect(
        await value(stage.superuser, 'select verified from app_private.verify_audit_chain_of($1)', [scope]),
      ).toBe(true)
    }
  })
})

test('an unknown address, a wrong password, two accounts and a shut one take the same time', async () => {
  const attempts = {
    wrong: () => logIn('customer@acme.test', 'wrong'),
    unknown: () => logIn('nobody@acme.test', 'wrong'),
    two: () => logIn('both@example.test', 'wrong'),
    shut: () => logIn('shut@example.test', password),
  }
  // Interleaved, and the fastest of each: whatever else the machine does only ever makes them slower, so that more
  // rounds bring them together unless one of them really is quicker. Without its comparisons it would take half or less.
  const fastest: Record<string, number> = {}
  const ratios = () =>
    ['unknown', 'two', 'shut'].map((name) => (fastest[name] ?? NaN) / (fastest.wrong ?? NaN))
  const isSame = () => ratios().every((ratio) => ratio > 0.75 && ratio < 1.3)
  for (let round = 0; round < 6 || (round < 40 && !isSame()); round += 1) {
    for (const [name, attempt] of Object.entries(attempts)) {
      const begun = performance.now()
      await attempt()
      fastest[name] = Math.min(fastest[name] ?? Infinity, performance.now() - begun)
    }
  }
  expect(isSame(), `unknown, two and shut against wrong: ${ratios().join(', ')}`).toBe(true)
}, 60_000)

describe('a refresh token', () => {
  const state = (sessionId: string | undefined) =>
    value<boolean>(stage.superuser, 'select revoked_at is not null from app_private.sessions where id = $1', [
      sessionId,
    ])
  /** The moment in which two tabs may show the same token is over. */
  const passMoment = (sessionId: string | undefined) =>
    stage.superuser.query(
      `update app_private.sessions set refreshed_at = now() - interval '1 minute' where id = $1`,
      [sessionId],
    )

  test.each(['', 'x', 'f'.repeat(96), 'a\nb'])('that was never given (%j) is none', async (token) => {
    expect(await refresh(token)).toEqual({ outcome: 'session_expired' })
  })

  test('that is null is none', async () => {
    expect(await value(stage.server, 'select app_private.refresh_session(null, null, null)')).toEqual({
      outcome: 'session_expired',
    })
  })

  test('that is the stored hash is none', async () => {
    const { sessionId } = await logIn('customer@acme.test', password)
    const hash = await value<string>(
      stage.superuser,
      `select encode(refresh_token_hash, 'hex') from app_private.sessions where id = $1`,
      [sessionId],
    )
    expect(await refresh(hash)).toEqual({ outcome: 'session_expired' })
  })

  test('gives the next one, and the same person', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    expect(second).toEqual({ ...first, refreshToken: expect.stringMatching(/^[0-9a-f]{96}$/) })
    expect(second.refreshToken).not.toBe(first.refreshToken)
    const third = await refresh(second.refreshToken)
    expect(third.outcome).toBe('ok')
    expect(
      await value(stage.superuser, 'select host(ip_address) from app_private.sessions where id = $1', [
        first.sessionId,
      ]),
    ).toBe('192.0.2.8')
  })

  test('shown once more at once, as by a second tab, is answered without another one', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    const again = await refresh(first.refreshToken)
    expect(again).toEqual({ outcome: 'ok', user: first.user, sessionId: first.sessionId })
    expect((await refresh(second.refreshToken)).outcome).toBe('ok')
  })

  test('shown twice at the same moment gives one next token', async () => {
    const { refreshToken, sessionId } = await logIn('customer@acme.test', password)
    const clients = await Promise.all([
      stage.open(stage.database.serverUrl),
      stage.open(stage.database.serverUrl),
    ])
    const answers = await Promise.all(clients.map((client) => refresh(refreshToken, client)))
    expect(answers.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
    const next = answers.flatMap((answer) => answer.refreshToken ?? [])
    expect(next).toHaveLength(1)
    expect((await refresh(next[0])).outcome).toBe('ok')
    expect(await state(sessionId)).toBe(false)
  })

  test('shown again later ends the session, also for who holds the next one', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    await passMoment(first.sessionId)
    const records = await recordedWhile(async () => {
      expect(await refresh(first.refreshToken)).toEqual({ outcome: 'session_expired' })
    })
    expect(records).toEqual([
      {
        organization_id: stage.acme.organizationId,
        operation: 'refresh_token_reused',
        row_id: first.sessionId,
        actor_id: stage.acme.customer.userId,
        after: null,
      },
    ])
    expect(await state(first.sessionId)).toBe(true)
    expect(await refresh(second.refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('shown again after several others ends the session too', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    const third = await refresh(second.refreshToken)
    // At once: the moment of grace is for the token before, not for the one before that.
    expect(await refresh(first.refreshToken)).toEqual({ outcome: 'session_expired' })
    expect(await state(first.sessionId)).toBe(true)
    expect(await refresh(third.refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('does not end other sessions of the same person', async () => {
    const one = await logIn('customer@acme.test', password)
    const other = await logIn('customer@acme.test', password)
    await refresh(one.refreshToken)
    await passMoment(one.sessionId)
    await refresh(one.refreshToken)
    expect((await refresh(other.refreshToken)).outcome).toBe('ok')
  })

  test('of a session that ended by itself is none', async () => {
    const { refreshToken, sessionId } = await logIn('customer@acme.test', password)
    await stage.superuser.query('update app_private.sessions set expires_at = now() where id = $1', [
      sessionId,
    ])
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('of an account that was shut meanwhile is none', async () => {
    const { refreshToken } = await logIn('twice@example.test', 'one in acme')
    const shut = (at: string) =>
      stage.superuser.query(
        `update app_public.users set disabled_at = ${at} where email = 'twice@example.test'`,
      )
    await shut('now()')
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
    // The session ended with it, and does not come back to life when the account does.
    await shut('null')
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('of a person whose role changed is none', async () => {
    const { refreshToken } = await logIn('twice@example.test', 'one in acme')
    const promote = (role: string) =>
      stage.superuser.query(`update app_public.users set role = $1 where email = 'twice@example.test'`, [
        role,
      ])
    const { rows } = await stage.superuser.query<{ role: string }>(
      `select role from app_public.users where email = 'twice@example.test' limit 1`,
    )
    await promote('manager')
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
    await promote(rows[0]?.role ?? 'customer')
  })

  test('is none after logging out, and logging out of nothing is no error', async () => {
    const { refreshToken, sessionId } = await logIn('customer@acme.test', password)
    await logOut(refreshToken)
    expect(await state(sessionId)).toBe(true)
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
    for (const token of [refreshToken, 'never given', '']) await logOut(token)
  })

  test('that was already spent logs out all the same, as when a refresh is under way', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    await logOut(first.refreshToken)
    expect(await refresh(second.refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('of somebody else is not touched by logging out', async () => {
    const mine = await logIn('customer@acme.test', password)
    const theirs = await logIn('twice@example.test', 'another in globex')
    await logOut(mine.refreshToken)
    expect((await refresh(theirs.refreshToken)).outcome).toBe('ok')
  })
})

describe('a password', () => {
  test('is kept as a bcrypt hash of cost 10 with its own salt', async () => {
    const hashes = await value<string[]>(
      stage.superuser,
      `select array_agg(password_hash) from app_private.user_secrets as secret join app_public.users as person on person.id = secret.user_id where person.email = 'both@example.test'`,
    )
    expect(new Set(hashes).size).toBe(2)
    for (const hash of hashes) expect(hash).toMatch(/^\$2a\$10\$[./A-Za-z0-9]{53}$/)
  })

  test('of more than bcrypt reads is refused, rather than cut', async () => {
    await expect(
      stage.superuser.query('select app_private.set_password($1, $2, $3)', [
        stage.acme.organizationId,
        stage.acme.customer.userId,
        'é'.repeat(37),
      ]),
    ).rejects.toMatchObject({ code: 'AD003' })
  })

  test('that was replaced is none', async () => {
    const id = await person(stage.acme, 'new@example.test', 'the old one')
    await stage.superuser.query('select app_private.set_password($1, $2, $3)', [
      stage.acme.organizationId,
      id,
      'the new one',
    ])
    expect(await logIn('new@example.test', 'the old one')).toEqual({ outcome: 'invalid_credentials' })
    expect(await logIn('new@example.test', 'the new one')).toMatchObject({ outcome: 'ok' })
  })
})
