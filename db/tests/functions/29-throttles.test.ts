import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword as password } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { logIn, openSession, person, forgiveFailures, recordedWhile, actsWithoutOrigin, sessions } =
  loginsOn(stage)

beforeEach(forgiveFailures)

const quarterOfAnHour = 900
const here = '192.0.2.7'
const customer = 'customer@acme.test'

/** What a login with a mail address is counted by: the person of acme who has it, or the address itself. */
const account = async (email: string | null) =>
  value<string | null>(
    stage.superuser,
    `select coalesce(
      (select id::text from app_public.users where organization_id = $2 and email = app_private.mail_address($1)),
      'mail ' || lower($1)
    )`,
    [email, stage.acme.organizationId],
  )

/** Mistypes the password so often, without what comparing it costs. */
const fail = async (email: string | null, from: string | null, times = 1) =>
  stage.superuser.query(
    `select count(app_private.count_login_failure($1, $2)) from generate_series(1, $3::int)`,
    [await account(email), from, times],
  )

/** The seconds that the last failure keeps out, by what is counted; null where it does not. */
async function delays(email: string, from: string): Promise<Record<string, number | null>> {
  const { rows } = await stage.superuser.query<{ kind: string; seconds: number | null }>(
    `select split_part(key, ':', 1) as kind,
      case when blocked_until > '-infinity' then extract(epoch from blocked_until - failed_at)::int end as seconds
    from app_private.login_failures join app_private.login_throttles($1, $2) using (key)`,
    [await account(email), from],
  )
  return Object.fromEntries(rows.map(({ kind, seconds }) => [kind, seconds]))
}

/** So many seconds pass for what was counted. */
const pass = (interval: string) =>
  stage.superuser.query(
    `update app_private.login_failures set failed_at = failed_at - $1::interval, blocked_until = blocked_until - $1::interval`,
    [interval],
  )

const address = (number: number) => `198.51.100.${number}`

