import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'
import { broken, taken, type Claimed, webhooksOf } from '../support/webhook-calls.ts'

const stage = setStage()
const { does, sees } = stage
const { rows, make, openTicket, announce, take, finish, calls, jobsOf, age } = webhooksOf(stage)

beforeAll(async () => {
  // What the fixture did is told to nobody.
  await stage.superuser.query('delete from app_private.announcement_queue')
})

beforeEach(async () => {
  await stage.superuser.query(`
    delete from app_public.webhooks;
    select graphile_worker.remove_job(key) from graphile_worker.jobs where key like 'deliver_webhook:%'`)
})

describe('calling', () => {
  test('is in the order of the ticket: what comes later waits for what fails, and other tickets do not', async () => {
    const id = await make('Ordered')
    const [first, second] = [await openTicket('First'), await openTicket('Second')]
    await announce(first)
    await announce(second)
    const attempt = (await take(id, first))!
    expect(JSON.parse(attempt.body)).toMatchObject({ type: 'ticket.created' })
    // While it is made, nobody else makes it, or the next one.
    expect(await take(id, first)).toBeNull()
    await finish(attempt.attemptId, broken)
    expect(await take(id, first)).toBeNull()
    expect(await calls(id)).toContain('comment_added waiting')
    const other = (await take(id, second))!
    await finish(other.attemptId, taken)

    await age(id, '1 minute')
    const again = (await take(id, first))!
    expect(again).toMatchObject({ messageId: attempt.messageId, body: attempt.body })
    expect(again.attemptId).not.toBe(attempt.attemptId)
    await finish(again.attemptId, taken)
    const next = (await take(id, first))!
    expect(JSON.parse(next.body)).toMatchObject({ type: 'ticket.comment_added' })
    await finish(next.attemptId, taken)
    expect(await take(id, first)).toBeNull()
  })

  test('waits ever longer, as long as the receiver asks within reason, and gives up after a day', async () => {
    const id = await make('Patient')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    const waits: number[] = []
    for (const retryAfterSeconds of [null, null, null, null, 3_600, 1_000_000]) {
      const { attemptId } = (await take(id, ticketId))!
      await finish(attemptId, { ...broken, ...(retryAfterSeconds ? { retryAfterSeconds } : {}) })
      const [{ wait }] = await rows(
        `select extract(epoch from next_attempt_at - now())::int as wait
        from app_public.webhook_deliveries where webhook_id = $1 and event_type = 'ticket_created'`,
        [id],
      )
      waits.push(wait as number)
      await stage.superuser.query(
        'update app_public.webhook_deliveries set next_attempt_at = now() where webhook_id = $1',
        [id],
      )
    }
    const [one, two, three, four, asked, unreasonable] = waits
    for (const [wait, base] of [
      [one, 5],
      [two, 20],
      [three, 80],
      [four, 320],
    ] as const) {
      expect(wait).toBeGreaterThanOrEqual(base * 0.8 - 1)
      expect(wait).toBeLessThanOrEqual(base * 1.2 + 1)
    }
    expect(asked).toBeGreaterThan(3_500)
    expect(asked).toBeLessThan(3_700)
    expect(unreasonable).toBeGreaterThan(14_300)
    expect(unreasonable).toBeLessThan(14_500)

    await age(id, '25 hours')
    const { attemptId } = (await take(id, ticketId))!
    await finish(attemptId, broken)
    expect(await calls(id)).toEqual(['ticket_created failed', 'comment_added waiting'])
    // And the next one has its turn.
    expect(JSON.parse((await take(id, ticketId))!.body)).toMatchObject({ type: 'ticket.comment_added' })
  })

  test('is made again where a worker was lost, and its answer counts once', async () => {
    const id = await make('Lost')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    const lost = (await take(id, ticketId))!
    await age(id, '2 minutes')
    const second = (await take(id, ticketId))!
    expect(second.messageId).toBe(lost.messageId)
    // The lost one comes back with bad news, which are no longer its to tell.
    await finish(lost.attemptId, broken)
    expect(await calls(id)).toEqual(['ticket_created waiting', 'comment_added waiting'])
    expect(await take(id, ticketId)).toBeNull()
    await finish(second.attemptId, taken)
    await finish(second.attemptId, broken)
    expect((await calls(id))[0]).toBe('ticket_created delivered')
    const attempts = await rows(
      `select status from app_public.webhook_attempts as attempt
      join app_public.webhook_deliveries as delivery on delivery.id = delivery_id where webhook_id = $1 order by attempted_at`,
      [id],
    )
    expect(attempts).toEqual([{ status: 500 }, { status: 204 }])
  })

  test('takes few places at once, and one of a webhook that fails', async () => {
    const id = await make('Slow')
    const tickets = []
    for (let number = 0; number < 6; number += 1) tickets.push(await openTicket(`Number ${number}`))
    for (const ticketId of tickets) await announce(ticketId)
    const claimed: (Claimed | null)[] = []
    for (const ticketId of tickets) claimed.push(await take(id, ticketId))
    expect(claimed.map((each) => each !== null)).toEqual([true, true, true, false, false, false])
    await finish(claimed[0]!.attemptId, broken)
    expect(await take(id, tickets[4]!)).toBeNull()
    for (const { attemptId } of claimed.slice(1, 3) as Claimed[]) await finish(attemptId, broken)
    expect(await take(id, tickets[4]!)).not.toBeNull()
    expect(await take(id, tickets[5]!)).toBeNull()
  })

  const forget = () =>
    stage.superuser.query(
      `select graphile_worker.remove_job(key) from graphile_worker.jobs where key like 'deliver_webhook:%'`,
    )

  test('takes few places for all webhooks of an organization, and none of another one', async () => {
    const hooks = []
    for (const name of ['One', 'Two', 'Three', 'Four']) hooks.push(await make(name))
    const elsewhere = await make('Elsewhere', '', stage.globex)
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    const theirs = await openTicket('Their lamp', stage.globex)
    await announce(theirs, stage.globex)
    const claimed: (Claimed | null)[] = []
    for (const id of hooks) claimed.push(await take(id, ticketId))
    expect(claimed.map((each) => each !== null)).toEqual([true, true, true, false])
    expect(await take(elsewhere, theirs, stage.globex)).not.toBeNull()
    // A test is made at once all the same.
    await does(stage.acme.admin, 'select app_public.send_test_webhook($1)', [hooks[3]])
    const [{ lane }] = await rows(
      'select lane from app_public.webhook_deliveries where webhook_id = $1 and event_id is null',
      [hooks[3]],
    )
    expect(await take(hooks[3]!, lane as string)).not.toBeNull()
  })

  test('takes no more places where its webhook is deleted under it, again and again', async () => {
    for (let number = 0; number < 12; number += 1) {
      const id = await make(`Deleted ${number}`)
      const test = await does<string>(stage.acme.admin, 'select id from app_public.send_test_webhook($1)', [
        id,
      ])
      const ticketId = await openTicket(`Number ${number}`)
      await announce(ticketId)
      await take(id, test)
      await does(stage.acme.admin, 'select app_public.delete_webhook($1)', [id])
    }
    // Of the jobs of one line one is done at a time.
    const lines = await rows(
      `select distinct queue_name from graphile_worker.jobs where key like 'deliver_webhook:%' order by 1`,
    )
    const known = ['0', '1', '2', '3', 'test:0', 'test:1'].map(
      (line) => `deliver_webhook:${stage.acme.organizationId}:${line}`,
    )
    expect(lines.length).toBeGreaterThan(1)
    for (const { queue_name } of lines) expect(known).toContain(queue_name)
  })

  test('is a test two times at once in an organization, and once for each webhook that waits', async () => {
    const hooks = []
    for (const name of ['One', 'Two', 'Three']) hooks.push(await make(name))
    const ask = (id: string) =>
      does<string>(stage.acme.admin, 'select id from app_public.send_test_webhook($1)', [id])
    const lanes = []
    for (const id of hooks) {
      await ask(id)
      lanes.push(await ask(id))
    }
    expect(await calls(hooks[0]!)).toEqual(['ping cancelled', 'ping waiting'])
    const claimed: (Claimed | null)[] = []
    for (const [at, id] of hooks.entries()) claimed.push(await take(id, lanes[at]!))
    expect(claimed.map((each) => each !== null)).toEqual([true, true, false])
    // It comes back by itself.
    expect(await jobsOf(hooks[2]!)).toBeGreaterThan(0)
    const elsewhere = await make('Elsewhere', '', stage.globex)
    const theirs = await does<string>(stage.globex.admin, 'select id from app_public.send_test_webhook($1)', [
      elsewhere,
    ])
    expect(await take(elsewhere, theirs, stage.globex)).not.toBeNull()
    await finish(claimed[0]!.attemptId, broken)
    expect(await take(hooks[2]!, lanes[2]!)).not.toBeNull()
  })

  test.each([
    ['when a lane has no more', taken],
    ['when a call failed', broken],
  ])('goes on with another webhook that found no place %s', async (_when, outcome) => {
    const hooks = []
    for (const name of ['One', 'Two', 'Three', 'Four']) hooks.push(await make(name))
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    const claimed: (Claimed | null)[] = []
    for (const id of hooks) claimed.push(await take(id, ticketId))
    await stage.superuser.query(
      `update app_public.webhook_deliveries set state = 'cancelled', ended_at = now()
      where webhook_id = $1 and claimed_until is null`,
      [hooks[0]],
    )
    await forget()
    // Who found no place wakes nobody, or they would wake each other for ever.
    expect(await take(hooks[3]!, ticketId)).toBeNull()
    expect(await jobsOf(hooks[3]!)).toBe(0)
    await finish(claimed[0]!.attemptId, outcome)
    expect(await take(hooks[0]!, ticketId)).toBeNull()
    expect(await jobsOf(hooks[3]!)).toBe(1)
    expect(await take(hooks[3]!, ticketId)).not.toBeNull()
  })

  test('goes on with others when a webhook was deleted under a call, and not for one suspended', async () => {
    const hooks = []
    for (const name of ['One', 'Two', 'Three', 'Four']) hooks.push(await make(name))
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    for (const id of hooks.slice(0, 3)) await take(id, ticketId)
    await forget()
    await does(stage.acme.admin, 'select app_public.delete_webhook($1)', [hooks[0]])
    const suspend = (is: boolean) =>
      stage.superuser.query(
        'update app_public.organizations set suspended_at = case when $2 then now() end where id = $1',
        [stage.acme.organizationId, is],
      )
    await suspend(true)
    expect(await take(hooks[0]!, ticketId)).toBeNull()
    expect(await jobsOf(hooks[3]!)).toBe(0)
    await suspend(false)
    expect(await take(hooks[0]!, ticketId)).toBeNull()
    expect(await jobsOf(hooks[3]!)).toBe(1)
  })

  test('does not ask a webhook that fails by one lane after the other', async () => {
    const id = await make('Failing')
    const tickets = [await openTicket('1'), await openTicket('2'), await openTicket('3')]
    for (const ticketId of tickets) await announce(ticketId)
    const attempt = (await take(id, tickets[0]!))!
    await forget()
    await finish(attempt.attemptId, broken)
    expect(await take(id, tickets[0]!)).toBeNull()
    // Only the one that was refused comes back, in its time.
    expect(await jobsOf(id)).toBe(1)
  })

  test('goes on with all that waits when a webhook recovers', async () => {
    const id = await make('Recovering')
    const [first, second] = [await openTicket('First'), await openTicket('Second')]
    await announce(first)
    await announce(second)
    await finish((await take(id, first))!.attemptId, broken)
    expect(await sees(stage.acme.admin, 'select failing_since is not null from app_public.webhooks')).toEqual(
      [true],
    )
    await age(id, '1 minute')
    const again = (await take(id, first))!
    await stage.superuser.query(
      `select graphile_worker.remove_job(key) from graphile_worker.jobs where key like 'deliver_webhook:%'`,
    )
    await finish(again.attemptId, taken)
    expect(await sees(stage.acme.admin, 'select failing_since from app_public.webhooks')).toEqual([null])
    expect(await jobsOf(id)).toBe(2)
  })
})

