import type { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import type { Actor } from '../support/session.ts'
import { asRoleForGood, become } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()

interface Sent {
  outgoing_reply_id: string | null
  send_at: string | null
  comment_id: string | null
}

let ticketId: string

beforeEach(async () => {
  ticketId = await stage.does<string>(
    stage.acme.customer,
    `select id from app_public.create_ticket('The gate stays shut', 'Since eight', service_id => $1)`,
    [stage.acme.serviceId],
  )
})

const delay = (seconds: number) =>
  stage.superuser.query('update app_public.ticket_settings set undo_send_seconds = $1', [seconds])
afterEach(() => delay(10))

function callOf(values: Record<string, unknown>) {
  const named: Record<string, unknown> = { ticket_id: ticketId, body: 'Try again now', ...values }
  const names = Object.keys(named).map((name, position) => `${name} => $${position + 1}`)
  return [
    `select to_jsonb(sent) from app_public.send_reply(${names.join(', ')}) as sent`,
    Object.values(named),
  ] as const
}
const send = (values: Record<string, unknown> = {}, actor: Actor = stage.acme.agent) =>
  stage.does<Sent>(actor, ...callOf(values))
const refusesToSend = (values: Record<string, unknown> = {}, actor: Actor = stage.acme.agent) =>
  stage.refuses(actor, ...callOf(values))

const comments = () =>
  stage.sees(
    stage.acme.agent,
    `select body from app_public.comments where ticket_id = $1 and body <> 'Since eight' order by created_at`,
    [ticketId],
  )
const outgoing = () =>
  stage.sees(stage.acme.agent, 'select body from app_public.outgoing_replies where ticket_id = $1', [
    ticketId,
  ])
const drafts = () =>
  stage.sees(
    stage.acme.agent,
    'select to_jsonb(draft) from app_public.ticket_drafts as draft where ticket_id = $1',
    [ticketId],
  )
const ticket = () =>
  value<Record<string, unknown>>(
    stage.superuser,
    'select to_jsonb(t) from app_public.tickets as t where id = $1',
    [ticketId],
  )

/** Its time is over. */
const timeIsOver = () =>
  stage.superuser.query('update app_public.outgoing_replies set send_at = now() where ticket_id = $1', [
    ticketId,
  ])
const deliver = (id: string | null = null) =>
  stage.does<number>(stage.acme.worker, 'select app_private.deliver_replies($1)', [id])
async function deliverAfterTime() {
  await timeIsOver()
  return deliver()
}
const undo = 'select to_jsonb(draft) from app_public.undo_send($1) as draft'

describe('sending a reply', () => {
  test('is refused at once for whatever would refuse it as a comment', async () => {
    const { acme, globex } = stage
    expect(await refusesToSend({ ticket_id: globex.ticketId })).toBe('AD101')
    expect(await refusesToSend({ body: ' ' })).toBe('23514')
    expect(await refusesToSend({ body: 'x'.repeat(65_537) })).toBe('23514')
    expect(await refusesToSend({ seen_comment_at: '2020-01-01' })).toBe('AD111')
    expect(await refusesToSend({ mentioned_user_ids: [acme.customer.userId] })).toBe('AD112')
    expect(await refusesToSend({}, { ...acme.agent, userId: '' })).toBe('AD001')
    expect(await refusesToSend({}, acme.customer)).toBe('42501')
    await stage.does(
      acme.agent,
      `update app_public.tickets set status = 'closed' where id = $1 returning id`,
      [ticketId],
    )
    expect(await refusesToSend()).toBe('AD102')
    expect(await outgoing()).toEqual([])
  })

  test('puts it on its way for the seconds that are set, and says nothing yet', async () => {
    await delay(45)
    const sent = await send()
    expect(sent).toMatchObject({ comment_id: null })
    const left = (new Date(sent.send_at!).getTime() - Date.now()) / 1000
    expect(left).toBeGreaterThan(35)
    expect(left).toBeLessThanOrEqual(46)
    expect(await comments()).toEqual([])
    expect(await outgoing()).toEqual(['Try again now'])
    expect(await ticket()).toMatchObject({ status: 'new', first_responded_at: null })
    expect(
      await value(
        stage.superuser,
        `select count(*)::int from app_public.ticket_events where ticket_id = $1 and type = 'comment_added'`,
        [ticketId],
      ),
    ).toBe(0)
    expect(await deliver()).toBe(0)
  })

  test('says it at once where there is no delay, and a note always', async () => {
    expect(await send({ visibility: 'internal', body: 'A note' })).toMatchObject({ outgoing_reply_id: null })
    await delay(0)
    expect((await send()).comment_id).not.toBe(null)
    expect(await comments()).toEqual(['A note', 'Try again now'])
  })

  test('is not done twice by a retry, whether it is on its way, or left', async () => {
    const key = { client_mutation_key: 'one and the same' }
    const first = await send(key)
    expect(await send(key)).toEqual(first)
    expect(await deliverAfterTime()).toBe(1)
    const again = await send(key)
    expect(again).toMatchObject({ outgoing_reply_id: null, send_at: null })
    expect(again.comment_id).not.toBe(null)
    expect(await comments()).toEqual(['Try again now'])
    expect(await outgoing()).toEqual([])
  })

  test('takes the draft it was made of with it, and no other', async () => {
    const { agent } = stage.acme
    const save = `select version from app_public.save_draft($1, $2, seen_version => $3)`
    await stage.does(agent, save, [ticketId, 'Try again', 0])
    await stage.does(agent, save, [ticketId, 'Try again now', 1])
    await send({ draft_version: 1 })
    expect(await drafts()).toMatchObject([{ body: 'Try again now', version: 2 }])
    await send({ draft_version: 2 })
    expect(await drafts()).toEqual([])
  })

  test('is recorded as an act of its author, without its words', async () => {
    const { outgoing_reply_id } = await send({}, { ...stage.acme.agent, ipAddress: '192.0.2.9' })
    const recorded = await value<Record<string, unknown>>(
      stage.superuser,
      `select to_jsonb(link) from app_public.audit_log as link where row_id = $1`,
      [outgoing_reply_id],
    )
    expect(recorded).toMatchObject({
      operation: 'insert',
      actor_id: stage.acme.agent.userId,
      ip_address: '192.0.2.9',
      after: { body: '***' },
    })
  })
})

describe('taking a reply back', () => {
  test('is for its author alone, and only while it is on its way', async () => {
    const { outgoing_reply_id } = await send()
    for (const actor of [stage.acme.manager, stage.acme.admin, stage.globex.agent]) {
      expect(await stage.refuses(actor, undo, [outgoing_reply_id])).toBe('AD181')
    }
    expect(await stage.refuses(stage.acme.agent, undo, [ticketId])).toBe('AD181')
    await deliverAfterTime()
    expect(await stage.refuses(stage.acme.agent, undo, [outgoing_reply_id])).toBe('AD181')
    expect(await comments()).toEqual(['Try again now'])
  })

  test('gives it back as a draft with all it was to do, and nothing was ever said', async () => {
    const { outgoing_reply_id } = await send({
      status: 'pending',
      mentioned_user_ids: [stage.acme.manager.userId],
    })
    expect(await stage.does(stage.acme.agent, undo, [outgoing_reply_id])).toMatchObject({
      body: 'Try again now',
      status: 'pending',
      mentioned_user_ids: [stage.acme.manager.userId],
      visibility: 'public',
      refused_code: null,
    })
    expect(await stage.refuses(stage.acme.agent, undo, [outgoing_reply_id])).toBe('AD181')
    expect(await deliverAfterTime()).toBe(0)
    expect(await comments()).toEqual([])
    expect(await ticket()).toMatchObject({ status: 'new' })
  })

  test('puts it before what was written meanwhile', async () => {
    const { agent } = stage.acme
    const { outgoing_reply_id } = await send()
    await stage.does(agent, `select version from app_public.save_draft($1, 'And one more thing')`, [ticketId])
    expect(await stage.does(agent, undo, [outgoing_reply_id])).toMatchObject({
      body: 'Try again now\n\nAnd one more thing',
      version: 2,
    })
  })

  test('finds room for it also before as much as may be saved', async () => {
    const { agent } = stage.acme
    const { outgoing_reply_id } = await send()
    const long = 'x'.repeat(262_144)
    await stage.does(agent, `select version from app_public.save_draft($1, $2)`, [ticketId, long])
    expect(await stage.does(agent, undo, [outgoing_reply_id])).toMatchObject({
      body: `Try again now\n\n${long}`,
    })
    const save = 'select app_public.save_draft($1, $2)'
    expect(await stage.refuses(agent, save, [ticketId, `${long}x`])).toBe('23514')
  })
})

describe('when its time is over a reply', () => {
  test('is said in the name of its author, with all that follows', async () => {
    const { agent, manager } = stage.acme
    await send({ mentioned_user_ids: [manager.userId] })
    expect(await deliverAfterTime()).toBe(1)
    expect(await comments()).toEqual(['Try again now'])
    expect(await outgoing()).toEqual([])
    const after = await ticket()
    expect(after).toMatchObject({ status: 'open' })
    expect(after.first_responded_at).not.toBe(null)
    const events = await value<unknown[]>(
      stage.superuser,
      `select jsonb_agg(distinct jsonb_build_array(type, actor_id, actor_name)) from app_public.ticket_events
      where ticket_id = $1 and type in ('comment_added', 'status_changed', 'watcher_added')`,
      [ticketId],
    )
    expect(events).toHaveLength(3)
    for (const event of events) expect(event).toEqual([expect.any(String), agent.userId, null])
  })

  test('sets the status or stage it was to set', async () => {
    await send({ status: 'resolved' })
    await deliverAfterTime()
    expect(await ticket()).toMatchObject({ status: 'resolved' })
  })

  test('leaves one after the other, also when both had seen the same', async () => {
    const { last_comment_at } = await ticket()
    await send({ body: 'One', seen_comment_at: last_comment_at })
    await send({ body: 'Two', seen_comment_at: last_comment_at })
    await timeIsOver()
    expect(await deliver()).toBe(2)
    expect(await comments()).toEqual(expect.arrayContaining(['One', 'Two']))
    expect(await drafts()).toEqual([])
  })

  const comesBack = (code: string) => ({
    body: 'Try again now',
    refused_code: code,
    refused_message: expect.any(String),
  })

  test.each([
    ['closed', 'AD102', `update app_public.tickets set status = 'closed' where id = $1 returning id`],
    ['merged', 'AD108', 'select id from app_public.merge_ticket($1, $2)'],
  ])('comes back with the reason when its ticket was %s meanwhile', async (_word, code, sql) => {
    const { manager, neighbourTicketId } = stage.acme
    await send({ status: 'pending' })
    await stage.does(manager, sql, sql.includes('$2') ? [ticketId, neighbourTicketId] : [ticketId])
    expect(await deliverAfterTime()).toBe(0)
    expect(await drafts()).toMatchObject([{ ...comesBack(code), status: 'pending' }])
    expect(await outgoing()).toEqual([])
    expect(await comments()).toEqual([])
  })

  test('comes back when somebody answered meanwhile', async () => {
    const { customer, agent } = stage.acme
    await send({ seen_comment_at: (await ticket()).last_comment_at })
    await stage.does(customer, `select id from app_public.add_comment($1, 'It works again')`, [ticketId])
    await deliverAfterTime()
    expect(await drafts()).toMatchObject([comesBack('AD111')])
    expect(await comments()).toEqual(['It works again'])
    // What is saved after that was written knowing why.
    await stage.does(agent, `select version from app_public.save_draft($1, 'Fine', seen_version => 1)`, [
      ticketId,
    ])
    expect(await drafts()).toMatchObject([{ body: 'Fine', refused_code: null }])
  })

  test.each([
    ['was disabled', 'update app_public.users set disabled_at = now() where id = $1', 'AD182'],
    ['is no longer staff', `update app_public.users set role = 'customer' where id = $1`, 'AD182'],
    [
      'no longer sees the ticket',
      'update app_public.users set restricted_to_teams = true where id = $1',
      'AD101',
    ],
  ])('comes back when its author %s', async (_word, change, code) => {
    const { agent, worker, organizationId } = stage.acme
    const { superuser } = stage
    await superuser.query('begin')
    try {
      await become(superuser, agent)
      const [sql, values] = callOf({})
      await superuser.query(sql, values)
      await become(superuser, { role: 'atum_owner', organizationId })
      await superuser.query(change, [agent.userId])
      await superuser.query('update app_public.tickets set team_id = null where id = $1', [ticketId])
      await superuser.query('update app_public.outgoing_replies set send_at = now() where ticket_id = $1', [
        ticketId,
      ])
      await become(superuser, worker)
      await superuser.query('select app_private.deliver_replies()')
      await become(superuser, { role: 'atum_owner', organizationId })
      const { rows } = await superuser.query(
        'select body, refused_code from app_public.ticket_drafts where ticket_id = $1',
        [ticketId],
      )
      expect(rows).toEqual([{ body: 'Try again now', refused_code: code }])
    } finally {
      await superuser.query('rollback')
    }
  })

  test('holds nobody else up when it cannot be given back either', async () => {
    const { agent, manager } = stage.acme
    await send()
    const theirs = await send({ body: 'Mine leaves' }, manager)
    await stage.superuser.query(
      `insert into app_public.ticket_drafts (organization_id, ticket_id, author_id, body)
      values ($1, $2, $3, repeat('x', 1048576))`,
      [agent.organizationId, ticketId, agent.userId],
    )
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [
      agent.userId,
    ])
    await timeIsOver()
    expect(await deliver()).toBe(1)
    await stage.superuser.query('update app_public.users set disabled_at = null where id = $1', [
      agent.userId,
    ])
    expect(theirs.outgoing_reply_id).not.toBeNull()
    expect(await comments()).toEqual(['Mine leaves'])
    expect(await outgoing()).toEqual(['Try again now'])
    await stage.superuser.query('delete from app_public.outgoing_replies')
  })

  test('is left to the one who takes it back, or to the one worker that has it', async () => {
    const { outgoing_reply_id } = await send()
    await timeIsOver()
    const holder: Client = await stage.open(stage.database.superuserUrl)
    const other: Client = await stage.open(stage.database.superuserUrl)
    await holder.query('begin')
    await become(holder, stage.acme.worker)
    expect(await value(holder, 'select app_private.deliver_replies($1)', [outgoing_reply_id])).toBe(1)
    // A second worker does not wait for the first.
    expect(
      await asRoleForGood(other, stage.acme.worker, () =>
        value(other, 'select app_private.deliver_replies()'),
      ),
    ).toBe(0)
    const takingBack = stage.refuses(stage.acme.agent, undo, [outgoing_reply_id])
    await holder.query('commit')
    expect(await takingBack).toBe('AD181')
    expect(await deliver()).toBe(0)
    expect(await comments()).toEqual(['Try again now'])
  })

  test('is delivered later when the one who had it died', async () => {
    await send()
    await timeIsOver()
    const holder: Client = await stage.open(stage.database.superuserUrl)
    await holder.query('begin')
    await become(holder, stage.acme.worker)
    expect(await value(holder, 'select app_private.deliver_replies()')).toBe(1)
    await holder.query('rollback')
    expect(await comments()).toEqual([])
    expect(await deliver()).toBe(1)
    expect(await comments()).toEqual(['Try again now'])
  })
})
