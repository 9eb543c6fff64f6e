create or replace function app_private.record_checklist_event(item app_public.checklist_items, what text) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.record_ticket_event(
    ticket, 'checklist_changed', jsonb_build_object('what', what, 'item_id', item.id, 'text', left(item.text, 200))
  )
  from app_public.tickets as ticket
  where ticket.organization_id = item.organization_id and ticket.id = item.ticket_id
$$;

comment on function app_private.record_checklist_event(app_public.checklist_items, text) is 'Tells the spine what became of a step: added, done, undone or removed.';

create or replace function app_private.checklist_item_to_work_on(item_id uuid) returns app_public.checklist_items
  language plpgsql volatile
  set search_path = ''
as $$
declare
  item app_public.checklist_items;
begin
  select * into item
  from app_public.checklist_items as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = checklist_item_to_work_on.item_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such step';
  end if;
  perform app_private.ticket_to_work_on(item.ticket_id);
  -- Read again: somebody else may have changed it before the ticket was locked.
  select * into item
  from app_public.checklist_items as found
  where found.organization_id = item.organization_id and found.id = item.id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such step';
  end if;
  return item;
end
$$;

comment on function app_private.checklist_item_to_work_on(uuid) is 'A step on a ticket that the caller sees, which is locked; for functions that run as the owner. Error NOT_FOUND.';

create or replace function app_public.add_checklist_items(ticket_id uuid, texts text[]) returns setof app_public.checklist_items
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket constant app_public.tickets := app_private.ticket_to_work_on(ticket_id);
  last_position integer;
  items bigint;
  item app_public.checklist_items;
begin
  select coalesce(max(present.position), 0), count(*) into last_position, items
  from app_public.checklist_items as present
  where present.organization_id = ticket.organization_id and present.ticket_id = ticket.id;
  if items + coalesce(cardinality(texts), 0) > 100 then
    raise exception using errcode = 'AD153', message = 'A ticket has at most 100 steps';
  end if;

  for item in
    insert into app_public.checklist_items (organization_id, ticket_id, position, text)
    select ticket.organization_id, ticket.id, last_position + added.number, btrim(added.text)
    from unnest(texts) with ordinality as added (text, number)
    returning *
  loop
    perform app_private.record_checklist_event(item, 'added');
    return next item;
  end loop;
end
$$;

comment on function app_public.add_checklist_items(uuid, text[]) is
  'Adds steps at the end of a ticket''s checklist and returns them; at most 100 in all, each of 1 to 500 characters. Staff only. Errors: NOT_FOUND, CHECKLIST_TOO_LONG, INVALID_INPUT.';

create or replace function app_public.tick_checklist_item(item_id uuid, done boolean default true) returns app_public.checklist_items
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  item app_public.checklist_items := app_private.checklist_item_to_work_on(item_id);
begin
  if (item.done_at is not null) = done then
    return item;
  end if;
  update app_public.checklist_items as step
  set
    done_at = case when tick_checklist_item.done then now() end,
    done_by_id = case when tick_checklist_item.done then app_hidden.current_user_id() end
  where step.organization_id = item.organization_id and step.id = item.id
  returning * into item;
  perform app_private.record_checklist_event(item, case when done then 'done' else 'undone' end);
  return item;
end
$$;

comment on function app_public.tick_checklist_item(uuid, boolean) is 'Ticks a step off, or with `done` false opens it again, and returns it. Staff only. Error: NOT_FOUND.';

create or replace function app_public.remove_checklist_item(item_id uuid) returns app_public.checklist_items
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  item constant app_public.checklist_items := app_private.checklist_item_to_work_on(item_id);
begin
  delete from app_public.checklist_items as step where step.organization_id = item.organization_id and step.id = item.id;
  perform app_private.record_checklist_event(item, 'removed');
  return item;
end
$$;

comment on function app_public.remove_checklist_item(uuid) is 'Takes a step out of a checklist, and returns what it was. Staff only. Error: NOT_FOUND.';

create or replace function app_public.move_checklist_item(item_id uuid, before_item_id uuid default null) returns app_public.checklist_items
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  item app_public.checklist_items := app_private.checklist_item_to_work_on(item_id);
begin
  if before_item_id is not null and not exists (
    select
    from app_public.checklist_items as other
    where other.organization_id = item.organization_id and other.ticket_id = item.ticket_id and other.id = before_item_id
      and other.id <> item.id
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such step on this ticket';
  end if;

  -- Numbered afresh: a list has at most 100.
  update app_public.checklist_items as step
  set position = ordered.position
  from (
    select
      listed.id,
      row_number() over (
        order by
          case
            when listed.id <> item.id then listed.position::numeric
            else coalesce((select other.position from app_public.checklist_items as other where other.organization_id = item.organization_id and other.id = before_item_id) - 0.5, 1000000)
          end,
          listed.id
      ) as position
    from app_public.checklist_items as listed
    where listed.organization_id = item.organization_id and listed.ticket_id = item.ticket_id
  ) as ordered
  where step.organization_id = item.organization_id and step.id = ordered.id and step.position <> ordered.position;

  select * into strict item from app_public.checklist_items as step where step.organization_id = item.organization_id and step.id = item.id;
  return item;
end
$$;

comment on function app_public.move_checklist_item(uuid, uuid) is 'Puts a step before another one, without `beforeItemId` at the end, and returns it. Staff only. Error: NOT_FOUND.';

revoke all on function
  app_private.record_checklist_event(app_public.checklist_items, text), app_private.checklist_item_to_work_on(uuid),
  app_public.add_checklist_items(uuid, text[]), app_public.tick_checklist_item(uuid, boolean),
  app_public.remove_checklist_item(uuid), app_public.move_checklist_item(uuid, uuid)
from public;

grant execute on function
  app_public.add_checklist_items(uuid, text[]), app_public.tick_checklist_item(uuid, boolean),
  app_public.remove_checklist_item(uuid), app_public.move_checklist_item(uuid, uuid)
to atum_agent;
