import { createHash, randomUUID } from 'node:crypto'
import type { Person, Tenant } from './fixture.ts'
import type { Stage } from './stage.ts'

/** What a reader of mails found out about one. */
export interface Facts {
  [fact: string]: unknown
}

interface Decision {
  state: string
  reason: string | null
  ticketId: string | null
  commentId: string | null
  files: { sha256: string; state: string }[]
}

/** Ways to have mails come in, and to look at what became of them. */
export function incomingMailsOf(stage: Stage) {
  const { does } = stage
  const rows = async <Row>(sql: string, values: unknown[] = []) =>
    (await stage.superuser.query(sql, values)).rows as Row[]
  const row = async <Row>(sql: string, values: unknown[] = []) => (await rows<Row>(sql, values))[0]!

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
  const sent = async (
    ticketId: string,
    to: Person,
    { commentId = null as string | null, token = '' } = {},
  ) => {
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

  return {
    rows,
    row,
    mailboxOf,
    store,
    address,
    mailOf,
    receive,
    comments,
    last,
    ticketOf,
    openTicket,
    setStatus,
    sent,
  }
}
