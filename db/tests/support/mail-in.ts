/** A row in each table of mail that comes in: a mailbox with its secret, and a mail that is a comment of the ticket. */
export async function mailIn(
  run: (sql: string, ...values: unknown[]) => Promise<unknown>,
  ticketId: string | undefined,
) {
  await run(
    `with mailbox as (
      insert into app_public.mailboxes (organization_id, name, address, host, username, is_default)
      select id, 'Support', case slug when 'acme' then 'support@desk.test' else 'support@' || slug || '.test' end, 'imap.desk.test',
        'support@desk.test', true
      from app_public.organizations where id = $1
      returning id
    )
    insert into app_private.mailbox_secrets (organization_id, mailbox_id, sealed)
    select $1, mailbox.id, 'v1.mailbox' from mailbox`,
  )
  await run(
    `with mail as (
      insert into app_public.incoming_mails
        (organization_id, mailbox_id, folder, uid_validity, uid, sha256, size, message_id, from_address, subject, state, processed_at,
         ticket_id, comment_id)
      select $1, mailbox.id, 'INBOX', 1, 1, encode(sha256('mail'), 'hex'), 4, '<lamps@fixture.test>', 'customer@fixture.test', 'Lamps',
        'processed', now(), comment.ticket_id, comment.id
      from app_public.comments as comment
      join app_public.mailboxes as mailbox on mailbox.organization_id = comment.organization_id
      where comment.organization_id = $1 and comment.ticket_id = $2 and comment.visibility = 'public'
      limit 1
      returning id, comment_id
    )
    insert into app_public.comment_originals (organization_id, comment_id, html, quoted_text, incoming_mail_id)
    select $1, mail.comment_id, '<p>Lamps</p>', '> Lamps?', mail.id from mail`,
    ticketId,
  )
}
