import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { committed } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import type { Tenant } from '../support/fixture.ts'

const stage = setStage()
const { does, sees, refuses } = stage

interface Claimed {
  attemptId: string
  url: string
  messageId: string
  body: string
  secrets: string[]
}

const rows = async (sql: string, values: unknown[] = []) => (await stage.superuser.query(sql, values)).rows

const make = async (name: string, settings = '', tenant: Tenant = stage.acme) => {
  const id = await does<string>(
    tenant.admin,
    `select id from app_public.save_webhook($1, 'https://hooks.example.com/' || md5($1)${settings && `, ${settings}`})`,
    [name],
  )
  await stage.ask(
    'set_webhook_secret',
    { webhook_id: id, secret: `v1.${name}`, keep_previous: '0' },
    { actor: tenant.admin },
  )
  return id
}
/** Opens a ticket and says something more: two events. */
const openTicket = async (subject: string, tenant: Tenant = stage.acme) => {
  const id = await does<string>(tenant.customer, 'select id from app_public.create_ticket($1, $2)', [
    subject,
    `${subject} is broken`,
  ])
  await does(tenant.customer, `select id from app_public.add_comment($1, 'Still broken')`, [id])
  return id
}
const say = (ticketId: string, body: string, visibility = 'public') =>
  does<string>(stage.acme.agent, 'select id from app_public.add_comment($1, $2, $3)', [
    ticketId,
    body,
    visibility,
  ])
const announce = (ticketId: string, { worker } = stage.acme) =>
  does(worker, 'select app_private.announce_ticket_events($1)', [ticketId])
const take = (webhookId: string, lane: string, { worker } = stage.acme) =>
  does<Claimed | null>(worker, 'select app_private.take_webhook_delivery($1, $2)', [webhookId, lane])
const finish = (attemptId: string, outcome: object, { worker } = stage.acme) =>
  does(worker, 'select app_private.finish_webhook_attempt($1, $2)', [
    attemptId,
    JSON.stringify({ durationMs: 5, ...outcome }),
  ])
const taken = { status: 204 }
const broken = { status: 500, fault: 'response', error: 'The answer was 500' }

/** What became of a webhook's calls, in order. */
const calls = async (webhookId: string) =>
  (
    await rows(
      `select concat_ws(' ', coalesce(event_type::text, 'ping'), state, nullif(replay, 0)) as line
      from app_public.webhook_deliveries where webhook_id = $1 order by created_at`,
      [webhookId],
    )
  ).map(({ line }) => line as string)
const jobsOf = async (webhookId: string) =>
  (await rows('select key from graphile_worker.jobs where key like $1', [`deliver_webhook:${webhookId}:%`]))
    .length
/** Lets time pass for the calls of a webhook. */
const age = (webhookId: string, interval: string) =>
  committed(stage.superuser, () =>
    stage.superuser.query(
      `with later as (
        update app_public.webhooks set failing_since = failing_since - $2::interval where id = $1
      )
      update app_public.webhook_deliveries
      set created_at = created_at - $2::interval, next_attempt_at = next_attempt_at - $2::interval,
        give_up_at = give_up_at - $2::interval, claimed_until = claimed_until - $2::interval, ended_at = ended_at - $2::interval
      where webhook_id = $1`,
      [webhookId, interval],
    ),
  )

beforeAll(async () => {
  // What the fixture did is told to nobody.
  await stage.superuser.query('delete from app_private.announcement_queue')
})

beforeEach(async () => {
  await stage.superuser.query(`
    delete from app_public.webhooks;
    select graphile_worker.remove_job(key) from graphile_worker.jobs where key like 'deliver_webhook:%'`)
})

describe('who may', () => {
  test('only the worker calls, for one organization at a time', async () => {
    const { acme } = stage
    const some = `'${acme.ticketId}'::uuid`
    for (const call of [
      `take_webhook_delivery(${some}, ${some})`,
      `finish_webhook_attempt(${some}, '{}')`,
      'sweep_webhooks()',
    ]) {
      for (const actor of [acme.customer, acme.agent, acme.admin]) {
        expect(await refuses(actor, `select app_private.${call}`)).toBe('42501')
      }
    }
    for (const call of [`take_webhook_delivery(${some}, ${some})`, 'sweep_webhooks()']) {
      expect(await refuses({ role: 'atum_worker' }, `select app_private.${call}`)).toBe('AD301')
    }
  })

  test('nobody but an admin tests, replays or cancels', async () => {
    const { acme } = stage
    const id = `'${acme.ticketId}'::uuid`
    for (const call of [
      `send_test_webhook(${id})`,
      `replay_webhook_delivery(${id})`,
      `replay_webhook_since(${id}, now())`,
      `cancel_webhook_delivery(${id})`,
    ]) {
      for (const actor of [acme.customer, acme.agent, acme.manager, acme.worker]) {
        expect(await refuses(actor, `select app_public.${call}`)).toBe('42501')
      }
      expect(await refuses(acme.admin, `select app_public.${call}`)).toBe('AD101')
    }
  })
})

