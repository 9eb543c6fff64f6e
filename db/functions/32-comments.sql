create or replace function app_hidden.writes_for_staff() returns boolean
  language sql stable parallel safe
  return app_hidden.is_staff() or app_hidden.acting_role() = 'atum_worker';

comment on function app_hidden.writes_for_staff() is 'Whether what is said now is said by staff: at once, or by the worker that delivers what staff sent a moment ago.';

create or replace function app_public.add_comment(
  ticket_id uuid,
  body text,
  visibility app_public.comment_visibility default 'public',
  status app_public.ticket_status default null,
  state_id uuid default null,
  mentioned_user_ids uuid[] default '{}',
  seen_comment_at timestamptz default null,
  client_mutation_key text default null,
  attachment_ids uuid[] default '{}'
) returns app_public.comments
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket record;
  made app_public.comments;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
  next_status app_public.ticket_status := add_comment.status;
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to write a comment';
  end if;

  -- A retry is answered before anything is tried: no rule that came since refuses it.
  select * into made
  from app_public.comments as earlier
  where earlier.organization_id = caller_organization_id
    and earlier.author_id = caller_id
    and earlier.client_mutation_key = add_comment.client_mutation_key;
  if found then
    return made;
  end if;

  -- A ticket of somebody else and one that never was look the same.
  select visible.id, visible.status, visible.requester_id into ticket
  from app_public.tickets as visible
  where visible.organization_id = caller_organization_id and visible.id = add_comment.ticket_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;

  insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body, client_mutation_key)
  values (
    caller_organization_id, add_comment.ticket_id, caller_id, coalesce(add_comment.visibility, 'public'), add_comment.body,
    add_comment.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, author_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into made;

  if not found then
    select * into strict made
    from app_public.comments as earlier
    where earlier.organization_id = caller_organization_id
      and earlier.author_id = caller_id
      and earlier.client_mutation_key = add_comment.client_mutation_key;
    return made;
  end if;

  -- Looked at now that the comment has locked its ticket, so that of two that cross one is refused.
  if add_comment.seen_comment_at is not null and exists (
    select
    from app_public.comments as crossed
    where crossed.organization_id = caller_organization_id and crossed.ticket_id = add_comment.ticket_id
      and crossed.visibility = 'public' and crossed.created_at > add_comment.seen_comment_at and crossed.id <> made.id
  ) then
    raise exception using errcode = 'AD111', message = 'Somebody answered while you were writing; read it, and send yours if it still holds';
  end if;

  if add_comment.mentioned_user_ids <> '{}' then
    perform app_hidden.mention(made, add_comment.mentioned_user_ids);
  end if;
  if add_comment.attachment_ids <> '{}' then
    perform app_hidden.attach_uploads(made, add_comment.attachment_ids);
  end if;

  -- The first public answer takes a new ticket into work, unless the answer says otherwise.
  if next_status is null and add_comment.state_id is null
    and ticket.status = 'new' and made.visibility = 'public'
    and app_hidden.writes_for_staff() and ticket.requester_id <> caller_id
  then
    next_status := 'open';
  end if;

  if add_comment.state_id is not null then
    update app_public.tickets as answered
    set state_id = add_comment.state_id
    where answered.organization_id = caller_organization_id and answered.id = add_comment.ticket_id;
  elsif next_status is not null and next_status <> ticket.status then
    update app_public.tickets as answered
    set status = next_status
    where answered.organization_id = caller_organization_id and answered.id = add_comment.ticket_id;
  end if;

  return made;
end
$$;

comment on function app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text, uuid[]) is
  'Says something on a ticket and returns the comment. `body` is plain text of 1 to 65,536 bytes. Staff may write `internal` comments, set the `status`, or the stage `stateId`, in the same save, and mention up to 50 colleagues who may see the ticket, who watch it from then on. With `seenCommentAt`, the ticket''s `lastCommentAt` as you saw it, a comment that crosses with another is refused with COMMENT_CONFLICT, and yours is still yours. A requester, or a colleague with whom the company shares tickets, who answers a pending, on-hold or resolved ticket opens it again. `attachmentIds` are the row ids of files that you uploaded (`POST /api/v1/attachments/upload`) and that are on no comment yet. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the comment the first call made. Errors: UNAUTHENTICATED, NOT_FOUND, INVALID_INPUT, FORBIDDEN, TICKET_CLOSED, TICKET_MERGED, REOPEN_WINDOW_OVER, COMMENT_CONFLICT, MENTION_REFUSED, TOO_MANY_ATTACHMENTS, ATTACHMENT_NOT_FOUND, ATTACHMENT_INFECTED, ATTACHMENT_REMOVED.';

create or replace function app_hidden.mention(comment app_public.comments, user_ids uuid[]) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  said app_public.comments;
  ticket app_public.tickets;
