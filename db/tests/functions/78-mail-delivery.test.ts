import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { mailsOn } from '../support/mails.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const mails = mailsOn(stage)
const change = (id: string, assignment: string) =>
  stage.superuser.query(`update app_public.mail_messages set ${assignment} where id = $1`, [id])
const written = async (fact?: Parameters<typeof mails.write>[1]) =>
  (await mails.write(stage.acme.customer, fact))!
const failures = async (mailId: string) =>
  (
    await stage.superuser.query<{ after: Record<string, string>; visibility: string }>(
      `select after, visibility from app_public.ticket_events where type = 'mail_failed' and after ->> 'mail_id' = $1`,
      [mailId],
    )
  ).rows
const alerts = async () =>
  (
    await stage.superuser.query<{ count: number }>(
      `select count(*)::integer from app_public.notifications where kind = 'alert' and organization_id = $1 and user_id = $2`,
      [stage.acme.organizationId, stage.acme.admin.userId],
    )
  ).rows[0]!.count

describe('a mail is not handed out', () => {
  test('to a second worker, until the first one is thought to be dead', async () => {
    const id = await written()
    expect(await mails.toSend(id)).not.toBeNull()
    expect(await mails.toSend(id)).toBeNull()
    await change(id, 'claimed_until = now()')
    expect(await mails.toSend(id)).not.toBeNull()
  })

  test('to another organization, or to whoever is no worker', async () => {
    const id = await written()
    expect(await mails.toSend(id, stage.globex)).toBeNull()
    const ask = 'select app_private.mail_to_send($1, $2, $3)'
    for (const actor of [stage.acme.admin, stage.acme.agent, stage.acme.customer]) {
      expect(await stage.refuses(actor, ask, [id, 'https://desk.example', 'desk.example'])).toBe('42501')
    }
  })

  test('while its organization is closed; it is sent when that opens again', async () => {
    const id = await written()
    const suspend = (at: string) =>
      stage.superuser.query(`update app_public.organizations set suspended_at = ${at} where id = $1`, [
        stage.acme.organizationId,
      ])
    await suspend('now()')
    expect(await mails.toSend(id)).toBeNull()
    await change(id, `send_at = now() - interval '2 minutes'`)
    const sweep = () => stage.does<number>(stage.acme.worker, 'select app_private.sweep_mail()')
    expect(await sweep()).toBe(0)
    await suspend('null')
    expect(await mails.toSend(id)).not.toBeNull()
  })

  test('when its reader was shut out by now, or does not see its ticket any more', async () => {
    const { customer, agent, ticketId } = stage.acme
    const disable = (at: string) =>
      stage.superuser.query(`update app_public.users set disabled_at = ${at} where id = $1`, [
        customer.userId,
      ])
    const ask = (userId: string | null) =>
      stage.superuser.query('update app_public.tickets set requester_id = $2 where id = $1', [
        ticketId,
        userId,
      ])
    for (const kind of ['reply', 'resolution', 'acknowledgement']) {
      const [one, two, three] = [await written({ kind }), await written({ kind }), await written({ kind })]
      await disable('now()')
      expect(await mails.toSend(one)).toBeNull()
      await disable('null')
      expect(await mails.toSend(two)).not.toBeNull()
      await ask(agent.userId)
      expect(await mails.toSend(three)).toBeNull()
      await ask(customer.userId)
    }
  })

  test('in more than two at a time of one organization', async () => {
    for (let number = 0; number < 12; number += 1) await written()
    const { rows } = await stage.superuser.query<{ queue_name: string | null }>(
      `select distinct queue_name from graphile_worker.jobs where task_identifier = 'send_mail'`,
    )
    expect(rows.length).toBeGreaterThan(0)
    for (const { queue_name } of rows) expect(queue_name).toMatch(/^send_mail:[0-9a-f-]{36}:[01]$/)
  })

  test('when it tells of what its reader has read by now', async () => {
    const { rows } = await stage.superuser.query<{ id: string; event_id: string }>(
      `update app_public.notifications set read_at = now() where id = (
        select id from app_public.notifications where user_id = $1 and event_id is not null limit 1
      ) returning id, event_id`,
      [stage.acme.agent.userId],
    )
    const id = (await mails.write(stage.acme.agent, {
      kind: 'notice',
      key: `event:${rows[0]!.event_id}:${stage.acme.agent.userId}`,
      commentId: null,
    }))!
    expect(await mails.toSend(id)).toBeNull()
    expect(await mails.row(id)).toMatchObject({ state: 'cancelled' })
    expect(await mails.attempts(id)).toMatchObject([{ outcome: 'cancelled' }])
  })
})