describe('what is told', () => {
  test('nothing of another organization, to nobody who is off, has no secret or did not ask', async () => {
    const { acme, globex } = stage
    const theirs = await make('Theirs', '', globex)
    const off = await make('Off', 'is_enabled => false')
    const breaches = await make('Breaches', `event_types => '{sla_breached}'`)
    const all = await make('All')
    const unsigned = await does<string>(
      acme.admin,
      `select id from app_public.save_webhook('Unsigned', 'https://hooks.example.com')`,
    )
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    for (const id of [theirs, off, breaches, unsigned]) expect(await calls(id)).toEqual([])
    expect(await calls(all)).toEqual(['ticket_created waiting', 'comment_added waiting'])
    expect(await jobsOf(all)).toBe(1)

    // A worker that acts for one organization finds nothing of the other one.
    expect(await take(all, ticketId, globex)).toBeNull()
    const { attemptId } = (await take(all, ticketId))!
    await finish(attemptId, taken, globex)
    expect(await calls(all)).toEqual(['ticket_created waiting', 'comment_added waiting'])
  })

  test('an event once, however often it is announced', async () => {
    const all = await make('All')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    await stage.superuser.query(
      `insert into app_private.announcement_queue (organization_id, ticket_id, event_id)
      select organization_id, ticket_id, id from app_public.ticket_events where ticket_id = $1`,
      [ticketId],
    )
    await announce(ticketId)
    expect(await calls(all)).toEqual(['ticket_created waiting', 'comment_added waiting'])
  })

  test('what only staff see, to those alone that asked for it', async () => {
    const plain = await make('Plain')
    const insider = await make('Insider', 'includes_internal => true')
    const ticketId = await openTicket('A lamp')
    await say(ticketId, 'It is the bulb', 'internal')
    await does(stage.acme.agent, `update app_public.tickets set tags = '{dim}' where id = $1 returning id`, [
      ticketId,
    ])
    await announce(ticketId)
    const bodies = async (id: string) =>
      (
        await rows(
          'select payload from app_public.webhook_deliveries where webhook_id = $1 order by created_at',
          [id],
        )
      ).map(({ payload }) => payload)
    const shown = await bodies(plain)
    expect(JSON.stringify(shown)).not.toMatch(/bulb|dim|internal/)
    const all = await bodies(insider)
    expect(all.map(({ type }) => type)).toEqual([
      'ticket.created',
      'ticket.comment_added',
      'ticket.comment_added',
      'ticket.tags_changed',
    ])
    expect(all[2]).toMatchObject({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: {
        organization: { id: stage.acme.organizationId, slug: stage.acme.slug },
        event: {
          type: 'comment_added',
          visibility: 'internal',
          actor: { id: stage.acme.agent.userId, role: 'agent' },
        },
        ticket: {
          id: ticketId,
          subject: 'A lamp',
          priority: 'normal',
          requester: { id: stage.acme.customer.userId },
          assignee: null,
          tags: ['dim'],
          internalFields: {},
        },
        comment: { body: 'It is the bulb', visibility: 'internal' },
      },
    })
  })
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
    expect(claimed.map((each) => each !== null)).toEqual([true, true, true, true, false, false])
    await finish(claimed[0]!.attemptId, broken)
    expect(await take(id, tickets[4]!)).toBeNull()
    for (const { attemptId } of claimed.slice(1, 4) as Claimed[]) await finish(attemptId, broken)
    expect(await take(id, tickets[4]!)).not.toBeNull()
    expect(await take(id, tickets[5]!)).toBeNull()
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

describe('by hand', () => {
  test('a test is made once, says how it went, and is no sign of health', async () => {
    const id = await make('Tested', 'is_enabled => false')
    const testId = await does<string>(stage.acme.admin, 'select id from app_public.send_test_webhook($1)', [
      id,
    ])
    const claimed = (await take(id, testId))!
    expect(JSON.parse(claimed.body)).toMatchObject({
      type: 'ping',
      data: { webhook: { id, name: 'Tested' } },
    })
    expect(claimed.messageId).toMatch(/^ping_[0-9a-f]{32}$/)
    await finish(claimed.attemptId, broken)
    expect(await calls(id)).toEqual(['ping failed'])
    expect(await rows('select failing_since from app_public.webhooks where id = $1', [id])).toEqual([
      { failing_since: null },
    ])
    await does(stage.acme.admin, 'select app_public.replay_webhook_delivery($1)', [testId])
    expect(await calls(id)).toEqual(['ping failed', 'ping waiting'])
  })

  test('what was told is told again under the same name, and after what waits', async () => {
    const id = await make('Replayed')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    const first = (await take(id, ticketId))!
    await finish(first.attemptId, taken)
    const [deliveryId] = await sees(
      stage.acme.admin,
      `select id from app_public.webhook_deliveries where state = 'delivered'`,
    )
    await does(stage.acme.admin, 'select app_public.replay_webhook_delivery($1)', [deliveryId])
    await does(stage.acme.admin, 'select app_public.replay_webhook_delivery($1)', [deliveryId])
    expect(await calls(id)).toEqual([
      'ticket_created delivered',
      'comment_added waiting',
      'ticket_created waiting 1',
      'ticket_created waiting 2',
    ])
    await finish((await take(id, ticketId))!.attemptId, taken)
    expect(await take(id, ticketId)).toMatchObject({ messageId: first.messageId, body: first.body })
  })

  test('what was missed since an instant is told, and what was taken only when that is asked for', async () => {
    const id = await make('Recovered')
    const [since] = await rows('select now() as now')
    const [told, refused, missed] = [
      await openTicket('Told'),
      await openTicket('Refused'),
      await openTicket('Missed'),
    ]
    await announce(told)
    await finish((await take(id, told))!.attemptId, taken)
    await finish((await take(id, told))!.attemptId, taken)
    await announce(refused)
    await finish((await take(id, refused))!.attemptId, { status: 410, fault: 'response' })
    // While it is off.
    await announce(missed)
    expect(await calls(id)).toEqual([
      'ticket_created delivered',
      'comment_added delivered',
      'ticket_created failed',
      'comment_added cancelled',
    ])
    await does(
      stage.acme.admin,
      `select app_public.save_webhook('Recovered', 'https://hooks.example.com', webhook_id => $1)`,
      [id],
    )
    const replay = (more = '') =>
      does<number>(stage.acme.admin, `select app_public.replay_webhook_since($1, $2${more})`, [
        id,
        since!.now,
      ])
    expect(await replay()).toBe(4)
    expect((await calls(id)).slice(4).sort()).toEqual([
      'comment_added waiting',
      'comment_added waiting 1',
      'ticket_created waiting',
      'ticket_created waiting 1',
    ])
    // What waits already is not told twice.
    expect(await replay()).toBe(0)
    expect(await replay(', true')).toBe(2)
    expect(JSON.parse((await take(id, missed))!.body)).toMatchObject({
      type: 'ticket.created',
      data: { ticket: { subject: 'Missed' } },
    })
    // Of the time before it was made, or of another organization, there is nothing.
    expect(
      await does<number>(
        stage.acme.admin,
        `select app_public.replay_webhook_since($1, now() - interval '1 year', true)`,
        [id],
      ),
    ).toBe(0)
  })

  test('what waits is cancelled, and what waited behind it goes on', async () => {
    const id = await make('Cancelled')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    const attempt = (await take(id, ticketId))!
    await finish(attempt.attemptId, broken)
    const [deliveryId] = await sees(
      stage.acme.admin,
      `select id from app_public.webhook_deliveries order by created_at limit 1`,
    )
    await does(stage.acme.admin, 'select app_public.cancel_webhook_delivery($1)', [deliveryId])
    expect(
      await refuses(stage.acme.admin, 'select app_public.cancel_webhook_delivery($1)', [deliveryId]),
    ).toBe('AD101')
    expect(JSON.parse((await take(id, ticketId))!.body)).toMatchObject({ type: 'ticket.comment_added' })
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