describe('a webhook is switched off', () => {
  const state = async (id: string) =>
    (await rows('select is_enabled, disabled_reason from app_public.webhooks where id = $1', [id]))[0]
  const alerts = async () =>
    (
      await rows(
        `select count(*)::int as count from app_public.notifications where facts ->> 'alert' = 'webhook_disabled'`,
      )
    )[0]!.count as number

  test('by 410 Gone, with what waits, and the admins are told once', async () => {
    const id = await make('Gone')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    const before = await alerts()
    await finish((await take(id, ticketId))!.attemptId, { status: 410, fault: 'response' })
    expect(await state(id)).toEqual({ is_enabled: false, disabled_reason: 'gone' })
    expect(await calls(id)).toEqual(['ticket_created failed', 'comment_added cancelled'])
    expect(await take(id, ticketId)).toBeNull()
    expect(await alerts()).toBeGreaterThan(before)
    // Switched on again it has failed at nothing.
    await does(
      stage.acme.admin,
      `select app_public.save_webhook('Gone', 'https://hooks.example.com', webhook_id => $1)`,
      [id],
    )
    expect(
      await rows('select failing_since, disabled_at, is_enabled from app_public.webhooks where id = $1', [
        id,
      ]),
    ).toEqual([{ failing_since: null, disabled_at: null, is_enabled: true }])
  })

  test('after three days without one that was taken and three that were given up, and not before', async () => {
    const id = await make('Failing')
    const tickets = [
      await openTicket('1'),
      await openTicket('2'),
      await openTicket('3'),
      await openTicket('4'),
    ]
    for (const ticketId of tickets) await announce(ticketId)
    await finish((await take(id, tickets[0]!))!.attemptId, broken)
    await age(id, '25 hours')
    for (const ticketId of tickets.slice(0, 3)) await finish((await take(id, ticketId))!.attemptId, broken)
    expect((await calls(id)).filter((line) => line.endsWith('failed'))).toHaveLength(3)
    // Three were given up, but within a day.
    expect(await state(id)).toMatchObject({ is_enabled: true })
    await age(id, '48 hours')
    await finish((await take(id, tickets[3]!))!.attemptId, broken)
    expect(await state(id)).toEqual({ is_enabled: false, disabled_reason: 'failing' })
    expect((await calls(id)).some((line) => line.endsWith('waiting'))).toBe(false)
  })

  test('not for a single call that nobody wants', async () => {
    const id = await make('Picky')
    const ticketId = await openTicket('1')
    await announce(ticketId)
    await finish((await take(id, ticketId))!.attemptId, broken)
    await age(id, '100 hours')
    await finish((await take(id, ticketId))!.attemptId, broken)
    expect(await state(id)).toMatchObject({ is_enabled: true })
  })

  test('by hand, with what waits', async () => {
    const id = await make('By hand')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    await does(
      stage.acme.admin,
      `select app_public.save_webhook('By hand', 'https://hooks.example.com', webhook_id => $1, is_enabled => false)`,
      [id],
    )
    expect(await calls(id)).toEqual(['ticket_created cancelled', 'comment_added cancelled'])
  })
})

