import { createHash, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Person, Tenant } from '../support/fixture.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { does, refuses } = stage

const rows = async <Row>(sql: string, values: unknown[] = []) =>
  (await stage.superuser.query(sql, values)).rows as Row[]
const row = async <Row>(sql: string, values: unknown[] = []) => (await rows<Row>(sql, values))[0]!

interface Facts {
  [fact: string]: unknown
}
interface Decision {
  state: string
  reason: string | null
  ticketId: string | null
  commentId: string | null
  files: { sha256: string; state: string }[]
}

let uid = 100

const mailboxOf = async ({ organizationId }: Tenant) =>
  (
    await row<{ id: string }>(
      'select id from app_public.mailboxes where organization_id = $1 and archived_at is null order by id limit 1',
      [organizationId],
    )
  ).id

const store = async (facts: Facts = {}, { tenant = stage.acme, mailboxId = '' } = {}) => {
  uid += 1
  return does<string | null>(tenant.worker, 'select app_private.store_incoming_mail($1, $2)', [
    mailboxId || (await mailboxOf(tenant)),
    JSON.stringify({
      folder: 'INBOX',
      uidValidity: '7',
      uid,
      sha256: createHash('sha256').update(randomUUID()).digest('hex'),
      size: 1000,
      ...facts,
    }),
  ])
}

const address = (name: string) => `${name}@acme.test`

const mailOf = (facts: Facts = {}) => ({
  messageId: `<${randomUUID()}@elsewhere.test>`,
  from: { address: address('customer'), name: 'A name' },
  recipients: ['support@desk.test'],
  copied: [],
  references: [],
  subjectReferences: [],
  subject: 'The printer',
  text: 'It is out of paper',
  files: [],
  ...facts,
})

const receive = async (facts: Facts = {}, options: { tenant?: Tenant; id?: string } = {}) => {
  const { tenant = stage.acme } = options
  const id = options.id ?? (await store({}, { tenant }))
  const decision = await does<Decision>(tenant.worker, 'select app_private.receive_mail($1, $2)', [
    id,
    JSON.stringify(mailOf(facts)),
  ])
  return { id: id!, ...decision }
}

const comments = (ticketId: string | null) =>
  rows<{ id: string; author: string | null; visibility: string; body: string }>(
    `select comment.id, coalesce(split_part(person.email::text, '@', 1), '-' || comment.author_name) as author, visibility, body
    from app_public.comments as comment
    left join app_public.users as person on person.organization_id = comment.organization_id and person.id = comment.author_id
    where ticket_id = $1 order by comment.created_at, comment.id`,
    [ticketId],
  )
const last = async (ticketId: string | null) => (await comments(ticketId)).at(-1)!
const ticketOf = (ticketId: string | null) =>
  row<{ status: string; subject: string; reference: string; channel: string; requester_id: string }>(
    'select * from app_public.tickets where id = $1',
    [ticketId],
  )
const openTicket = (by: Person = stage.acme.customer) =>
  does<string>(by, `select id from app_public.create_ticket('No network', 'Since this morning')`)
const setStatus = (ticketId: string, status: string) =>
  does(stage.acme.agent, 'update app_public.tickets set status = $2 where id = $1 returning id', [
    ticketId,
    status,
  ])

/** A mail of ours about a ticket to somebody, as it was sent; returns its Message-ID. */
const sent = async (ticketId: string, to: Person, { commentId = null as string | null, token = '' } = {}) => {
  const id = randomUUID()
  const { message_id } = await row<{ message_id: string }>(
    `insert into app_public.mail_messages
      (organization_id, id, kind, dedupe_key, user_id, to_address, ticket_id, comment_id, subject, text_body, html_body, message_id, state, sent_at)
    values ($1, $2::text::uuid, 'reply', $2::text, $3, 'x@acme.test', $4, $5, 'Re', 'Re', 'Re', '<' || $2::text || '.0123456789abcdef@desk.test>', 'sent', now())
    returning message_id`,
    [stage.acme.organizationId, id, to.userId, ticketId, commentId],
  )
  if (token) {
    await rows(
      `insert into app_private.mail_reply_tokens (organization_id, mail_id, token_hash) values ($1, $2, app_private.token_hash($3))`,
      [stage.acme.organizationId, id, token],
    )
  }
  return message_id
}

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

