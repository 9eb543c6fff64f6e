import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword } from '../support/fixture.ts'
import { sqlState } from '../support/refusals.ts'
import { committed } from '../support/session.ts'
import { type Answer, loginsOn } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const password = fixturePassword

const { logIn, person, sessions, recordedWhile } = loginsOn(stage)

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
