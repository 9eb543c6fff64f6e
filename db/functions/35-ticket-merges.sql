create or replace function app_public.merge_ticket(source_ticket_id uuid, target_ticket_id uuid) returns app_public.ticket_merges
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  -- Both are locked in one order, so that two people who merge the same two do not wait for each other.
  swapped constant boolean := source_ticket_id > target_ticket_id;
  one constant app_public.tickets :=
    app_private.ticket_to_work_on(case when swapped then target_ticket_id else source_ticket_id end);
  two constant app_public.tickets :=
    app_private.ticket_to_work_on(case when swapped then source_ticket_id else target_ticket_id end);
  source constant app_public.tickets := case when one.id = source_ticket_id then one else two end;
  target constant app_public.tickets := case when one.id = source_ticket_id then two else one end;
  made app_public.ticket_merges;
begin
  if source.id = target.id then
    raise exception using errcode = 'AD116', message = 'A ticket cannot be merged into itself';
  end if;
  if source.merged_into_id is not null or target.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'A ticket that was merged goes on in another one; merge that one';
  end if;
  if target.status = 'closed' then
    raise exception using errcode = 'AD102', message = 'The ticket to go on in is closed';
  end if;

  insert into app_public.ticket_merges
    (
      organization_id, source_ticket_id, target_ticket_id, source_state_id, source_snoozed_until, merged_by_id,
      moved_comment_ids, moved_event_ids, moved_time_entry_ids, added_watcher_ids
    )
  values (
    source.organization_id, source.id, target.id, source.state_id, source.snoozed_until, app_hidden.current_user_id(),
    array(select id from app_public.comments where organization_id = source.organization_id and ticket_id = source.id),
    array(
      select id from app_public.ticket_events
      where organization_id = source.organization_id and ticket_id = source.id and comment_id is not null
    ),
    array(select id from app_public.time_entries where organization_id = source.organization_id and ticket_id = source.id),
    -- The requester of the source hears how it goes on, where that person may see the target.
    array(
      select person.id
      from (
        select source.requester_id as id
        union
        select watcher.user_id from app_public.ticket_watchers as watcher
        where watcher.organization_id = source.organization_id and watcher.ticket_id = source.id
      ) as person
      where app_private.may_see_ticket(person.id, target) and person.id <> target.requester_id
        and not exists (
          select from app_public.ticket_watchers as watcher
          where watcher.organization_id = target.organization_id and watcher.ticket_id = target.id and watcher.user_id = person.id
        )
    )
  )
  returning * into made;

  perform app_private.move_conversation(made, source.id, target.id);
  perform app_private.add_watcher(target, person_id) from unnest(made.added_watcher_ids) as person_id;

  perform app_private.record_ticket_event(
    source, 'ticket_merged', jsonb_build_object('merge_id', made.id, 'ticket_id', target.id, 'ticket_reference', target.reference),
    visibility => 'public'
  );
  perform app_private.record_ticket_event(
    target, 'merge_received', jsonb_build_object('merge_id', made.id, 'ticket_id', source.id, 'ticket_reference', source.reference)
  );

  update app_public.tickets as ticket
  set status = 'closed', merged_into_id = target.id
  where ticket.organization_id = source.organization_id and ticket.id = source.id;

  perform app_private.refresh_last_comment(target);
  return made;
end
$$;

comment on function app_public.merge_ticket(uuid, uuid) is
  'Merges a ticket into another one, and returns the merge: what was said, the time and who watches move to the target, whose requester reads from then on what was said in public; the source is closed, points to it, and leaves the SLA. `undoMerge` takes it back. Staff only. Errors: NOT_FOUND, MERGE_REFUSED, TICKET_MERGED, TICKET_CLOSED.';

create or replace function app_private.move_conversation(merge app_public.ticket_merges, from_ticket_id uuid, to_ticket_id uuid) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.comments
  set ticket_id = to_ticket_id
  where organization_id = merge.organization_id and ticket_id = from_ticket_id and id = any (merge.moved_comment_ids);

  update app_public.ticket_events
  set ticket_id = to_ticket_id
  where organization_id = merge.organization_id and ticket_id = from_ticket_id and id = any (merge.moved_event_ids);

  update app_public.time_entries
  set ticket_id = to_ticket_id
  where organization_id = merge.organization_id and ticket_id = from_ticket_id and id = any (merge.moved_time_entry_ids);
end
$$;

comment on function app_private.move_conversation(app_public.ticket_merges, uuid, uuid) is 'Moves what a merge names from one ticket to the other.';

create or replace function app_private.refresh_last_comment(ticket app_public.tickets) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.tickets as changed
  set
    last_comment_at = coalesce(
      (
        select max(comment.created_at)
        from app_public.comments as comment
        where comment.organization_id = ticket.organization_id and comment.ticket_id = ticket.id and comment.visibility = 'public'
      ),
      changed.created_at
    ),
    updated_at = now()
  where changed.organization_id = ticket.organization_id and changed.id = ticket.id
$$;

comment on function app_private.refresh_last_comment(app_public.tickets) is 'Looks up when the last public comment was written, after comments came or went.';

create or replace function app_public.undo_merge(merge_id uuid) returns app_public.ticket_merges
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  merge app_public.ticket_merges;
  one app_public.tickets;
  two app_public.tickets;
  source app_public.tickets;
  target app_public.tickets;