describe('the sweep', () => {
  const sweep = ({ worker } = stage.acme) => does(worker, 'select app_private.sweep_webhooks()')

  test('has called what has lost its job, a few of a webhook that fails, and nothing that is being made', async () => {
    const id = await make('Swept')
    const tickets = []
    for (let number = 0; number < 5; number += 1) tickets.push(await openTicket(`Number ${number}`))
    for (const ticketId of tickets) await announce(ticketId)
    const lose = () =>
      stage.superuser.query(
        `select graphile_worker.remove_job(key) from graphile_worker.jobs where key like 'deliver_webhook:%'`,
      )
    await lose()
    await sweep(stage.globex)
    expect(await jobsOf(id)).toBe(0)
    await sweep()
    expect(await jobsOf(id)).toBe(5)
    const { attemptId } = (await take(id, tickets[0]!))!
    await lose()
    await sweep()
    expect(await jobsOf(id)).toBe(4)
    await finish(attemptId, broken)
    await lose()
    await sweep()
    expect(await jobsOf(id)).toBe(3)
  })

  test('forgets what is older than 30 days with its attempts, and secrets that are over', async () => {
    const id = await make('Old')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    await finish((await take(id, ticketId))!.attemptId, taken)
    await age(id, '31 days')
    await stage.superuser.query(
      `insert into app_private.webhook_secrets (organization_id, webhook_id, sealed, expires_at)
      values ($1, $2, 'v1.over', now())`,
      [stage.acme.organizationId, id],
    )
    await sweep()
    expect(await calls(id)).toEqual(['comment_added waiting'])
    expect(await rows('select sealed from app_private.webhook_secrets where webhook_id = $1', [id])).toEqual([
      { sealed: 'v1.Old' },
    ])
    expect(
      await rows('select id from app_public.webhook_attempts where organization_id = $1', [
        stage.acme.organizationId,
      ]),
    ).toEqual([])
  })
})
