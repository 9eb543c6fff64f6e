import { createHash, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { incomingMailsOf } from '../support/incoming-mails.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { does, refuses } = stage
const { rows, row, mailboxOf, store, address, mailOf, receive, comments, last, ticketOf, openTicket, sent } =
  incomingMailsOf(stage)

beforeEach(async () => {
  await rows(`update app_public.incoming_mails set created_at = created_at - interval '1 day'`)
})

describe('a mail is stored once', () => {
  test('by nobody but the worker', async () => {
    for (const who of ['customer', 'agent', 'admin'] as const) {
      expect(
        await refuses(stage.acme[who], `select app_private.store_incoming_mail($1, '{}')`, [randomUUID()]),
      ).toBe('42501')
      expect(
        await refuses(stage.acme[who], `select app_private.receive_mail($1, '{}')`, [randomUUID()]),
      ).toBe('42501')
    }
  })

  test('whatever comes again: the number, or every byte', async () => {
    const sha256 = 'ab'.repeat(32)
    expect(await store({ uid: 7000, sha256 })).toBeTruthy()
    expect(await store({ uid: 7000 })).toBeNull()
    expect(await store({ uid: 7001, sha256 })).toBeNull()
    expect(await store({ uid: 7000, uidValidity: '8' })).toBeTruthy()
    expect(await store({ uid: 7000, sha256 }, { tenant: stage.globex })).toBeTruthy()
  })

  test('and its job is there with it', async () => {
    const id = await store()
    expect(
      await rows('select from graphile_worker.jobs where key = $1', [`process_incoming_mail:${id}`]),
    ).toHaveLength(1)
  })

  test('one that is too large is noted as refused, and the admins are told', async () => {
    const id = await store({ sha256: null, size: 99_000_000, subject: 'A film' })
    expect(
      await row('select state, reason, size::int from app_public.incoming_mails where id = $1', [id]),
    ).toEqual({
      state: 'refused',
      reason: 'oversize',
      size: 99_000_000,
    })
    expect(
      await rows(`select from app_public.notifications where facts ->> 'incoming_mail_id' = $1`, [id]),
    ).not.toHaveLength(0)
    expect(
      await rows('select from graphile_worker.jobs where key = $1', [`process_incoming_mail:${id}`]),
    ).toHaveLength(0)
  })

  test('the admins are told of those that are not taken once an hour', async () => {
    await rows('delete from app_public.notifications')
    for (let number = 0; number < 3; number += 1) await store({ sha256: null, size: 99_000_000 })
    for (let number = 0; number < 3; number += 1)
      await does(stage.acme.worker, 'select app_private.incoming_mail_failed($1, $2)', [
        await store(),
        'None',
      ])
    const reasons = await rows(
      `select facts ->> 'reason' as reason from app_public.notifications where user_id = $1 order by 1`,
      [stage.acme.admin.userId],
    )
    expect(reasons).toEqual([{ reason: 'oversize' }, { reason: 'unreadable' }])
    await rows('delete from app_public.notifications')
  })

  test('and decided once', async () => {
    const { id, ticketId } = await receive()
    expect(ticketId).toBeTruthy()
    expect(
      await does(stage.acme.worker, 'select app_private.receive_mail($1, $2)', [
        id,
        JSON.stringify(mailOf()),
      ]),
    ).toBeNull()
  })
})

describe('a mail that answers nothing', () => {
  test('of a customer opens a ticket in their name', async () => {
    const { ticketId, state, reason } = await receive({
      subject: ' The \r\n printer ',
      text: '\nOut of paper\n',
    })
    expect({ state, reason }).toEqual({ state: 'processed', reason: null })
    expect(await ticketOf(ticketId)).toMatchObject({
      subject: 'The printer',
      channel: 'mail',
      status: 'new',
      requester_id: stage.acme.customer.userId,
    })
    expect(await comments(ticketId)).toMatchObject([
      { author: 'customer', visibility: 'public', body: 'Out of paper' },
    ])
  })

  test('of a stranger makes a customer who has not come yet', async () => {
    const { ticketId } = await receive({ from: { address: 'Ann@Elsewhere.test', name: ' Ann \n Ott ' } })
    const { requester_id } = await ticketOf(ticketId)
    expect(
      await row('select email, name, role, activated_at from app_public.users where id = $1', [requester_id]),
    ).toEqual({
      email: 'ann@elsewhere.test',
      name: 'Ann Ott',
      role: 'customer',
      activated_at: null,
    })
    const again = await receive({ from: { address: 'ANN@elsewhere.test', name: 'Another' } })
    expect((await ticketOf(again.ticketId)).requester_id).toBe(requester_id)
  })

  test('has placeholders where there are no words', async () => {
    const { ticketId } = await receive({ subject: ' ', text: ' \n' })
    expect(await ticketOf(ticketId)).toMatchObject({ subject: 'Mail without a subject' })
    expect(await last(ticketId)).toMatchObject({ body: 'The mail has no text.' })
  })

  test('of a colleague says that nothing proves it', async () => {
    const { ticketId, reason } = await receive({ from: { address: address('agent'), name: 'Agent' } })
    expect(reason).toBe('unproven_staff')
    expect(await comments(ticketId)).toMatchObject([
      { author: 'agent', visibility: 'public' },
      { author: '-Mail', visibility: 'internal' },
    ])
  })

  test('of a stranger is ignored where the mailbox takes none, until an admin says otherwise', async () => {
    const box = await mailboxOf(stage.acme)
    await rows('update app_public.mailboxes set accepts_strangers = false where id = $1', [box])
    try {
      const facts = { from: { address: 'new@elsewhere.test', name: '' } }
      const { id, state, reason } = await receive(facts)
      expect({ state, reason }).toEqual({ state: 'ignored', reason: 'stranger' })
      expect(await rows(`select from app_public.users where email = 'new@elsewhere.test'`)).toHaveLength(0)
      expect(await receive()).toMatchObject({ state: 'processed' })

      expect(await refuses(stage.acme.agent, 'select app_public.retry_incoming_mail($1)', [id])).toBe('42501')
      expect(await refuses(stage.globex.admin, 'select app_public.retry_incoming_mail($1)', [id])).toBe(
        'AD101',
      )
      await does(stage.acme.admin, 'select app_public.retry_incoming_mail($1)', [id])
      expect(await receive(facts, { id })).toMatchObject({ state: 'processed' })
      expect(await refuses(stage.acme.admin, 'select app_public.retry_incoming_mail($1)', [id])).toBe('AD261')
    } finally {
      await rows('update app_public.mailboxes set accepts_strangers = true where id = $1', [box])
    }
  })

  test('takes the service and team of its mailbox, and asks for no service that is archived', async () => {
    const box = await mailboxOf(stage.acme)
    const { serviceId, archivedServiceId, teamId } = stage.acme
    await rows('update app_public.mailboxes set service_id = $2, team_id = $3 where id = $1', [
      box,
      serviceId,
      teamId,
    ])
    expect(await ticketOf((await receive()).ticketId)).toMatchObject({
      service_id: serviceId,
      team_id: teamId,
    })
    await rows('update app_public.mailboxes set service_id = $2, team_id = null where id = $1', [
      box,
      archivedServiceId,
    ])
    expect(await ticketOf((await receive()).ticketId)).toMatchObject({ service_id: null })
    await rows('update app_public.mailboxes set service_id = null where id = $1', [box])
  })

  test('comes by two ways and opens one ticket', async () => {
    const facts = mailOf({ sentAt: '2026-11-20T10:00:00Z' })
    const { ticketId } = await receive(facts)
    expect(await receive(facts)).toMatchObject({ state: 'ignored', reason: 'duplicate', ticketId })
    // The name alone is not enough: anybody can write it.
    expect(await receive({ ...facts, subject: 'Another' })).toMatchObject({
      state: 'processed',
      reason: null,
    })
  })
})

describe('what comes with the words', () => {
  test('files are on the comment, and wait for the scanner', async () => {
    const sha256 = createHash('sha256').update('a file').digest('hex')
    const file = {
      sha256,
      size: 6,
      contentType: 'text/plain',
      name: '../a/list.txt',
      claimedContentType: 'image/png',
      contentId: 'x@y',
    }
    const { commentId, files } = await receive({ files: [file] })
    expect(files).toEqual([{ sha256, state: 'pending' }])
    expect(
      await rows('select name, state, content_id from app_public.attachments where comment_id = $1', [
        commentId,
      ]),
    ).toEqual([
      { name: expect.stringMatching(/^[^/]*list\.txt$/) as string, state: 'pending', content_id: 'x@y' },
    ])
  })

  test('how it looked and what it quoted is read by whoever reads the comment', async () => {
    const { ticketId, commentId } = await receive({ html: '<p>Out</p>', quoted: '> earlier' })
    const { customer, neighbour, agent } = stage.acme
    const look = 'select html from app_public.comment_originals where comment_id = $1'
    expect(await stage.sees(customer, look, [commentId])).toEqual(['<p>Out</p>'])
    expect(await stage.sees(agent, look, [commentId])).toEqual(['<p>Out</p>'])
    expect(await stage.sees(neighbour, look, [commentId])).toEqual([])
    expect(await stage.sees(stage.globex.agent, look, [commentId])).toEqual([])

    const references = [await sent(ticketId!, customer)]
    const note = await receive({
      references,
      from: { address: 'who@elsewhere.test', name: '' },
      html: '<b>psst</b>',
    })
    expect(await stage.sees(customer, look, [note.commentId])).toEqual([])
  })

  test('whoever was written to as well and sees the ticket watches it', async () => {
    const copied = [
      address('agent'),
      address('neighbour'),
      address('customer'),
      'stranger@elsewhere.test',
      'no address',
    ]
    const { ticketId } = await receive({ copied })
    expect(
      await rows('select user_id from app_public.ticket_watchers where ticket_id = $1', [ticketId]),
    ).toEqual([{ user_id: stage.acme.agent.userId }])
  })

  test('a merge takes along which mail a comment was', async () => {
    const { id, ticketId } = await receive()
    const target = await openTicket()
    await does(stage.acme.agent, 'select app_public.merge_ticket($1, $2)', [ticketId, target])
    expect(await row('select ticket_id from app_public.incoming_mails where id = $1', [id])).toEqual({
      ticket_id: target,
    })
  })
})

test('a mail that cannot be read stays, is told of, and can be tried again', async () => {
  const id = await store()
  await does(stage.acme.worker, 'select app_private.incoming_mail_failed($1, $2)', [id, 'no sense in it'])
  expect(
    await row('select state, reason, detail from app_public.incoming_mails where id = $1', [id]),
  ).toEqual({
    state: 'failed',
    reason: 'unreadable',
    detail: 'no sense in it',
  })
  expect(
    await rows(`select from app_public.notifications where facts ->> 'incoming_mail_id' = $1`, [id]),
  ).not.toHaveLength(0)
  await does(stage.acme.admin, 'select app_public.retry_incoming_mail($1)', [id])
  expect(await receive({}, { id: id! })).toMatchObject({ state: 'processed' })
})

test('the log is read by admins, of their own organization', async () => {
  const { customer, agent, manager, admin } = stage.acme
  const look = 'select count(*)::int from app_public.incoming_mails where organization_id = $1'
  const known = [stage.acme.organizationId]
  for (const who of [customer, agent, manager]) expect(await refuses(who, look, known)).toBe('42501')
  expect((await stage.sees(admin, look, known))[0]).toBeGreaterThan(10)
  expect(await stage.sees(stage.globex.admin, look, known)).toEqual([0])
})

describe('a flood', () => {
  const mail = async (sender: string, facts: object = {}) =>
    (await receive({ from: { address: sender, name: '' }, ...facts })).reason

  test('is one sender’s, whatever they write after a plus', async () => {
    for (let number = 0; number < 29; number += 1)
      expect(await mail(`storm+${number}@elsewhere.test`)).toBeNull()
    expect(await mail('+storm@elsewhere.test')).toBeNull()
    expect(await mail('Storm@elsewhere.test')).toBeNull()
    expect(await mail('storm+new@elsewhere.test')).toBe('flood')
    expect(await mail('storm@elsewhere.test')).toBe('flood')
    expect(await mail('stormy@elsewhere.test')).toBeNull()
  })

  test('on a ticket as well', async () => {
    const ticketId = await openTicket()
    const references = [await sent(ticketId, stage.acme.customer)]
    for (let number = 0; number < 10; number += 1)
      expect(await mail(`hail+${number}@elsewhere.test`, { references })).toBe('not_participant')
    expect(await mail('hail+10@elsewhere.test', { references })).toBe('flood')
  })

  test('is three hundred mails in an hour to one mailbox of people who were not known', async () => {
    const { organizationId } = stage.acme
    const box = await mailboxOf(stage.acme)
    await rows(
      `with person as (
        insert into app_public.users (organization_id, email, name, role)
        select $1, 'many' || number || '@elsewhere.test', 'Many', 'customer' from generate_series(1, 299) as number
        returning email
      )
      insert into app_public.incoming_mails
        (organization_id, mailbox_id, folder, uid_validity, uid, sha256, size, from_address, state, processed_at)
      select $1, $2, 'INBOX', 9, row_number() over (), encode(sha256(email::text::bytea), 'hex'), 1, email, 'processed', now()
      from person`,
      [organizationId, box],
    )
    expect(await mail('new1@elsewhere.test')).toBeNull()
    expect(await mail('new2@elsewhere.test')).toBe('flood')
    // Who is known is heard, and strangers are again after an hour.
    expect(await mail('new1@elsewhere.test')).toBeNull()
    expect(await mail(address('customer'))).toBeNull()
    await rows(`update app_public.incoming_mails set created_at = created_at - interval '61 minutes'`)
    expect(await mail('new2@elsewhere.test')).toBeNull()
  })
})
