-- What somebody is writing is kept; what was sent can be taken back for a while, and then leaves exactly once.

create or replace function app_public.save_draft(
  ticket_id uuid,
  body text,
  visibility app_public.comment_visibility default 'public',
  status app_public.ticket_status default null,
  state_id uuid default null,
  mentioned_user_ids uuid[] default '{}',
  seen_comment_at timestamptz default null,
  seen_version integer default null,
  attachment_ids uuid[] default '{}'
) returns app_public.ticket_drafts
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  saved app_public.ticket_drafts;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to keep a draft';
  end if;
  if not exists (
    select
    from app_public.tickets as ticket
    where ticket.organization_id = caller_organization_id and ticket.id = save_draft.ticket_id and app_hidden.sees_ticket(ticket)
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;
  if not app_hidden.is_staff() and (
    save_draft.visibility = 'internal' or save_draft.status is not null or save_draft.state_id is not null
    or save_draft.mentioned_user_ids <> '{}'
  ) then
    raise exception using errcode = '42501', message = 'Only staff write notes, set a status and mention people';
  end if;

  -- There is room for more: what is given back to its author comes on top.
  if octet_length(save_draft.body) > 262144 then
    raise exception using errcode = '23514', message = 'A draft has at most 262,144 bytes';
  end if;

  if save_draft.seen_version > 0 then
    update app_public.ticket_drafts as draft
    set
      body = save_draft.body, status = save_draft.status, state_id = save_draft.state_id,
      mentioned_user_ids = coalesce(save_draft.mentioned_user_ids, '{}'), seen_comment_at = save_draft.seen_comment_at,
      attachment_ids = coalesce(save_draft.attachment_ids, '{}'),
      version = draft.version + 1, refused_code = null, refused_message = null, updated_at = now()
    where draft.organization_id = caller_organization_id and draft.author_id = caller_id
      and draft.ticket_id = save_draft.ticket_id and draft.visibility = coalesce(save_draft.visibility, 'public')
      and draft.version = save_draft.seen_version
    returning * into saved;
  else
    insert into app_public.ticket_drafts as draft (
      organization_id, ticket_id, author_id, visibility, body, status, state_id, mentioned_user_ids, seen_comment_at, attachment_ids
    )
    values (
      caller_organization_id, save_draft.ticket_id, caller_id, coalesce(save_draft.visibility, 'public'), save_draft.body,
      save_draft.status, save_draft.state_id, coalesce(save_draft.mentioned_user_ids, '{}'), save_draft.seen_comment_at,
      coalesce(save_draft.attachment_ids, '{}')
    )
    on conflict (organization_id, author_id, ticket_id, visibility) do update
    set
      body = excluded.body, status = excluded.status, state_id = excluded.state_id,
      mentioned_user_ids = excluded.mentioned_user_ids, seen_comment_at = excluded.seen_comment_at,
      attachment_ids = excluded.attachment_ids,
      version = draft.version + 1, refused_code = null, refused_message = null, updated_at = now()
    where save_draft.seen_version is null
    returning * into saved;
  end if;

  if saved.id is null then
    -- A save whose answer was lost on the way is no conflict with itself.
    select * into saved
    from app_public.ticket_drafts as draft
    where draft.organization_id = caller_organization_id and draft.author_id = caller_id
      and draft.ticket_id = save_draft.ticket_id and draft.visibility = coalesce(save_draft.visibility, 'public')
      and draft.body = save_draft.body and draft.attachment_ids = coalesce(save_draft.attachment_ids, '{}');
    if not found then
      raise exception using
        errcode = 'AD180', message = 'You wrote on this draft on another device since, or sent it there; look at what it says now';
    end if;
  end if;
  return saved;
end
$$;

comment on function app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, uuid[]) is
  'Keeps what the caller is writing on a ticket, and returns the draft: one reply and one note for each person and ticket. `body` has up to 262,144 bytes. `attachmentIds` are the row ids of files that you uploaded for it. With `seenVersion`, the `version` as you saw it or 0 where you saw none, a save that crosses with one from another device is refused with DRAFT_CONFLICT, and both are still there: the other one here, yours with you. Without it the last save wins. Customers keep replies only. Errors: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, INVALID_INPUT, DRAFT_CONFLICT.';