describe('a mail server', () => {
  test('took it: once, whatever is said later', async () => {
    const id = await written()
    await mails.toSend(id)
    await mails.wasSent(id)
    expect(await mails.row(id)).toMatchObject({
      state: 'sent',
      attempts: 1,
      claimed_until: null,
      last_error: null,
    })
    await mails.wasSent(id)
    await mails.wasRefused(id)
    expect(await mails.wasDeferred(id)).toBeNull()
    expect(await mails.row(id)).toMatchObject({ state: 'sent', attempts: 1 })
    expect(await mails.attempts(id)).toEqual([{ outcome: 'sent', code: 250, response: 'OK' }])
    expect(await mails.toSend(id)).toBeNull()
  })

  test('took it for now: it comes back ever more slowly, and is given up after a day', async () => {
    const id = await written()
    const waits: number[] = []
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await change(id, 'send_at = now()')
      expect(await mails.toSend(id)).not.toBeNull()
      await mails.wasDeferred(id)
      const { send_at, state } = await mails.row(id)
      expect(state).toBe('waiting')
      expect((await mails.job(id))!.run_at.getTime()).toBe(send_at.getTime())
      waits.push((send_at.getTime() - Date.now()) / 1_000)
    }
    waits.forEach((wait, attempt) => {
      const middle = Math.min(30 * 2 ** attempt, 7_200)
      expect(wait).toBeGreaterThan(middle * 0.75 - 3)
      expect(wait).toBeLessThan(middle * 1.25 + 3)
    })
    expect(await failures(id)).toEqual([])

    await change(id, `send_at = now(), give_up_at = now() - interval '1 second'`)
    await mails.toSend(id)
    expect(await mails.wasDeferred(id, 'Not today')).toBeNull()
    expect(await mails.row(id)).toMatchObject({ state: 'failed', attempts: 13, last_error: 'Not today' })
    expect(await failures(id)).toMatchObject([
      {
        visibility: 'internal',
        after: { outcome: 'given_up', detail: 'Not today', name: 'customer of acme' },
      },
    ])
  })

  test('has it tried a last time before the day is over', async () => {
    const id = await written()
    await change(id, `attempts = 15, give_up_at = now() + interval '1 minute'`)
    await mails.toSend(id)
    await mails.wasDeferred(id)
    const { send_at, give_up_at } = await mails.row(id)
    expect(send_at.getTime()).toBeLessThanOrEqual(give_up_at.getTime())
  })

  test('refused it: it failed, the ticket says so to staff, and the admins are told once an hour', async () => {
    const before = await alerts()
    const ids = [await written(), await written()]
    for (const id of ids) {
      await mails.toSend(id)
      await mails.wasRefused(id)
      expect(await mails.row(id)).toMatchObject({ state: 'failed', last_error: 'No such mailbox' })
      expect(await failures(id)).toMatchObject([{ visibility: 'internal', after: { outcome: 'refused' } }])
    }
    expect((await alerts()) - before).toBeLessThanOrEqual(1)
    expect(await alerts()).toBeGreaterThan(0)
    expect(
      await stage.sees(
        stage.acme.customer,
        `select id from app_public.ticket_events where type = 'mail_failed'`,
      ),
    ).toEqual([])
  })

  test('refused what tells of refusals: nobody is told of that', async () => {
    await stage.superuser.query(`delete from app_public.notifications where kind = 'alert'`)
    const notice = (await mails.write(stage.acme.agent, { kind: 'notice', commentId: null }))!
    const alert = (await mails.write(stage.acme.admin, {
      kind: 'alert',
      ticketId: null,
      commentId: null,
      facts: { alert: 'mail_failed' },
    }))!
    await mails.toSend(alert)
    await mails.wasRefused(alert)
    expect(await alerts()).toBe(0)
    await mails.toSend(notice)
    await mails.wasRefused(notice)
    // To the admins, and not on the ticket, which would tell the agent by mail again.
    expect(await alerts()).toBe(1)
    expect(await failures(notice)).toEqual([])
  })

  test('took one that an admin cancelled meanwhile: it was sent', async () => {
    const id = await written()
    await mails.toSend(id)
    await change(id, `state = 'cancelled'`)
    await mails.wasSent(id)
    expect(await mails.row(id)).toMatchObject({ state: 'sent' })
  })

  test('is not there: it is kept', async () => {
    const keep = (id: string) =>
      stage.does<boolean>(stage.acme.worker, 'select app_private.mail_was_kept($1)', [id])
    const later = await written({ sendAt: new Date(Date.now() + 60_000).toISOString() })
    expect(await keep(later)).toBe(false)
    const id = await written()
    expect(await keep(id)).toBe(true)
    expect(await keep(id)).toBe(false)
    expect(await mails.row(id)).toMatchObject({ state: 'kept', attempts: 0 })
    expect(await mails.toSend(id)).toBeNull()
  })
})

