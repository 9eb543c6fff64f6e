import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'
import { taken, webhooksOf } from '../support/webhook-calls.ts'

const stage = setStage()
const { does, refuses } = stage
const { rows, make, openTicket, say, announce, take, finish, calls, jobsOf } = webhooksOf(stage)

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