describe('what no person wrote', () => {
  test.each(['auto_reply', 'bulk', 'bounce', 'complaint', 'mailing_list'])(
    'is noted as %s, and nothing follows',
    async (kind) => {
      const before = await row('select count(*)::int from app_public.tickets')
      const ticketId = await openTicket()
      const references = [await sent(ticketId, stage.acme.customer)]
      expect(await receive({ kind, references })).toMatchObject({
        state: 'ignored',
        reason: kind,
        ticketId,
        commentId: null,
      })
      expect(await receive({ kind })).toMatchObject({ state: 'ignored', reason: kind, ticketId: null })
      expect(await comments(ticketId)).toHaveLength(1)
      expect(await row('select count(*)::int - 1 as count from app_public.tickets')).toEqual(before)
    },
  )

  test('unless the mailbox takes what lists send', async () => {
    const box = await mailboxOf(stage.acme)
    await rows('update app_public.mailboxes set accepts_lists = true where id = $1', [box])
    expect(await receive({ kind: 'mailing_list' })).toMatchObject({ state: 'processed' })
    expect(await receive({ kind: 'bulk' })).toMatchObject({ state: 'ignored' })
    await rows('update app_public.mailboxes set accepts_lists = false where id = $1', [box])
  })

  test('mail from ourselves is a loop, by its address or by its name', async () => {
    for (const own of ['support@desk.test', 'SUPPORT+abc@desk.test']) {
      expect(await receive({ from: { address: own, name: '' } })).toMatchObject({
        state: 'ignored',
        reason: 'loop',
      })
    }
    expect(await receive({ desk: 'acme/ATUM-1001' })).toMatchObject({ state: 'ignored', reason: 'loop' })
    expect(await receive({ desk: 'other/ATUM-1001' })).toMatchObject({ state: 'processed' })
    const messageId = await sent(await openTicket(), stage.acme.customer)
    expect(await receive({ messageId })).toMatchObject({ state: 'ignored', reason: 'loop' })
    expect(await receive({ from: { address: 'supporter@desk.test', name: '' } })).toMatchObject({
      state: 'processed',
    })
  })

  test('a storm ends after ten mails of one sender on a ticket in an hour', async () => {
    const ticketId = await openTicket()
    const references = [await sent(ticketId, stage.acme.customer)]
    for (let mail = 0; mail < 10; mail += 1)
      expect(await receive({ references })).toMatchObject({ state: 'processed' })
    expect(await receive({ references })).toMatchObject({ state: 'ignored', reason: 'flood', ticketId })
    await rows(`update app_public.incoming_mails set created_at = created_at - interval '61 minutes'`)
    expect(await receive({ references })).toMatchObject({ state: 'processed' })
  })

  test('and after thirty new tickets of one sender', async () => {
    const from = { address: 'storm@elsewhere.test', name: '' }
    for (let mail = 0; mail < 30; mail += 1)
      expect(await receive({ from })).toMatchObject({ state: 'processed' })
    expect(await receive({ from })).toMatchObject({ state: 'ignored', reason: 'flood' })
    expect(await receive()).toMatchObject({ state: 'processed' })
  })

  test.each([
    ['no sender', null],
    ['letters that fold into others', { address: 'ann@ex\u212ample.test', name: '' }],
  ])('a mail with %s is nobody’s', async (_what, from) => {
    expect(await receive({ from })).toMatchObject({ state: 'ignored', reason: 'no_sender' })
  })

  test('somebody whose account is shut says nothing', async () => {
    const { ticketId } = await receive({ from: { address: 'gone@elsewhere.test', name: 'Gone' } })
    await rows(`update app_public.users set disabled_at = now() where email = 'gone@elsewhere.test'`)
    expect(await receive({ from: { address: 'gone@elsewhere.test', name: 'Gone' } })).toMatchObject({
      state: 'ignored',
      reason: 'person_disabled',
    })
    expect(await comments(ticketId)).toHaveLength(1)
  })
})