describe('a report', () => {
  const report = (messageIds: string[], kind = 'bounced', worker = stage.acme.worker) =>
    stage.does<number>(worker, 'select app_private.record_bounce($1, $2, $3)', [
      messageIds,
      kind,
      '550 No such mailbox',
    ])
  const sent = async () => {
    const id = await written()
    const { messageId } = (await mails.toSend(id))!
    await mails.wasSent(id)
    return { id, messageId }
  }

  test.each(['bounced', 'complained'])('says that mails were %s, once', async (kind) => {
    const { id, messageId } = await sent()
    expect(await report([messageId], kind, stage.globex.worker)).toBe(0)
    expect(await report([`<${randomUUID()}@elsewhere>`], kind)).toBe(0)
    expect(await report([messageId], kind)).toBe(1)
    expect(await report([messageId], kind)).toBe(0)
    expect(await mails.row(id)).toMatchObject({ state: kind, last_error: '550 No such mailbox' })
    expect(await failures(id)).toMatchObject([{ after: { outcome: kind } }])
    expect((await mails.attempts(id)).map(({ outcome }) => outcome)).toEqual(['sent', kind])
  })

  test('says something else, and is refused', async () => {
    expect(await stage.refuses(stage.acme.worker, `select app_private.record_bounce('{}', 'lost', '')`)).toBe(
      '22023',
    )
    expect(
      await stage.refuses(stage.acme.admin, `select app_private.record_bounce('{}', 'bounced', '')`),
    ).toBe('42501')
  })
})

test('a mail whose job was lost gets another one, and those that have one do not', async () => {
  const { acme, superuser } = stage
  const sweep = () => stage.does<number>(acme.worker, 'select app_private.sweep_mail()')
  await superuser.query(`update app_public.mail_messages set state = 'cancelled' where state = 'waiting'`)
  const lost = await written()
  const claimed = await written()
  const planned = await written()
  for (const id of [lost, claimed, planned]) await change(id, `send_at = now() - interval '2 minutes'`)
  await change(claimed, `claimed_until = now() + interval '5 minutes'`)
  await superuser.query(`delete from graphile_worker._private_jobs where key = any ($1)`, [
    [lost, claimed].map((id) => `send_mail:${id}`),
  ])
  expect(await sweep()).toBe(1)
  expect(await mails.job(lost)).toBeDefined()
  expect(await mails.job(claimed)).toBeUndefined()
  expect(await sweep()).toBe(0)
  expect(await stage.refuses({ role: 'atum_worker' }, 'select app_private.sweep_mail()')).toBe('AD301')
})