create or replace function app_public.discard_draft(
  ticket_id uuid, visibility app_public.comment_visibility default 'public', seen_version integer default null
) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.ticket_drafts as draft
  where draft.organization_id = app_hidden.current_organization_id() and draft.author_id = app_hidden.current_user_id()
    and draft.ticket_id = discard_draft.ticket_id and draft.visibility = coalesce(discard_draft.visibility, 'public')
    and (discard_draft.seen_version is null or draft.version = discard_draft.seen_version);
  return found;
end
$$;

comment on function app_public.discard_draft(uuid, app_public.comment_visibility, integer) is
  'Throws away what the caller was writing on a ticket; with `seenVersion` only as long as it is the draft that was seen. Returns whether there was one.';

do $$
begin
  if to_regtype('app_public.sent_reply') is null then
    create type app_public.sent_reply as (outgoing_reply_id uuid, send_at timestamptz, comment_id uuid);
  end if;
end
$$;

comment on type app_public.sent_reply is 'What became of a reply that was sent: it is on its way, or it left.';
comment on column app_public.sent_reply.outgoing_reply_id is 'The row id by which it can be taken back; null when it left.';
comment on column app_public.sent_reply.send_at is 'When it leaves; null when it left.';
comment on column app_public.sent_reply.comment_id is 'The row id of the comment it became; null while it is on its way.';

create or replace function app_public.send_reply(
  ticket_id uuid,
  body text,
  visibility app_public.comment_visibility default 'public',
  status app_public.ticket_status default null,
  state_id uuid default null,
  mentioned_user_ids uuid[] default '{}',
  seen_comment_at timestamptz default null,
  draft_version integer default null,
  client_mutation_key text default null,
  attachment_ids uuid[] default '{}'
) returns app_public.sent_reply
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  sent app_public.sent_reply;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to send a reply';
  end if;

  -- A retry is answered before anything is tried. What is on its way is looked for first: it may leave in between.
  select waiting.id, waiting.send_at into sent.outgoing_reply_id, sent.send_at
  from app_public.outgoing_replies as waiting
  where waiting.organization_id = caller_organization_id and waiting.author_id = caller_id
    and waiting.client_mutation_key = send_reply.client_mutation_key;
  if found then
    return sent;
  end if;
  select earlier.id into sent.comment_id
  from app_public.comments as earlier
  where earlier.organization_id = caller_organization_id and earlier.author_id = caller_id
    and earlier.client_mutation_key = send_reply.client_mutation_key;
  if found then
    return sent;
  end if;

  -- What was written on is gone with the sending; what another device wrote since stays.
  if send_reply.draft_version is not null then
    perform app_public.discard_draft(send_reply.ticket_id, send_reply.visibility, send_reply.draft_version);
  end if;

  if send_reply.visibility = 'internal' or exists (
    select
    from app_public.ticket_settings as settings
    where settings.organization_id = caller_organization_id and settings.undo_send_seconds = 0
  ) then
    select made.id into sent.comment_id
    from app_public.add_comment(
      send_reply.ticket_id, send_reply.body, send_reply.visibility, send_reply.status, send_reply.state_id,
      send_reply.mentioned_user_ids, send_reply.seen_comment_at, send_reply.client_mutation_key, send_reply.attachment_ids
    ) as made;
    return sent;
  end if;

  -- Said once and taken back at once: whatever refuses the reply refuses it now, and not when its author has gone on.
  begin
    perform app_public.add_comment(
      send_reply.ticket_id, send_reply.body, 'public', send_reply.status, send_reply.state_id,
      send_reply.mentioned_user_ids, send_reply.seen_comment_at, attachment_ids => send_reply.attachment_ids
    );
    raise sqlstate 'TRIED';
  exception
    when sqlstate 'TRIED' then
      null;
  end;

  insert into app_public.outgoing_replies (
    organization_id, ticket_id, author_id, body, status, state_id, mentioned_user_ids, seen_comment_at, client_mutation_key,
    attachment_ids
  )
  values (
    caller_organization_id, send_reply.ticket_id, caller_id, send_reply.body, send_reply.status, send_reply.state_id,
    coalesce(send_reply.mentioned_user_ids, '{}'), send_reply.seen_comment_at, send_reply.client_mutation_key,
    coalesce(send_reply.attachment_ids, '{}')
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, author_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning id, send_at into sent.outgoing_reply_id, sent.send_at;

  if not found then
    select waiting.id, waiting.send_at into sent.outgoing_reply_id, sent.send_at
    from app_public.outgoing_replies as waiting
    where waiting.organization_id = caller_organization_id and waiting.author_id = caller_id
      and waiting.client_mutation_key = send_reply.client_mutation_key;
  end if;
  return sent;
end
$$;

comment on function app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text, uuid[]) is
  'Sends a reply, which leaves after the `undoSendSeconds` of the organization and can be taken back by `undoSend` until then; a note, or a reply where there is no delay, is said at once. Takes what `addComment` takes, and refuses now what it would refuse. The draft of which you saw `draftVersion` goes with it. What is refused when it leaves (the ticket was closed or merged meanwhile, somebody answered after `seenCommentAt`, its author may no longer write) comes back as a draft that says why. Retrying with the same `clientMutationKey` (8 to 64 characters) sends nothing twice. Staff only. Errors: as `addComment`.';

