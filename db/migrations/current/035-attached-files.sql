-- Files go with what is said.
drop function app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text);
drop function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text);
drop function app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text);
drop function app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer);
drop function app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text);

alter table app_public.ticket_drafts
  add column attachment_ids uuid[] not null default '{}'
    check (cardinality(attachment_ids) <= 50 and array_position(attachment_ids, null) is null);
alter table app_public.outgoing_replies
  add column attachment_ids uuid[] not null default '{}'
    check (cardinality(attachment_ids) <= 50 and array_position(attachment_ids, null) is null);

comment on column app_public.ticket_drafts.attachment_ids is 'The files that were uploaded for it and wait to be sent, by their row ids. Those that are gone since are not refused until it is sent.';
comment on column app_public.outgoing_replies.attachment_ids is 'The files that go with it, by their row ids.';

-- What happens to the files of a comment names the comment, and moves with it.
alter table app_public.ticket_events drop constraint ticket_events_check;
alter table app_public.ticket_events add constraint ticket_events_check check (
  case
    when type = 'comment_added' then comment_id is not null
    when type in ('attachment_added', 'attachment_blocked', 'attachment_released', 'attachment_removed') then true
    else comment_id is null
  end
);

comment on column app_public.ticket_events.comment_id is 'The comment that was added, for `comment_added`, or that carries the files, for `attachment_added`, `attachment_blocked`, `attachment_released` and `attachment_removed`.';
comment on column app_public.ticket_events.after is 'The changed fields as they became; for `sla_met` and `sla_breached` also `kind` and `due_at`; for `attachment_added` the `files`, each with `id`, `name`, `size` in bytes and `content_type`.';