describe('a mail that answers', () => {
  test('one of ours is said on its ticket, and takes it into work again', async () => {
    const ticketId = await openTicket()
    await setStatus(ticketId, 'pending')
    const references = ['<unknown@elsewhere.test>', await sent(ticketId, stage.acme.customer)]
    expect(await receive({ references, text: 'Still out' })).toMatchObject({
      ticketId,
      state: 'processed',
      reason: null,
    })
    expect(await last(ticketId)).toMatchObject({
      author: 'customer',
      visibility: 'public',
      body: 'Still out',
    })
    expect((await ticketOf(ticketId)).status).toBe('open')
  })

  test('a mail of the same person goes on there', async () => {
    const messageId = '<first@elsewhere.test>'
    const { ticketId } = await receive({ messageId })
    expect(await receive({ references: [messageId] })).toMatchObject({ ticketId })
  })

  test('a mail that is not read yet waits for it', async () => {
    const messageId = `<${randomUUID()}@elsewhere.test>`
    const first = await store({ messageId })
    const second = await store()
    expect(await receive({ references: [messageId] }, { id: second! })).toMatchObject({ state: 'stored' })
    const { ticketId } = await receive({ messageId }, { id: first! })
    expect(await receive({ references: [messageId] }, { id: second! })).toMatchObject({
      state: 'processed',
      ticketId,
    })
  })

  test('to an address with a token belongs to the ticket of the token', async () => {
    const ticketId = await openTicket()
    await sent(ticketId, stage.acme.customer, { token: 'abc123' })
    for (const recipient of ['support+abc123@desk.test', 'Support+ABC123@Desk.test']) {
      expect(await receive({ recipients: ['somebody@else.test', recipient] })).toMatchObject({ ticketId })
    }
    // Not where the address is not ours, and not in another organization.
    for (const recipient of [
      'support+abc123@else.test',
      'help+abc123@desk.test',
      'support+@desk.test',
      'support+abc124@desk.test',
    ]) {
      expect((await receive({ recipients: [recipient] })).ticketId).not.toBe(ticketId)
    }
    const elsewhere = await receive({ recipients: ['support+abc123@desk.test'] }, { tenant: stage.globex })
    expect(elsewhere.ticketId).not.toBe(ticketId)
  })

  test('by the number in its subject, where its sender sees the ticket', async () => {
    const ticketId = await openTicket()
    const { reference } = await ticketOf(ticketId)
    expect(await receive({ subjectReferences: ['X-1', reference] })).toMatchObject({ ticketId })

    for (const from of ['stranger@elsewhere.test', address('neighbour')]) {
      const other = await receive({ subjectReferences: [reference], from: { address: from, name: '' } })
      expect(other).toMatchObject({ state: 'processed', reason: null })
      expect(other.ticketId).not.toBe(ticketId)
    }
    const elsewhere = await receive({ subjectReferences: [reference] }, { tenant: stage.globex })
    expect(elsewhere.ticketId).not.toBe(ticketId)
  })

  test('of somebody who does not see the ticket becomes a note, and wakes it', async () => {
    const ticketId = await openTicket()
    const references = [await sent(ticketId, stage.acme.customer)]
    for (const from of ['stranger@elsewhere.test', address('neighbour')]) {
      await setStatus(ticketId, 'resolved')
      expect(await receive({ references, from: { address: from, name: 'Who' } })).toMatchObject({
        ticketId,
        reason: 'not_participant',
      })
      const note = await last(ticketId)
      expect(note).toMatchObject({ author: '-Mail', visibility: 'internal' })
      expect(note.body).toContain(`Who <${from}>`)
      expect(note.body).toContain('It is out of paper')
      expect((await ticketOf(ticketId)).status).toBe('open')
    }
    expect(
      await rows(
        `select from app_public.users where email = 'stranger@elsewhere.test' and organization_id <> organization_id`,
      ),
    ).toEqual([])
  })

  test('a merged ticket goes where that went', async () => {
    const [source, target] = [await openTicket(), await openTicket()]
    const references = [await sent(source, stage.acme.customer)]
    await does(stage.acme.agent, 'select app_public.merge_ticket($1, $2)', [source, target])
    expect(await receive({ references })).toMatchObject({ ticketId: target, reason: null })
  })

  test.each([
    ['is closed', (id: string) => setStatus(id, 'closed')],
    [
      'was resolved too long ago',
      async (id: string) => {
        await setStatus(id, 'resolved')
        await rows('update app_public.ticket_settings set reopen_days = 14')
        await rows(`update app_public.tickets set resolved_at = now() - interval '1 year' where id = $1`, [
          id,
        ])
      },
    ],
  ])('a ticket that %s opens a new one beside it', async (_what, end) => {
    const former = await openTicket()
    const references = [await sent(former, stage.acme.customer)]
    await end(former)
    const { ticketId, reason } = await receive({ references })
    expect(reason).toBe('ticket_over')
    expect(ticketId).not.toBe(former)
    expect(
      await rows(
        'select kind from app_public.ticket_relationships where $1 in (ticket_id, other_ticket_id) and $2 in (ticket_id, other_ticket_id)',
        [former, ticketId],
      ),
    ).toEqual([{ kind: 'relates_to' }])
    expect(await comments(former)).toHaveLength(1)
  })
})