create or replace function app_private.tg_outgoing_replies__stamp() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.send_at := clock_timestamp() + make_interval(secs => (
    select settings.undo_send_seconds
    from app_public.ticket_settings as settings
    where settings.organization_id = NEW.organization_id
  ));
  return NEW;
end
$$;

comment on function app_private.tg_outgoing_replies__stamp() is 'Gives a reply the instant at which it leaves.';

create or replace trigger _100_stamp before insert on app_public.outgoing_replies
  for each row execute function app_private.tg_outgoing_replies__stamp();

create or replace function app_private.tg_outgoing_replies__schedule_sending() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue(
    'deliver_reply', NEW.organization_id, jsonb_build_object('outgoingReplyId', NEW.id),
    run_at => NEW.send_at, job_key => 'deliver_reply:' || NEW.id
  );
  return null;
end
$$;

comment on function app_private.tg_outgoing_replies__schedule_sending() is 'Has a job deliver a reply at its time.';

create or replace trigger _900_schedule_sending after insert on app_public.outgoing_replies
  for each row execute function app_private.tg_outgoing_replies__schedule_sending();

create or replace function app_private.give_back_as_draft(
  reply app_public.outgoing_replies, refused_code text default null, refused_message text default null
) returns app_public.ticket_drafts
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.ticket_drafts as draft (
    organization_id, ticket_id, author_id, visibility, body, status, state_id, mentioned_user_ids, seen_comment_at,
    attachment_ids, refused_code, refused_message
  )
  values (
    reply.organization_id, reply.ticket_id, reply.author_id, 'public', reply.body, reply.status, reply.state_id,
    reply.mentioned_user_ids, reply.seen_comment_at, reply.attachment_ids, give_back_as_draft.refused_code, give_back_as_draft.refused_message
  )
  -- What its author began to write meanwhile follows it: of neither is a word lost.
  on conflict (organization_id, author_id, ticket_id, visibility) do update
  set
    body = case when draft.body ~ '\S' then excluded.body || E'\n\n' || draft.body else excluded.body end,
    status = coalesce(draft.status, excluded.status), state_id = coalesce(draft.state_id, excluded.state_id),
    mentioned_user_ids = (array(
      select distinct mentioned_id from unnest(excluded.mentioned_user_ids || draft.mentioned_user_ids) as mentioned_id
    ))[1:50],
    attachment_ids = (
      excluded.attachment_ids || array(
        select added_id from unnest(draft.attachment_ids) as added_id where added_id <> all (excluded.attachment_ids)
      )
    )[1:50],
    version = draft.version + 1, refused_code = excluded.refused_code, refused_message = excluded.refused_message,
    updated_at = now()
  returning *
$$;

comment on function app_private.give_back_as_draft(app_public.outgoing_replies, text, text) is
  'Makes a reply that does not leave a draft of its author again, before whatever the author wrote on that ticket meanwhile.';

create or replace function app_public.undo_send(outgoing_reply_id uuid) returns app_public.ticket_drafts
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  reply app_public.outgoing_replies;
begin
  -- Waits for a delivery that is under way, and finds nothing after it.
  delete from app_public.outgoing_replies as waiting
  where waiting.organization_id = app_hidden.current_organization_id()
    and waiting.author_id = app_hidden.current_user_id() and waiting.id = undo_send.outgoing_reply_id
  returning * into reply;
  if not found then
    raise exception using errcode = 'AD181', message = 'There is no reply of yours on its way that could be taken back; it may have left';
  end if;
  return app_private.give_back_as_draft(reply);
end
$$;