begin
  select * into merge
  from app_public.ticket_merges as made
  where made.organization_id = app_hidden.current_organization_id() and made.id = undo_merge.merge_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such merge';
  end if;
  one := app_private.ticket_to_work_on(least(merge.source_ticket_id, merge.target_ticket_id));
  two := app_private.ticket_to_work_on(greatest(merge.source_ticket_id, merge.target_ticket_id));
  source := case when one.id = merge.source_ticket_id then one else two end;
  target := case when one.id = merge.source_ticket_id then two else one end;

  update app_public.ticket_merges as made
  set undone_at = now(), undone_by_id = app_hidden.current_user_id()
  where made.organization_id = merge.organization_id and made.id = merge.id and made.undone_at is null
  returning * into merge;
  if not found then
    raise exception using errcode = 'AD116', message = 'This merge was undone already';
  end if;
  if target.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'The ticket this one went into was merged as well; undo that first';
  end if;

  perform app_private.move_conversation(merge, target.id, source.id);
  perform app_private.drop_watcher(target, person_id) from unnest(merge.added_watcher_ids) as person_id;

  update app_public.tickets as ticket
  set
    state_id = merge.source_state_id, merged_into_id = null,
    snoozed_until = case when merge.source_snoozed_until > now() then merge.source_snoozed_until end
  where ticket.organization_id = source.organization_id and ticket.id = source.id;
  perform app_private.refresh_last_comment(target);

  perform app_private.record_ticket_event(
    source, 'merge_undone', jsonb_build_object('merge_id', merge.id, 'ticket_id', target.id, 'ticket_reference', target.reference),
    visibility => 'public'
  );
  perform app_private.record_ticket_event(
    target, 'merge_undone', jsonb_build_object('merge_id', merge.id, 'ticket_id', source.id, 'ticket_reference', source.reference)
  );
  return merge;
end
$$;

comment on function app_public.undo_merge(uuid) is
  'Takes a merge back and returns it: what it moved goes back, and the source is in its stage of before. Staff only. Errors: NOT_FOUND, MERGE_REFUSED when it was undone already, TICKET_MERGED when the target went into another one since.';

create or replace function app_public.split_comment(comment_id uuid, subject text, client_mutation_key text default null)
  returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  said app_public.comments;
  repeated app_public.comments;
  origin app_public.tickets;
  ticket app_public.tickets;
begin
  ticket := app_private.ticket_made_before(split_comment.client_mutation_key);
  if ticket.id is not null then
    return ticket;
  end if;

  select * into said
  from app_public.comments as comment
  where comment.organization_id = app_hidden.current_organization_id() and comment.id = split_comment.comment_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such comment';
  end if;
  origin := app_private.ticket_to_work_on(said.ticket_id);

  insert into app_public.tickets
    (organization_id, subject, priority, service_id, team_id, requester_id, created_by_id, channel, client_mutation_key)
  select
    origin.organization_id, btrim(split_comment.subject), origin.priority,
    (select id from app_public.services where organization_id = origin.organization_id and id = origin.service_id and archived_at is null),
    origin.team_id,
    case when author.role = 'customer' then author.id else origin.requester_id end,
    app_hidden.current_user_id(), 'desk', split_comment.client_mutation_key
  from (values (said.author_id)) as person (id)
  left join app_public.users as author on author.organization_id = origin.organization_id and author.id = person.id
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into ticket;
  if not found then
    select * into strict ticket
    from app_public.tickets as made
    where made.organization_id = app_hidden.current_organization_id() and made.created_by_id = app_hidden.current_user_id()
      and made.client_mutation_key = split_comment.client_mutation_key;
    return ticket;
  end if;
  perform app_private.refuse_unseen_ticket(ticket);

  insert into app_public.comments (organization_id, ticket_id, author_id, author_name, visibility, body)
  values (origin.organization_id, ticket.id, said.author_id, said.author_name, said.visibility, said.body)
  returning * into repeated;
  perform app_private.copy_attachments(said, repeated);
  perform app_public.relate_tickets(ticket.id, 'relates_to', origin.id);

  perform app_private.record_ticket_event(
    origin, 'ticket_split', jsonb_build_object('comment_id', said.id, 'ticket_id', ticket.id, 'ticket_reference', ticket.reference)
  );
  perform app_private.record_ticket_event(
    ticket, 'ticket_split',
    jsonb_build_object('comment_id', said.id, 'ticket_id', origin.id, 'ticket_reference', origin.reference, 'is_origin', true)
  );

  select * into strict ticket
  from app_public.tickets as made
  where made.organization_id = origin.organization_id and made.id = ticket.id;
  return ticket;
end
$$;

comment on function app_public.split_comment(uuid, text, text) is
  'Opens a new ticket with what a comment says and its files, related to the one it was said on, and returns it. The comment stays where it is; its author, if a customer, is the requester. Retrying with the same `clientMutationKey` returns the ticket the first call made. Staff only. Errors: NOT_FOUND, INVALID_INPUT, FORBIDDEN for a ticket you would not see.';

revoke all on function
  app_public.merge_ticket(uuid, uuid), app_private.move_conversation(app_public.ticket_merges, uuid, uuid),
  app_private.refresh_last_comment(app_public.tickets), app_public.undo_merge(uuid),
  app_public.split_comment(uuid, text, text)
from public;

grant execute on function
  app_public.merge_ticket(uuid, uuid), app_public.undo_merge(uuid), app_public.split_comment(uuid, text, text)
to atum_agent;
