import { createHash } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword } from '../support/fixture.ts'
import { sqlState } from '../support/refusals.ts'
import { rolledBack } from '../support/session.ts'
import { type Answer, loginsOn } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const password = fixturePassword

const { logIn, person, forgiveFailures, sessions, recordedWhile, actsWithoutOrigin } = loginsOn(stage)

const platform = '00000000-0000-0000-0000-000000000000'

beforeAll(async () => {
  await person(stage.acme, 'both@example.test', 'the same in both')
  await person(stage.globex, 'both@example.test', 'the same in both')
  await person(stage.acme, 'twice@example.test', 'one in acme')
  await person(stage.globex, 'twice@example.test', 'another in globex')
  await person(stage.acme, 'demo@example.test', 'a demo password', { demo: true })
  const shut = await person(stage.acme, 'shut@example.test', password)
  await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [shut])
})

beforeEach(forgiveFailures)

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
    [
      'with an address that only folds into the right one',
      () => logIn('customer@acme.test'.replace('i', 'İ').replace('s', 'ſ'), password),
    ],
    ['with a pattern for an address', () => logIn('%@acme.test', password)],
    ['with an account that has no password', () => logIn('agent@acme.test', '')],
    ['with an account that is shut', () => logIn('shut@example.test', password)],
    ['with a demo password where that is not allowed', () => logIn('demo@example.test', 'a demo password')],
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
    expect(await logIn('demo@example.test', 'a demo password', { demo: true })).toMatchObject({
      outcome: 'ok',
    })
  })

  test('and the claims last as long as the transaction', async () => {
    await rolledBack(stage.server, async () => {
      await stage.server.query(
        `select app_private.log_in('customer@acme.test', $1, null, false, '192.0.2.7', null)`,
        [password],
      )
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

describe('the right password is not enough', () => {
  const acme = `(select id from app_public.organizations where slug = 'acme')`
  const localLogin = (isOn: boolean) =>
    `update app_public.security_policies set local_login = ${isOn} where organization_id = ${acme}`
  const change = (sql: string) => stage.superuser.query(sql)

  test.each([
    [
      'organization_suspended',
      `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
      'update app_public.organizations set suspended_at = null',
    ],
    [
      'address_not_allowed',
      `insert into app_public.ip_rules (organization_id, role, network) values (${acme}, 'customer', '198.51.100.0/24')`,
      `delete from app_public.ip_rules where role = 'customer'`,
    ],
    [
      'email_not_verified',
      `update app_public.users set activated_at = null where email = 'customer@acme.test'`,
      `update app_public.users set activated_at = now() where email = 'customer@acme.test'`,
    ],
    ['local_login_off', localLogin(false), localLogin(true)],
  ])('where the answer is %s', async (outcome, obstacle, relief) => {
    await change(obstacle)
    const before = await sessions()
    const records = await recordedWhile(async () => {
      expect(await logIn('customer@acme.test', password)).toEqual({ outcome })
    })
    expect(records).toEqual([
      {
        organization_id: stage.acme.organizationId,
        operation: 'login_refused',
        row_id: stage.acme.customer.userId,
        actor_id: stage.acme.customer.userId,
        after: { reason: outcome },
      },
    ])
    // Who does not know the password is told nothing of it.
    expect(await logIn('customer@acme.test', 'wrong')).toEqual({ outcome: 'invalid_credentials' })
    expect(await sessions()).toBe(before)
    await change(relief)
    expect(await logIn('customer@acme.test', password)).toMatchObject({ outcome: 'ok' })
  })

  test('to get past a closed organization by being allowed everything else', async () => {
    await change(`update app_public.organizations set suspended_at = now() where slug = 'acme'`)
    await change(localLogin(false))
    expect(await logIn('customer@acme.test', password)).toEqual({ outcome: 'organization_suspended' })
    await change(localLogin(true))
    await change('update app_public.organizations set suspended_at = null')
  })

  test('where local login is off, unless the account is there to break the glass', async () => {
    await person(stage.acme, 'glass@example.test', password, { role: 'admin' })
    await change(localLogin(false))
    expect(await logIn('glass@example.test', password)).toEqual({ outcome: 'local_login_off' })
    await change(`update app_public.users set is_break_glass = true where email = 'glass@example.test'`)
    expect(await logIn('glass@example.test', password)).toMatchObject({ outcome: 'ok' })
    await change(localLogin(true))
  })

  test('where a second factor is on or demanded: it gives a challenge and no session', async () => {
    const id = await person(stage.acme, 'two@example.test', password, { role: 'agent' })
    const before = await sessions()
    const challenged = async () => {
      const answer = await logIn('two@example.test', password)
      expect(answer).toEqual({
        outcome: expect.any(String),
        challenge: expect.stringMatching(/^[0-9a-f]{64}$/),
      })
      return answer.outcome
    }
    await change(`update app_public.security_policies set two_factor_roles = '{agent}'`)
    expect(await challenged()).toBe('two_factor_enrolment')
    await change(`insert into app_private.authenticators (organization_id, user_id, sealed)
      values (${acme}, '${id}', 'v1.sealed')`)
    // Begun is not done.
    expect(await challenged()).toBe('two_factor_enrolment')
    await change(`update app_private.authenticators set confirmed_at = now() where user_id = '${id}'`)
    expect(await challenged()).toBe('two_factor_required')
    await change(`update app_public.security_policies set two_factor_roles = '{}'`)
    expect(await challenged()).toBe('two_factor_required')
    expect(await sessions()).toBe(before)
    expect(
      await value(
        stage.superuser,
        `select count(distinct challenge_hash)::int from app_private.login_challenges where user_id = $1`,
        [id],
      ),
    ).toBe(4)
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
      after: { proof: 'password' },
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
    const demo = await recordedWhile(() => logIn('demo@example.test', 'a demo password'))
    expect([...shut, ...demo].map(({ operation, organization_id }) => [operation, organization_id])).toEqual([
      ['login_failed', stage.acme.organizationId],
      ['login_failed', stage.acme.organizationId],
    ])
  })

  test('says of each act from where and in which request it came', async () => {
    expect(await actsWithoutOrigin()).toEqual([])
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
      await forgiveFailures()
      const begun = performance.now()
      await attempt()
      fastest[name] = Math.min(fastest[name] ?? Infinity, performance.now() - begun)
    }
  }
  expect(isSame(), `unknown, two and shut against wrong: ${ratios().join(', ')}`).toBe(true)
}, 60_000)

test('a password that is replaced while it is compared lets nobody in', async () => {
  const id = await person(stage.acme, 'replaced@example.test', 'the one before')
  const other = await stage.open(stage.database.superuserUrl)
  await other.query('begin')
  await other.query('select app_private.set_password($1, $2, $3)', [
    stage.acme.organizationId,
    id,
    'the one after',
  ])
  // It compares with what was committed, and then waits for what becomes of the row.
  const answer = logIn('replaced@example.test', 'the one before')
  await expect
    .poll(() =>
      value(
        stage.superuser,
        `select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      ),
    )
    .toBe(1)
  await other.query('commit')
  expect(await answer).toEqual({ outcome: 'invalid_credentials' })
  expect(await logIn('replaced@example.test', 'the one after')).toMatchObject({ outcome: 'ok' })
})