comment on function app_public.undo_send(uuid) is
  'Takes back a reply that has not left yet, and returns it as a draft, before what the caller wrote on that ticket meanwhile. Only its author does. Error REPLY_NOT_ON_ITS_WAY when there is none: it left, was taken back, or never was.';

create or replace function app_private.deliver_reply(reply app_public.outgoing_replies) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
begin
  select * into strict ticket
  from app_public.tickets as answered
  where answered.organization_id = reply.organization_id and answered.id = reply.ticket_id;

  if not exists (
    select
    from app_public.users as author
    where author.organization_id = reply.organization_id and author.id = reply.author_id
      and author.disabled_at is null and author.role <> 'customer'
  ) then
    raise exception using errcode = 'AD182', message = 'Its author may no longer answer tickets';
  end if;
  if reply.author_id is distinct from ticket.assignee_id and not app_private.may_see_ticket(reply.author_id, ticket) then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;

  -- It is the author's act, whoever carries it out.
  perform set_config('atum.user_id', reply.author_id::text, true);
  perform app_public.add_comment(
    reply.ticket_id, reply.body, 'public', reply.status, reply.state_id, reply.mentioned_user_ids,
    -- Two replies of one author do not cross with each other.
    case when exists (
      select
      from app_public.comments as newer
      where newer.organization_id = reply.organization_id and newer.ticket_id = reply.ticket_id
        and newer.created_at > reply.seen_comment_at and newer.visibility = 'public'
        and newer.author_id is distinct from reply.author_id
    ) then reply.seen_comment_at end,
    coalesce(reply.client_mutation_key, reply.id::text), reply.attachment_ids
  );
  perform set_config('atum.user_id', '', true);
end
$$;

comment on function app_private.deliver_reply(app_public.outgoing_replies) is
  'Makes a reply the comment it was written to be, in the name of its author. Errors: AUTHOR_GONE, and what `addComment` refuses.';

create or replace function app_private.deliver_replies(outgoing_reply_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  reply app_public.outgoing_replies;
  refused_code text;
  refused_message text;
  delivered integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Replies are delivered for one organization at a time';
  end if;

  -- The lock and the removal make it exactly once: whoever else comes for it skips it, and finds it gone.
  for reply in
    select *
    from app_public.outgoing_replies as waiting
    where waiting.organization_id = app_hidden.current_organization_id() and waiting.send_at <= clock_timestamp()
      and (deliver_replies.outgoing_reply_id is null or waiting.id = deliver_replies.outgoing_reply_id)
    order by waiting.send_at
    limit 1000
    for update skip locked
  loop
    begin
      perform app_private.deliver_reply(reply);
      delivered := delivered + 1;
    exception
      when others then
        -- A refusal is told to the author. A fault is ours: the reply waits, and its job tries again.
        if sqlstate ~ '^(AD|22|23)' or sqlstate = '42501' then
          refused_code := sqlstate;
          refused_message := sqlerrm;
          begin
            perform app_private.give_back_as_draft(reply, refused_code, refused_message);
          exception
            -- There is no room left in the draft: the reply waits until there is, and holds up nobody else's.
            when check_violation then
              raise warning 'reply % could not be given back: %', reply.id, sqlerrm;
              continue;
          end;
        elsif outgoing_reply_id is not null then
          raise;
        else
          raise warning 'reply % could not be delivered: %', reply.id, sqlerrm;
          continue;
        end if;
    end;
    delete from app_public.outgoing_replies as done
    where done.organization_id = reply.organization_id and done.id = reply.id;
  end loop;
  return delivered;
end
$$;

comment on function app_private.deliver_replies(uuid) is
  'Delivers the replies of the current organization whose time has come, or one of them, and returns how many left. One that is refused goes back to its author as a draft. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, uuid[]),
  app_public.discard_draft(uuid, app_public.comment_visibility, integer),
  app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text, uuid[]),
  app_private.tg_outgoing_replies__stamp(), app_private.tg_outgoing_replies__schedule_sending(),
  app_private.give_back_as_draft(app_public.outgoing_replies, text, text), app_public.undo_send(uuid),
  app_private.deliver_reply(app_public.outgoing_replies), app_private.deliver_replies(uuid)
from public;

grant execute on function
  app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, uuid[]),
  app_public.discard_draft(uuid, app_public.comment_visibility, integer)
to atum_customer, atum_agent;
grant execute on function
  app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text, uuid[]),
  app_public.undo_send(uuid)
to atum_agent;
grant execute on function app_private.deliver_replies(uuid) to atum_worker;
