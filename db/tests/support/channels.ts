import type { Person } from './fixture.ts'

/** A row in each table of what comes in and goes out: a file on a comment, an event that nobody was told of yet, a mail that was sent. */
export async function channels(
  run: (sql: string, ...values: unknown[]) => Promise<unknown>,
  ticketId: string | undefined,
  agent: Person,
) {
  await run(
    `with file as (
      insert into app_public.stored_files (organization_id, sha256, size, content_type, state, scanned_at)
      values ($1, encode(sha256('fixture'), 'hex'), 7, 'text/plain', 'clean', now()) returning *
    )
    insert into app_public.attachments (organization_id, ticket_id, comment_id, uploaded_by_id, name, sha256, size, content_type, state)
    select $1, $2, comment.id, $3, 'lamps.txt', file.sha256, file.size, file.content_type, file.state
    from file
    join app_public.comments as comment on comment.organization_id = $1 and comment.ticket_id = $2 and comment.visibility = 'public'
    limit 1`,
    ticketId,
    agent.userId,
  )
  await run(
    `insert into app_private.file_tokens (organization_id, token_hash, attachment_id, recipient_id, expires_at)
    select organization_id, sha256(id::text::bytea), id, $3, now() + interval '1 day'
    from app_public.attachments where organization_id = $1 and ticket_id = $2`,
    ticketId,
    agent.userId,
  )
  await run(
    `insert into app_private.announcement_queue (organization_id, ticket_id, event_id)
    select organization_id, ticket_id, id from app_public.ticket_events where organization_id = $1 and ticket_id = $2 limit 1
    on conflict do nothing`,
    ticketId,
  )
  await run(
    `insert into app_public.mail_messages
      (organization_id, kind, dedupe_key, user_id, to_address, ticket_id, subject, text_body, html_body, message_id, state, sent_at)
    values ($1, 'reply', 'fixture', $3, 'somebody@fixture.test', $2, 'Lamps', 'Look at the lamps', '<p>Look at the lamps</p>',
      '<fixture@desk.test>', 'sent', now())`,
    ticketId,
    agent.userId,
  )
  await mailsOut(run)
  await notices(run, ticketId, agent)
}

/** What became of a mail, by what an answer to it is known, and an organization's own words for such mails. */
async function mailsOut(run: (sql: string, ...values: unknown[]) => Promise<unknown>) {
  await run(
    `insert into app_public.mail_attempts (organization_id, mail_id, outcome, code, response)
    select organization_id, id, 'sent', 250, 'OK' from app_public.mail_messages where organization_id = $1 and dedupe_key = 'fixture'`,
  )
  await run(
    `insert into app_private.mail_reply_tokens (organization_id, mail_id, token_hash)
    select organization_id, id, sha256('fixture') from app_public.mail_messages where organization_id = $1 and dedupe_key = 'fixture'`,
  )
  await run(
    `insert into app_public.mail_templates (organization_id, kind, locale, subject, body)
    values ($1, 'reply', 'fr', 'Sur {{ticket.subject}}', 'Lampes : {{comment.body}}')`,
  )
}

/** Something the agent was told, and how the agent wants to be told. */
async function notices(
  run: (sql: string, ...values: unknown[]) => Promise<unknown>,
  ticketId: string | undefined,
  agent: Person,
) {
  await run(
    `insert into app_public.notifications (organization_id, user_id, kind, reasons, event_id, ticket_id)
    select organization_id, $3, 'assigned', '{assignee}', id, ticket_id
    from app_public.ticket_events where organization_id = $1 and ticket_id = $2 limit 1
    on conflict do nothing`,
    ticketId,
    agent.userId,
  )
  await run(
    `insert into app_private.notification_choices (organization_id, user_id, kind, in_app, mail, in_browser)
    values ($1, $2, 'note', true, 'off', false)`,
    agent.userId,
  )
  await run(
    `insert into app_private.notification_settings (organization_id, user_id, quiet_from, quiet_to)
    values ($1, $2, 1320, 360)`,
    agent.userId,
  )
}
