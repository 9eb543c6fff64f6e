import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { incomingMailsOf } from '../support/incoming-mails.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { does } = stage
const {
  rows,
  row,
  mailboxOf,
  store,
  address,
  receive,
  comments,
  last,
  ticketOf,
  openTicket,
  setStatus,
  sent,
} = incomingMailsOf(stage)

beforeEach(async () => {
  await rows(`update app_public.incoming_mails set created_at = created_at - interval '1 day'`)
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
    expect(await receive({ subjectReferences: ['X-1', reference] })).toMatchObject({
      ticketId,
      reason: 'unproven',
    })
    expect(await last(ticketId)).toMatchObject({ author: 'customer', visibility: 'public' })

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

  describe('proves it', () => {
    const proof = async (ticketId: string) => {
      const commentId = (await last(ticketId)).id
      const token = randomUUID().replaceAll('-', '')
      const reference = await sent(ticketId, stage.acme.agent, { commentId, token })
      return { reference, recipients: [`support+${token}@desk.test`], references: [reference] }
    }
    const say = async (facts: object) => (await receive({ from, ...facts })).reason

    test('for fourteen days', async () => {
      const { reference, recipients, references } = await proof(await openTicket())
      const age = (days: number) =>
        rows(
          `update app_public.mail_messages set sent_at = now() - make_interval(days => $2, mins => -5) where message_id = $1`,
          [reference, days],
        )
      await age(14)
      expect(await say({ recipients })).toBeNull()
      expect(await say({ references })).toBeNull()
      await age(15)
      expect(await say({ recipients })).toBe('unproven_staff')
      expect(await say({ references })).toBe('unproven_staff')
    })

    test('again, where only colleagues and mailboxes of ours had it', async () => {
      const { recipients } = await proof(await openTicket())
      expect(
        await say({ recipients: [...recipients, 'support@desk.test', address('manager').toUpperCase()] }),
      ).toBeNull()
      expect(await say({ recipients })).toBeNull()
    })

    test.each(['customer@acme.test', 'friend@elsewhere.test'])(
      'once, where %s had it as well, until they are sent something new',
      async (other) => {
        const ticketId = await openTicket()
        const { recipients, references } = await proof(ticketId)
        expect(await say({ recipients: [...recipients, other], copied: [other] })).toBeNull()
        for (const way of [{ recipients }, { references }]) {
          expect(await say({ ...way, text: 'Forged' })).toBe('unproven_staff')
          expect(await last(ticketId)).toMatchObject({ author: '-Mail', visibility: 'internal' })
        }
        expect(await say({ references: [...references, (await proof(ticketId)).reference] })).toBeNull()
      },
    )

    test('also when somebody else forged an answer with others in copy', async () => {
      const ticketId = await openTicket()
      const { recipients } = await proof(ticketId)
      const forged = {
        recipients: ['support@desk.test', 'friend@elsewhere.test'],
        subjectReferences: [(await ticketOf(ticketId)).reference],
      }
      expect(await say(forged)).toBe('unproven_staff')
      expect(await say({ recipients })).toBeNull()
    })

    test('for its own ticket and those that were merged into it', async () => {
      const ticketId = await openTicket()
      const other = await openTicket()
      const { recipients } = await proof(ticketId)
      const references = [await sent(other, stage.acme.customer)]
      expect(await say({ recipients, references })).toBe('unproven_staff')
      await does(stage.acme.agent, 'select id from app_public.merge_ticket($1, $2)', [ticketId, other])
      expect(await receive({ from, recipients })).toMatchObject({ reason: null, ticketId: other })
    })
  })
})
