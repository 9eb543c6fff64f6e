import { createHash, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { mailsOn, origin } from '../support/mails.ts'
import { setStage } from '../support/stage.ts'
import { uploadsOn } from '../support/uploads.ts'

const stage = setStage()
const mails = mailsOn(stage)
const uploads = uploadsOn(stage)

const openTicket = (subject = 'The lamp flickers', by = stage.acme.customer) =>
  stage.does<string>(by, `select id from app_public.create_ticket($1, 'Since eight')`, [subject])
const comment = (ticketId: string, body: string, by = stage.acme.agent, visibility = 'public') =>
  stage.does<string>(by, 'select id from app_public.add_comment($1, $2, $3)', [ticketId, body, visibility])
const ownerDoes = (sql: string, values: unknown[] = []) => stage.superuser.query(sql, values)

describe('a mail is not written', () => {
  test('twice for one fact', async () => {
    const key = randomUUID()
    const first = await mails.write(stage.acme.customer, { key })
    expect(first).not.toBeNull()
    expect(await mails.write(stage.acme.customer, { key })).toBeNull()
    // Another organization has facts of its own.
    expect(await mails.write(stage.globex.customer, { key })).not.toBeNull()
  })

  test('to a customer about what only staff may read', async () => {
    const internal = await mails.write(stage.acme.customer, { commentId: stage.acme.internalCommentId })
    expect(internal).toBeNull()
    expect(
      await mails.write(stage.acme.agent, { commentId: stage.acme.internalCommentId, kind: 'notice' }),
    ).not.toBeNull()
  })

  test('to somebody who does not see the ticket', async () => {
    expect(await mails.write(stage.acme.neighbour)).toBeNull()
    expect(await mails.write(stage.acme.neighbour, { kind: 'notice', commentId: null })).toBeNull()
    // Who is asked for an approval is told so.
    expect(
      await mails.write(stage.acme.neighbour, {
        kind: 'notice',
        commentId: null,
        facts: { reasons: ['approver'], event: 'approval_requested' },
      }),
    ).not.toBeNull()
  })

  test('to an account that is shut', async () => {
    await ownerDoes('update app_public.users set disabled_at = now() where id = $1', [
      stage.acme.neighbour.userId,
    ])
    try {
      expect(
        await mails.write(stage.acme.neighbour, { ticketId: stage.acme.neighbourTicketId, commentId: null }),
      ).toBeNull()
    } finally {
      await ownerDoes('update app_public.users set disabled_at = null where id = $1', [
        stage.acme.neighbour.userId,
      ])
    }
  })

  test('that only acknowledges, where the organization sends none', async () => {
    const { acme } = stage
    await stage.does(acme.admin, 'update app_public.mail_settings set acknowledges = false returning id')
    expect(await mails.write(acme.customer, { kind: 'acknowledgement' })).toBeNull()
    expect(await mails.write(acme.customer, { kind: 'resolution' })).not.toBeNull()
    await stage.does(acme.admin, 'update app_public.mail_settings set acknowledges = true returning id')
    expect(await mails.write(acme.customer, { kind: 'acknowledgement' })).not.toBeNull()
  })

  test('by whoever is not the owner', async () => {
    const { acme } = stage
    const call = `select app_private.write_mail('reply', 'mine', recipient) from app_public.users as recipient limit 1`
    for (const actor of [acme.customer, acme.agent, acme.admin, acme.worker]) {
      expect(await stage.refuses(actor, call)).toBe('42501')
    }
  })
})

describe('a mail', () => {
  test('waits for its time, and has a job', async () => {
    const sendAt = new Date(Date.now() + 3_600_000).toISOString()
    const id = (await mails.write(stage.acme.customer, { sendAt }))!
    expect((await mails.job(id))?.run_at.toISOString()).toBe(sendAt)
    expect(await mails.toSend(id)).toBeNull()
    const now = (await mails.write(stage.acme.customer))!
    expect((await mails.job(now))!.run_at.getTime()).toBeLessThan(Date.now() + 1_000)
  })

  test('comes from the mailbox of its ticket and is answered there, by a token that is kept as a hash', async () => {
    const { acme } = stage
    const id = (await mails.write(acme.customer))!
    const mail = (await mails.toSend(id))!
    expect(mail.from).toEqual({ name: 'Support', address: 'support@desk.test' })
    expect(mail.to).toEqual({ name: 'customer of acme', address: 'customer@acme.test' })
    const token = /^support\+([0-9a-f]{32})@desk\.test$/.exec(mail.replyTo!)![1]!

    const { rows } = await ownerDoes(
      'select to_jsonb(mail)::text as kept from app_public.mail_messages as mail where id = $1',
      [id],
    )
    expect(JSON.stringify(rows)).not.toContain(token)
    const hashes = await ownerDoes(
      'select token_hash from app_private.mail_reply_tokens where mail_id = $1',
      [id],
    )
    expect(hashes.rows).toEqual([{ token_hash: createHash('sha256').update(token).digest() }])
    const audited = await ownerDoes('select string_agg(after::text, $1) as said from app_public.audit_log', [
      ' ',
    ])
    expect(audited.rows[0].said).not.toContain(token)
    expect(audited.rows[0].said).not.toContain(hashes.rows[0].token_hash.toString('hex'))

    const ticketOf = (given: string, worker = acme.worker) =>
      stage.sees(
        worker,
        'select jsonb_build_array(ticket_id, user_id) from app_private.ticket_of_reply_token($1)',
        [given],
      )
    expect(await ticketOf(token)).toEqual([[acme.ticketId, acme.customer.userId]])
    // A mail program may change the case of an address.
    expect(await ticketOf(token.toUpperCase())).toEqual([[acme.ticketId, acme.customer.userId]])
    expect(await ticketOf(token, stage.globex.worker)).toEqual([])
    expect(await ticketOf('0'.repeat(32))).toEqual([])
  })

  test('comes from the installation where no mailbox is read, and asks for no answer', async () => {
    await ownerDoes('update app_public.mailboxes set is_enabled = false where organization_id = $1', [
      stage.globex.organizationId,
    ])
    const id = (await mails.write(stage.globex.customer))!
    const mail = (await mails.toSend(id, stage.globex))!
    expect(mail.from).toEqual({ name: 'The globex company', address: null })
    expect(mail.replyTo).toBeNull()
    expect(mail.text).not.toContain('##-')
    expect(mail.text).toContain('Please answer in the portal')
    expect(mail.messageId).toMatch(/^<[0-9a-f-]{36}\.[0-9a-f]{16}@desk\.example>$/)
    await ownerDoes('update app_public.mailboxes set is_enabled = true where organization_id = $1', [
      stage.globex.organizationId,
    ])
  })

  test('refers to those before it that its reader got or wrote, and is found by what refers to it', async () => {
    const { acme } = stage
    const ticketId = await openTicket()
    const ids = []
    for (const kind of ['acknowledgement', 'reply', 'resolution']) {
      ids.push((await mails.write(acme.customer, { ticketId, commentId: null, kind }))!)
    }
    await mails.write(acme.agent, { ticketId, commentId: null, kind: 'notice' })
    const sent = await Promise.all(ids.map(async (id) => (await mails.toSend(id))!))
    expect(sent.map(({ references }) => references)).toEqual([
      [],
      [sent[0]!.messageId],
      [sent[0]!.messageId, sent[1]!.messageId],
    ])
    expect(sent[0]!.messageId).toMatch(/@desk\.test>$/)

    const ticketsOf = (messageIds: string[], worker = acme.worker) =>
      stage.sees(
        worker,
        'select jsonb_build_array(ticket_id, user_id) from app_private.ticket_of_message_ids($1)',
        [messageIds],
      )
    expect(await ticketsOf([`<${randomUUID()}@elsewhere>`, sent[1]!.messageId.toUpperCase()])).toEqual([
      [ticketId, acme.customer.userId],
    ])
    expect(await ticketsOf([sent[1]!.messageId], stage.globex.worker)).toEqual([])
    // Whoever knows the id of a mail does not know its name.
    expect(await ticketsOf([`<${ids[0]!}.0000000000000000@desk.test>`, 'nonsense', ''])).toEqual([])
    // What came in from them is part of it.
    const fixture = (await mails.toSend((await mails.write(acme.customer))!))!
    expect(fixture.references).not.toContain('<lamps@fixture.test>')
    await ownerDoes(
      `update app_public.incoming_mails set from_address = 'Customer@acme.test' where organization_id = $1`,
      [acme.organizationId],
    )
    const answer = (await mails.toSend((await mails.write(acme.customer))!))!
    expect(answer.references).toContain('<lamps@fixture.test>')
  })

  test('says to machines what it is', async () => {
    const { acme } = stage
    const headers = async (fact: Parameters<typeof mails.write>[1]) =>
      (await mails.toSend((await mails.write(acme.customer, fact))!))!.headers
    expect(await headers({ kind: 'acknowledgement' })).toMatchObject({
      'Auto-Submitted': 'auto-replied',
      'X-Auto-Response-Suppress': 'All',
    })
    expect(await headers({ kind: 'resolution', commentId: null })).toMatchObject({
      'Auto-Submitted': 'auto-generated',
    })
    const human = await headers({ kind: 'reply' })
    expect(human).toMatchObject({ 'X-ATUM-Desk': 'acme/ATUM-1001' })
    expect(human).not.toHaveProperty('Auto-Submitted')
  })

  test('leads its reader to where they read it', async () => {
    const { acme } = stage
    const textOf = async (...fact: Parameters<typeof mails.write>) =>
      (await mails.toSend((await mails.write(...fact))!))!.text
    expect(await textOf(acme.customer)).toContain(`${origin}/portal/tickets/1001\n`)
    expect(await textOf(acme.agent, { kind: 'notice' })).toContain(`${origin}/desk/tickets/1001\n`)
    expect(
      await textOf(acme.admin, {
        kind: 'alert',
        ticketId: null,
        commentId: null,
        facts: { alert: 'mail_failed', name: 'Ada' },
      }),
    ).toContain(`${origin}/desk/admin/outbox`)
  })

  test('carries the link of a survey, which is made when it is sent', async () => {
    const { acme } = stage
    const { rows } = await ownerDoes(
      `update app_public.csat_surveys set question = 'Was it good?', expires_at = now() + interval '1 day', state = 'sent', sent_at = now(), score = null, comment = null, answered_at = null
      where organization_id = $1 returning id, ticket_id`,
      [acme.organizationId],
    )
    const id = (await mails.write(acme.customer, {
      kind: 'survey',
      commentId: null,
      facts: { survey_id: rows[0].id },
    }))!
    const kept = await mails.row(id)
    expect(kept.survey_id).toBe(rows[0].id)
    expect(kept.text_body).toContain('{{survey_link:5}}')
    const mail = (await mails.toSend(id))!
    const token = /desk\.example\/survey\/([^?]+)\?score=5/.exec(mail.text)![1]!
    expect(mail.text).toContain('Was it good?')
    expect(mail.html).toContain(`href="${origin}/survey/${token}?score=1"`)
    expect(await stage.ask('survey_by_token', { token })).toBeTruthy()

    // When the time to answer is over there is nothing to ask any more.
    const late = (await mails.write(acme.customer, {
      kind: 'survey',
      commentId: null,
      facts: { survey_id: rows[0].id },
    }))!
    await ownerDoes(
      `update app_public.csat_surveys set sent_at = now() - interval '3 days', expires_at = now() - interval '1 day' where id = $1`,
      [rows[0].id],
    )
    expect(await mails.toSend(late)).toBeNull()
    expect(await mails.row(late)).toMatchObject({ state: 'cancelled' })
  })
})

describe('what people wrote', () => {
  const hostile = `<script>alert(1)</script> {{link:/x}} {{survey_link}} {{file_link:${randomUUID()}}} {{recipient.name}} {{{braces}}} {`

  test('is text in a mail, and no markup, variable or gap', async () => {
    const { acme } = stage
    const ticketId = await openTicket(`{{organization.name}} ${hostile}`.slice(0, 150))
    const commentId = await comment(ticketId, hostile)
    const mail = (await mails.toSend((await mails.write(acme.customer, { ticketId, commentId }))!))!
    expect(mail.text).toContain(hostile)
    expect(mail.html).not.toContain('<script')
    expect(mail.html).toContain(
      '&lt;script&gt;alert(1)&lt;/script&gt; {{link:/x}} {{survey_link}} {{file_link:',
    )
    expect(mail.subject).toContain('{{organization.name}}')
  })

  test('becomes no gap beside its neighbour', async () => {
    const { acme } = stage
    await stage.does(acme.admin, `select id from app_public.save_mail_template('reply', 'en', 'x', $1)`, [
      '{{comment.author}}{{comment.body}}',
    ])
    await ownerDoes(`update app_public.users set name = 'A {' where id = $1`, [acme.agent.userId])
    const ticketId = await openTicket()
    const commentId = await comment(ticketId, '{link:/desk}}')
    const mail = (await mails.toSend((await mails.write(acme.customer, { ticketId, commentId }))!))!
    expect(mail.text).toContain('A {{link:/desk}}')
    expect(mail.html).toContain('A {{link:/desk}}')
    expect(mail.text).not.toContain(origin)
    await stage.does(acme.admin, `select app_public.reset_mail_template('reply', 'en')`)
    await ownerDoes(`update app_public.users set name = 'agent of acme' where id = $1`, [acme.agent.userId])
  })

  test('adds no line to a subject and no recipient to an address', async () => {
    const { acme } = stage
    await ownerDoes(`update app_public.users set name = $2 where id = $1`, [
      acme.agent.userId,
      'Eve\r\nBcc: evil@example.com',
    ])
    const id = (await mails.write(acme.agent, {
      kind: 'notice',
      commentId: null,
      facts: { event: 'assignee_changed', actor_name: 'Eve\r\nBcc: evil@example.com\u2028x' },
    }))!
    const mail = (await mails.toSend(id))!
    expect(mail.subject).toBe('[ATUM-1001] Eve Bcc: evil@example.com x assigned the ticket to you')
    expect(mail.to.name).toBe('Eve Bcc: evil@example.com')
    await ownerDoes(`update app_public.users set name = 'agent of acme' where id = $1`, [acme.agent.userId])
  })

  test('and is internal reaches no customer, whatever the words of a mail name', async () => {
    const { acme } = stage
    await ownerDoes(`update app_public.tickets set tags = '{secret-tag}' where id = $1`, [acme.ticketId])
    await stage.superuser.query(`begin; set local session_replication_role = replica;
      update app_public.tickets set internal_fields = '{"secret": "SECRET-FIELD"}' where id = '${acme.ticketId}'; commit`)
    const internal = await comment(acme.ticketId, 'SECRET-NOTE', acme.agent, 'internal')
    for (const kind of ['acknowledgement', 'reply', 'resolution', 'notice', 'survey']) {
      expect(await mails.write(acme.customer, { kind, commentId: internal })).toBeNull()
      const id = (await mails.write(acme.customer, { kind }))!
      expect(JSON.stringify(await mails.toSend(id))).not.toMatch(/SECRET|secret-tag/)
    }
    const { rows } = await ownerDoes(
      'select kind, array_agg(variable) as names from unnest(enum_range(null::app_public.mail_kind)) as kind, unnest(app_hidden.mail_variables(kind)) as variable group by kind',
    )
    expect(JSON.stringify(rows)).not.toMatch(/internal|custom_field|tags|email/)
  })
})

describe('files', () => {
  const withFiles = async (sizes: number[], state = 'clean') => {
    const ticketId = await openTicket()
    const files = await Promise.all(
      sizes.map((size, at) => uploads.upload(stage.acme.agent, { size, name: `${at}.txt` })),
    )
    const commentId = await stage.does<string>(
      stage.acme.agent,
      `select id from app_public.add_comment($1, 'See the files', attachment_ids => $2)`,
      [ticketId, files.map(({ id }) => id)],
    )
    if (state !== 'pending') {
      await ownerDoes(
        `update app_public.stored_files set state = $2::app_public.file_state, signature = 'Eicar' where sha256 = any ($1)`,
        [files.map(({ sha256 }) => sha256), state],
      )
    }
    return { files, id: (await mails.write(stage.acme.customer, { ticketId, commentId }))! }
  }

  test('go with a mail up to 10 MiB, and are linked after that', async () => {
    const mebibyte = 1_048_576
    const { id, files } = await withFiles([4 * mebibyte, 6 * mebibyte, 1])
    const mail = (await mails.toSend(id))!
    expect(mail.files.map(({ name, size }) => [name, size])).toEqual([
      ['0.txt', 4 * mebibyte],
      ['1.txt', 6 * mebibyte],
    ])
    expect(mail.text).toMatch(
      /- 0\.txt \(4096 kB\)\n- 1\.txt \(6144 kB\)\n- 2\.txt \(1 B\)(: https:\/\/desk\.example\/files\/[0-9a-f]{64})\n/,
    )
    expect((await mails.row(id)).text_body).toContain(`{{file_link:${files[2]!.id}}}`)
  })

  test.each([
    ['infected', 'found to be dangerous'],
    ['unscannable', 'found to be dangerous'],
    ['removed', 'it was removed'],
  ])('that are %s stay behind, and the mail says so', async (state, words) => {
    const { id } = await withFiles([7], state)
    const mail = (await mails.toSend(id))!
    expect(mail.files).toEqual([])
    expect(mail.text).toContain(`0.txt (7 B) – not attached: ${words}`)
    expect(mail.html).toContain(`0.txt (7 B) – not attached: ${words}`)
  })

  test('that wait for the scanner are waited for, for some minutes, without an attempt', async () => {
    const { id } = await withFiles([7], 'pending')
    expect(await mails.toSend(id)).toBeNull()
    const waiting = await mails.row(id)
    expect(waiting).toMatchObject({ state: 'waiting', attempts: 0, claimed_until: null })
    expect(waiting.send_at.getTime()).toBeGreaterThan(Date.now() + 5_000)
    expect((await mails.job(id))!.run_at.getTime()).toBe(waiting.send_at.getTime())
    expect(await mails.attempts(id)).toEqual([])

    await ownerDoes(
      `update app_public.mail_messages set send_at = now(), created_at = now() - interval '6 minutes' where id = $1`,
      [id],
    )
    const mail = (await mails.toSend(id))!
    expect(mail.files).toEqual([])
    expect(mail.text).toContain('0.txt (7 B) – not attached: still being checked')
  })
})