begin
  -- Read again, because whoever calls this can put a row together that says what they like.
  select * into said
  from app_public.comments as written
  where written.organization_id = app_hidden.current_organization_id() and written.id = comment.id
    and written.author_id = app_hidden.current_user_id();
  if not found or not app_hidden.writes_for_staff() then
    raise exception using errcode = 'AD112', message = 'Staff mention colleagues in what they write themselves';
  end if;
  if cardinality(user_ids) > 50 then
    raise exception using errcode = 'AD112', message = 'A comment mentions at most 50 people';
  end if;

  select * into strict ticket
  from app_public.tickets as said_on
  where said_on.organization_id = said.organization_id and said_on.id = said.ticket_id;

  insert into app_public.comment_mentions (organization_id, comment_id, user_id)
  select said.organization_id, said.id, person.id
  from app_public.users as person
  where person.organization_id = said.organization_id and person.id = any (user_ids)
    and person.role <> 'customer' and app_private.may_see_ticket(person.id, ticket)
  on conflict do nothing;

  perform app_private.add_watcher(ticket, mentioned.user_id)
  from app_public.comment_mentions as mentioned
  where mentioned.organization_id = said.organization_id and mentioned.comment_id = said.id
    and mentioned.user_id = any (user_ids);

  if exists (
    select from unnest(user_ids) as wanted (id)
    where not exists (
      select
      from app_public.comment_mentions as mentioned
      where mentioned.organization_id = said.organization_id and mentioned.comment_id = said.id and mentioned.user_id = wanted.id
    )
  ) then
    raise exception using errcode = 'AD112', message = 'Only colleagues who may see the ticket can be mentioned';
  end if;
end
$$;

comment on function app_hidden.mention(app_public.comments, uuid[]) is 'Records that the author of a comment called up to 50 colleagues by name, who watch the ticket from then on. Error MENTION_REFUSED.';

create or replace function app_private.tg_comments__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
begin
  select * into ticket
  from app_public.tickets
  where organization_id = NEW.organization_id and id = NEW.ticket_id;

  if ticket.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; write there';
  end if;

  if NEW.visibility = 'internal' then
    return NEW;
  end if;

  if ticket.status = 'closed' and ticket.closed_at < NEW.created_at then
    raise exception using errcode = 'AD102', message = 'This ticket is closed; open a new one';
  end if;

  if ticket.status = 'resolved'
    and exists (
      select
      from app_public.ticket_settings as settings
      where settings.organization_id = NEW.organization_id
        and ticket.resolved_at + make_interval(days => settings.reopen_days) < NEW.created_at
    )
    and exists (
      select
      from app_public.users as author
      where author.organization_id = NEW.organization_id and author.id = NEW.author_id and author.role = 'customer'
    )
  then
    raise exception using errcode = 'AD113', message = 'This ticket was resolved too long ago to go on; open a new one';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_comments__refuse() is 'Refuses a comment on a merged ticket, a public one on a closed ticket, and a customer''s on one that was resolved too long ago. Errors TICKET_MERGED, TICKET_CLOSED, REOPEN_WINDOW_OVER.';

create or replace trigger _200_refuse before insert on app_public.comments
  for each row execute function app_private.tg_comments__refuse();

create or replace function app_private.tg_comments__follow() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  ticket record;
  by_staff boolean;
begin
  -- The description is part of opening the ticket, not something that happened to it.
  if not exists (
    select
    from app_public.comments as earlier
    where earlier.organization_id = NEW.organization_id and earlier.ticket_id = NEW.ticket_id and earlier.id <> NEW.id
  ) then
    return null;
  end if;

  select said_on.requester_id, said_on.status, said_on.snoozed_until, said_on.merged_into_id, author.role as author_role into ticket
  from app_public.tickets as said_on
  left join app_public.users as author on author.organization_id = NEW.organization_id and author.id = NEW.author_id
  where said_on.organization_id = NEW.organization_id and said_on.id = NEW.ticket_id
  for no key update of said_on;

  -- Merged while this was being written: what was said would be left behind.
  if ticket.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; write there';
  end if;

  by_staff := coalesce(ticket.author_role <> 'customer' and NEW.author_id <> ticket.requester_id, false);

  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, comment_id, created_at)
  values (
    NEW.organization_id, NEW.ticket_id, 'comment_added', NEW.visibility, NEW.author_id, coalesce(NEW.author_name, app_hidden.current_actor_name()),
    NEW.id, NEW.created_at
  );

  -- A word of the customer takes a ticket that waits into work again, and wakes one that was put aside.
  if NEW.author_id is not null and not by_staff and NEW.visibility = 'public'
    and (ticket.status in ('pending', 'on_hold', 'resolved') or ticket.snoozed_until is not null)
  then
    update app_public.tickets
    set
      status = case when status in ('pending', 'on_hold', 'resolved') then 'open' else status end,
      snoozed_until = null,
      updated_at = greatest(updated_at, NEW.created_at)
    where organization_id = NEW.organization_id and id = NEW.ticket_id;
  end if;

  update app_public.tickets
  set
    last_comment_at = case when NEW.visibility = 'public' then greatest(last_comment_at, NEW.created_at) else last_comment_at end,
    updated_at = greatest(updated_at, NEW.created_at),
    first_responded_at = case
      when first_responded_at is null and by_staff and NEW.visibility = 'public' then NEW.created_at
      else first_responded_at
    end
  where organization_id = NEW.organization_id and id = NEW.ticket_id;
  return null;
end
$$;

comment on function app_private.tg_comments__follow() is 'Records the event of a comment and moves its ticket: last comment, first response, and open again when the requester or a colleague answers.';

create or replace trigger _500_follow after insert on app_public.comments
  for each row execute function app_private.tg_comments__follow();

revoke all on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text, uuid[]),
  app_hidden.writes_for_staff(), app_hidden.mention(app_public.comments, uuid[]), app_private.tg_comments__refuse(), app_private.tg_comments__follow()
from public;

grant execute on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text, uuid[])
to atum_customer, atum_agent;
grant execute on function app_hidden.writes_for_staff(), app_hidden.mention(app_public.comments, uuid[]) to atum_agent, atum_customer;
