import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'
import { broken, taken, webhooksOf } from '../support/webhook-calls.ts'

const stage = setStage()
const { does, sees, refuses } = stage
const { rows, make, openTicket, announce, take, finish, calls } = webhooksOf(stage)

beforeAll(async () => {
  // What the fixture did is told to nobody.
  await stage.superuser.query('delete from app_private.announcement_queue')
})

beforeEach(async () => {
  await stage.superuser.query(`
    delete from app_public.webhooks;
    select graphile_worker.remove_job(key) from graphile_worker.jobs where key like 'deliver_webhook:%'`)
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

  test('no more than so many are told once more within an hour', async () => {
    const id = await make('Asked again and again')
    const ticketId = await openTicket('A lamp')
    await announce(ticketId)
    await finish((await take(id, ticketId))!.attemptId, taken)
    const replay = () =>
      does<number>(
        stage.acme.admin,
        `select app_public.replay_webhook_since($1, now() - interval '1 hour', true)`,
        [id],
      )
    await stage.superuser.query(
      `insert into app_public.webhook_deliveries (organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, replay, payload, state, ended_at)
      select organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, number, '{}', 'cancelled', now()
      from app_public.webhook_deliveries, generate_series(1, 20000) as number
      where webhook_id = $1 and event_type = 'ticket_created'`,
      [id],
    )
    expect(await replay()).toBe(0)
    await stage.superuser.query(
      `update app_public.webhook_deliveries set created_at = now() - interval '2 hours' where replay > 0`,
    )
    expect(await replay()).toBe(1)
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