describe('guessing gets slower', () => {
  test('for one account from one address at once, and never by more than a quarter of an hour', async () => {
    const seen: (number | null | undefined)[] = []
    for (let each = 1; each <= 20; each += 1) {
      await fail(customer, here)
      seen.push((await delays(customer, here)).pair)
    }
    expect(seen).toEqual([
      ...[null, null, null, null],
      ...[1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      ...Array.from({ length: 6 }, () => quarterOfAnHour),
    ])
    await fail(customer, here, 100)
    expect(Math.max(...Object.values(await delays(customer, here)).map(Number))).toBe(quarterOfAnHour)
  })

  test('for one account from ever other addresses later, and by a minute at most', async () => {
    const seen: (number | null | undefined)[] = []
    for (let each = 1; each <= 30; each += 1) {
      await fail(customer, address(each))
      seen.push((await delays(customer, address(each))).account)
    }
    expect(seen.slice(18)).toEqual([null, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60])
  })

  test('for one address with ever other accounts later still', async () => {
    const seen: (number | null | undefined)[] = []
    for (let each = 1; each <= 62; each += 1) {
      await fail(`${each}@nowhere.test`, here)
      seen.push((await delays(`${each}@nowhere.test`, here)).address)
    }
    expect(seen.slice(48)).toEqual([null, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
  })

  test('also for the right password, which is not even compared', async () => {
    await fail(customer, here, 10)
    const before = await sessions()
    const records = await recordedWhile(async () => {
      for (const secret of [password, 'wrong', null]) {
        const answer = await logIn(customer, secret)
        expect(answer).toEqual({ outcome: 'too_many_attempts', retryAfterSeconds: expect.any(Number) })
        expect(answer.retryAfterSeconds).toBeGreaterThan(25)
        expect(answer.retryAfterSeconds).toBeLessThanOrEqual(32)
      }
    })
    expect(records).toEqual([])
    expect(await sessions()).toBe(before)
    // Asking meanwhile makes it no longer.
    expect((await delays(customer, here)).pair).toBe(32)
  })

  test('for an address that nobody has just as for one that somebody has', async () => {
    const told = async (email: string) => {
      await forgiveFailures()
      const answers = []
      await fail(email, here, 4)
      answers.push((await logIn(email, 'wrong')).outcome)
      await fail(email, here, 4)
      const { outcome, retryAfterSeconds } = await logIn(email, 'wrong')
      answers.push(outcome, Number(retryAfterSeconds) > 10 && Number(retryAfterSeconds) <= 16)
      await pass('1 hour')
      await fail(email, '2001:db8::7', 30)
      answers.push((await logIn(email, 'wrong', { from: '203.0.113.9' })).outcome)
      return answers
    }
    const known = await told('neighbour@acme.test')
    expect(known).toEqual(['invalid_credentials', 'too_many_attempts', true, 'too_many_attempts'])
    expect(await told('nobody@acme.test')).toEqual(known)
  })

  test('however the address is written', async () => {
    await fail('CUSTOMER@acme.TEST', '::ffff:192.0.2.7', 10)
    expect((await logIn(customer, password)).outcome).toBe('too_many_attempts')
    await forgiveFailures()
    await fail(customer, '2001:db8:0:1::a', 10)
    expect((await logIn(customer, password, { from: '2001:db8:0:1:ffff::b' })).outcome).toBe(
      'too_many_attempts',
    )
    expect((await logIn(customer, password, { from: '2001:db8:0:2::a' })).outcome).toBe('ok')
  })

  test('without an error where there is no address of either kind', async () => {
    await fail(null, null, 10)
    expect((await logIn(null, null, { from: '192.0.2.44' })).outcome).toBe('invalid_credentials')
    expect(
      await value(
        stage.server,
        `select app_private.log_in(null, null, null, null, null, null) ->> 'outcome'`,
      ),
    ).toBe('too_many_attempts')
  })

  test('by each of two failures at the same moment', async () => {
    const id = await account(customer)
    const clients = await Promise.all([1, 2].map(() => stage.open(stage.database.superuserUrl)))
    await Promise.all(
      clients.map(async (client) => {
        for (let each = 1; each <= 10; each += 1) {
          await client.query('select app_private.count_login_failure($1, $2)', [id, here])
        }
      }),
    )
    expect(
      await value(stage.superuser, 'select array_agg(distinct failures) from app_private.login_failures'),
    ).toEqual([20])
  })
})

describe('nobody is kept out for long', () => {
  test('after the delay the right password lets in, and what went wrong from there is forgotten', async () => {
    await fail(customer, here, 10)
    await pass('33 seconds')
    expect((await logIn(customer, password)).outcome).toBe('ok')
    expect(Object.keys(await delays(customer, here)).toSorted()).toEqual(['account', 'address'])
  })

  test('a right account of their own does not help who guesses others', async () => {
    for (let each = 1; each <= 55; each += 1) await fail(`${each}@nowhere.test`, here)
    await pass('33 seconds')
    expect((await logIn(customer, password)).outcome).toBe('ok')
    expect((await delays(customer, here)).address).toBe(32)
    await fail('one more@nowhere.test', here)
    expect((await delays(customer, here)).address).toBe(64)
  })

  test('after an hour of quiet counting begins anew', async () => {
    await fail(customer, here, 60)
    await pass('61 minutes')
    await fail(customer, here)
    expect(
      await value(stage.superuser, 'select array_agg(distinct failures) from app_private.login_failures'),
    ).toEqual([1])
  })

  test('a person comes in from where they were before, whatever strangers do elsewhere', async () => {
    await openSession(stage.acme.customer.userId)
    for (let each = 1; each <= 40; each += 1) await fail(customer, address(each))
    expect((await logIn(customer, password)).outcome).toBe('ok')
    expect((await logIn(customer, password, { from: '203.0.113.5' })).outcome).toBe('too_many_attempts')
    // What goes wrong there counts all the same.
    await fail(customer, here, 10)
    expect((await logIn(customer, password)).outcome).toBe('too_many_attempts')
  })

  test('where they were before it is a minute at most, whatever neighbours do', async () => {
    await openSession(stage.acme.customer.userId)
    await fail(customer, here, 60)
    const { outcome, retryAfterSeconds } = await logIn(customer, password)
    expect(outcome).toBe('too_many_attempts')
    expect(retryAfterSeconds).toBeLessThanOrEqual(60)
    await pass('61 seconds')
    expect((await logIn(customer, password)).outcome).toBe('ok')
    // Nor does guessing at other accounts from the same address keep them out.
    for (let each = 1; each <= 60; each += 1) await fail(`${each}@nowhere.test`, here)
    expect((await logIn(customer, password)).outcome).toBe('ok')
  })

  test('an account with the same mail address elsewhere lifts nothing', async () => {
    const elsewhere = 'a password of globex'
    const email = await value<string>(
      stage.superuser,
      'select email from app_public.users where organization_id = $1 and id = $2',
      [stage.acme.organizationId, stage.acme.manager.userId],
    )
    await person(stage.globex, email, elsewhere)
    await stage.superuser.query('select app_private.set_password($1, $2, $3)', [
      stage.acme.organizationId,
      stage.acme.manager.userId,
      password,
    ])
    await fail(email, '203.0.113.77', 10)
    expect((await logIn(email, elsewhere, { from: '203.0.113.77' })).outcome).toBe('ok')
    expect((await logIn(email, password, { from: '203.0.113.77' })).outcome).not.toBe('ok')
    expect((await logIn(email, password, { from: '203.0.113.77', slug: 'acme' })).outcome).toBe(
      'too_many_attempts',
    )
  })

  test('but not from where they were long ago, or where somebody else was', async () => {
    await openSession(stage.acme.neighbour.userId)
    await stage.superuser.query(
      `update app_private.sessions set created_at = now() - interval '31 days' where user_id = $1`,
      [stage.acme.customer.userId],
    )
    for (let each = 1; each <= 40; each += 1) await fail(customer, address(each))
    expect((await logIn(customer, password)).outcome).toBe('too_many_attempts')
  })
})

describe('what is kept', () => {
  test('of a failure says nothing about whose it was', async () => {
    await fail(customer, here)
    const keys = await value<string[]>(
      stage.superuser,
      'select array_agg(key) from app_private.login_failures',
    )
    expect(keys).toHaveLength(3)
    for (const key of keys) expect(key).toMatch(/^(pair|account|address):[0-9a-f]{64}$/)
  })

  test('of the beginning of a delay is a record, once', async () => {
    await fail(customer, here, 4)
    const acts = async (email: string) =>
      (await recordedWhile(() => logIn(email, 'wrong'))).map(
        ({ operation, organization_id, row_id, after }) => [operation, organization_id, row_id, after],
      )
    const { organizationId, customer: known } = stage.acme
    expect(await acts(customer)).toEqual([
      ['login_failed', organizationId, known.userId, { email: customer }],
      ['lockout', organizationId, known.userId, { email: customer }],
    ])
    await pass('2 seconds')
    expect((await acts(customer)).map(([operation]) => operation)).toEqual(['login_failed'])

    await fail('nobody@acme.test', '192.0.2.50', 4)
    const platform = '00000000-0000-0000-0000-000000000000'
    expect(
      (await recordedWhile(() => logIn('nobody@acme.test', 'x', { from: '192.0.2.50' }))).map(
        ({ operation, organization_id }) => [operation, organization_id],
      ),
    ).toEqual([
      ['login_failed', platform],
      ['lockout', platform],
    ])
  })

  test('of each act is from where and in which request', async () => {
    expect(await actsWithoutOrigin()).toEqual([])
  })

  test('is forgotten by the worker, and not before', async () => {
    const worker = await stage.open(stage.database.workerUrl)
    const left = () =>
      value(
        stage.superuser,
        `select array[(select count(*) from app_private.login_failures), (select count(*) from app_private.rate_buckets),
          (select count(*) from app_private.login_challenges)]::int[]`,
      )
    await stage.superuser.query('delete from app_private.rate_buckets')
    await fail(customer, here)
    await stage.ask('take_tokens', { key: 'somebody', rate: 1, burst: 5, wanted: 1 })
    await worker.query('select app_private.forget_throttles()')
    expect(await left()).toEqual([3, 1, 2])
    await pass('25 hours')
    await stage.superuser.query(
      `update app_private.rate_buckets set filled_at = now() - interval '11 minutes'`,
    )
    await stage.superuser.query(
      `update app_private.login_challenges set expires_at = now() - interval '61 minutes'`,
    )
    await worker.query('select app_private.forget_throttles()')
    expect(await left()).toEqual([0, 0, 0])
  })
})

describe('an allowance', () => {
  const take = async (
    key: string,
    wanted: number,
    { rate = 0.001, burst = 10, client = stage.server } = {},
  ) => {
    const { rows } = await client.query<{ granted: number; retry_after: number }>(
      'select * from app_private.take_tokens($1, $2, $3, $4)',
      [key, rate, burst, wanted],
    )
    return rows[0]!
  }
  const later = (key: string, interval: string) =>
    stage.superuser.query(
      'update app_private.rate_buckets set filled_at = filled_at - $2::interval where key = $1',
      [key, interval],
    )

  test('gives what there is and then nothing, and says when to come again', async () => {
    const key = randomUUID()
    expect(await take(key, 7)).toEqual({ granted: 7, retry_after: 0 })
    expect(await take(key, 7)).toEqual({ granted: 3, retry_after: 0 })
    const { granted, retry_after } = await take(key, 1)
    expect(granted).toBe(0)
    expect(retry_after).toBeGreaterThan(990)
    expect(retry_after).toBeLessThanOrEqual(1000)
    // Each caller has an own one.
    expect((await take(randomUUID(), 1)).granted).toBe(1)
  })

  test('refills with time, up to its size', async () => {
    const key = randomUUID()
    await take(key, 10)
    await later(key, '2500 seconds')
    expect((await take(key, 10)).granted).toBe(2)
    // Half a request is kept.
    await later(key, '600 seconds')
    expect((await take(key, 10)).granted).toBe(1)
    await later(key, '10 days')
    expect((await take(key, 100)).granted).toBe(10)
  })

  test('is not emptied by a clock that goes back', async () => {
    const key = randomUUID()
    await take(key, 5)
    await later(key, '-1 hour')
    expect((await take(key, 10)).granted).toBe(5)
  })

  test.each([0, -5])('for %i is asked as for one', async (wanted) => {
    expect((await take(randomUUID(), wanted)).granted).toBe(1)
  })

  test('is exact, however many ask at the same moment', async () => {
    const key = randomUUID()
    const clients = await Promise.all([1, 2, 3].map(() => stage.open(stage.database.serverUrl)))
    let granted = 0
    await Promise.all(
      clients.map(async (client) => {
        for (let each = 1; each <= 30; each += 1) {
          const taken = await take(key, 1, { burst: 40, client })
          granted += taken.granted
        }
      }),
    )
    expect(granted).toBe(40)
  })

  test("is the server's to ask for, and nobody's to look at", async () => {
    const { customer, admin, worker } = stage.acme
    for (const actor of [customer, admin, worker, { role: 'atum_operator' } as const]) {
      expect(await stage.refuses(actor, `select app_private.take_tokens('x', 1, 1, 1)`)).toBe('42501')
      expect(await stage.refuses(actor, 'select key from app_private.rate_buckets')).toBe('42501')
      expect(await stage.refuses(actor, 'select key from app_private.login_failures')).toBe('42501')
    }
  })
})