describe('a colleague who answers', () => {
  const from = { address: address('agent'), name: 'Agent' }

  test('what nobody sent them writes a note that says so', async () => {
    const ticketId = await openTicket()
    const reference = await sent(ticketId, stage.acme.customer)
    for (const way of [
      { references: [reference] },
      { subjectReferences: [(await ticketOf(ticketId)).reference] },
    ]) {
      expect(await receive({ ...way, from })).toMatchObject({ ticketId, reason: 'unproven_staff' })
      const note = await last(ticketId)
      expect(note).toMatchObject({ author: '-Mail', visibility: 'internal' })
      expect(note.body).toContain('Nothing proves')
    }
    expect((await ticketOf(ticketId)).status).toBe('new')
  })

  test.each(['reference', 'token'])(
    'what was said in public, proven by a %s, answers the requester',
    async (proof) => {
      const ticketId = await openTicket()
      const commentId = (await last(ticketId)).id
      const token = randomUUID().replaceAll('-', '')
      const reference = await sent(ticketId, stage.acme.agent, { commentId, token })
      const facts =
        proof === 'token' ? { recipients: [`support+${token}@desk.test`] } : { references: [reference] }
      expect(await receive({ ...facts, from, text: 'Turn it on' })).toMatchObject({ ticketId, reason: null })
      expect(await last(ticketId)).toMatchObject({
        author: 'agent',
        visibility: 'public',
        body: 'Turn it on',
      })
      expect(
        await row(
          'select status, first_responded_at is not null as answered from app_public.tickets where id = $1',
          [ticketId],
        ),
      ).toEqual({
        status: 'open',
        answered: true,
      })
    },
  )

  test('a note, or the news of something else, speaks to colleagues alone', async () => {
    const ticketId = await openTicket()
    const note = await does<string>(
      stage.acme.manager,
      `select id from app_public.add_comment($1, 'He lies', 'internal')`,
      [ticketId],
    )
    for (const commentId of [note, null]) {
      const references = [await sent(ticketId, stage.acme.agent, { commentId })]
      expect(await receive({ references, from, text: 'I know' })).toMatchObject({ reason: null })
      expect(await last(ticketId)).toMatchObject({ author: 'agent', visibility: 'internal', body: 'I know' })
    }
  })

  test('on a ticket that is closed writes a note there', async () => {
    const ticketId = await openTicket()
    const references = [await sent(ticketId, stage.acme.agent, { commentId: (await last(ticketId)).id })]
    await setStatus(ticketId, 'closed')
    expect(await receive({ references, from })).toMatchObject({ ticketId })
    expect(await last(ticketId)).toMatchObject({ author: 'agent', visibility: 'internal' })
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
