-- Who watches a ticket, and how tickets stand to each other.

create or replace function app_private.ticket_to_work_on(ticket_id uuid) returns app_public.tickets
  language plpgsql volatile
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
begin
  select * into ticket
  from app_public.tickets as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = ticket_to_work_on.ticket_id
  for no key update;

  -- Jobs act for nobody, and see what their organization has.
  if not found or (app_hidden.current_user_id() is not null and not app_hidden.sees_ticket(ticket)) then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;
  return ticket;
end
$$;

comment on function app_private.ticket_to_work_on(uuid) is
  'A ticket that the caller sees, locked until the end of the transaction; for functions that run as the owner. Error NOT_FOUND.';

create or replace function app_private.add_watcher(ticket app_public.tickets, user_id uuid) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if not app_private.may_see_ticket(add_watcher.user_id, ticket) then
    raise exception using errcode = 'AD114', message = 'Only somebody who may see the ticket can watch it';
  end if;

  insert into app_public.ticket_watchers as watcher (organization_id, ticket_id, user_id)
  values (ticket.organization_id, ticket.id, add_watcher.user_id)
  on conflict do nothing;
  if found then
    perform app_private.record_ticket_event(
      ticket, 'watcher_added',
      app_private.named_reference('watcher', add_watcher.user_id, (
        select person.name from app_public.users as person
        where person.organization_id = ticket.organization_id and person.id = add_watcher.user_id
      ))
    );
  end if;
end
$$;

comment on function app_private.add_watcher(app_public.tickets, uuid) is 'Has somebody watch a ticket, once. Error WATCHER_REFUSED.';

create or replace function app_private.drop_watcher(ticket app_public.tickets, user_id uuid) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  delete from app_public.ticket_watchers as watcher
  where watcher.organization_id = ticket.organization_id and watcher.ticket_id = ticket.id and watcher.user_id = drop_watcher.user_id;
  if found then
    perform app_private.record_ticket_event(
      ticket, 'watcher_removed', null,
      app_private.named_reference('watcher', drop_watcher.user_id, (
        select person.name from app_public.users as person
        where person.organization_id = ticket.organization_id and person.id = drop_watcher.user_id
      ))
    );
  end if;
end
$$;

comment on function app_private.drop_watcher(app_public.tickets, uuid) is 'Has somebody no longer watch a ticket.';

create or replace function app_public.watch_ticket(ticket_id uuid, user_id uuid default null) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket constant app_public.tickets := app_private.ticket_to_work_on(ticket_id);
begin
  perform app_private.add_watcher(ticket, coalesce(watch_ticket.user_id, app_hidden.current_user_id()));
  return ticket;
end
$$;

comment on function app_public.watch_ticket(uuid, uuid) is
  'Has somebody who may see the ticket watch it, without `userId` the caller, and returns the ticket. Staff only. Errors: NOT_FOUND, WATCHER_REFUSED.';

create or replace function app_public.unwatch_ticket(ticket_id uuid, user_id uuid default null) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket constant app_public.tickets := app_private.ticket_to_work_on(ticket_id);
begin
  perform app_private.drop_watcher(ticket, coalesce(unwatch_ticket.user_id, app_hidden.current_user_id()));
  return ticket;
end
$$;

comment on function app_public.unwatch_ticket(uuid, uuid) is
  'Has somebody no longer watch the ticket, without `userId` the caller, and returns the ticket. Staff only. Error: NOT_FOUND.';

create or replace function app_private.relationship_words(relationship app_public.ticket_relationships, seen_from uuid) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'relationship_id', relationship.id, 'kind', relationship.kind, 'first', relationship.ticket_id = seen_from,
    'ticket_id', ticket.id, 'ticket_reference', ticket.reference
  )
  from app_public.tickets as ticket
  where ticket.organization_id = relationship.organization_id
    and ticket.id = case when relationship.ticket_id = seen_from then relationship.other_ticket_id else relationship.ticket_id end
$$;

comment on function app_private.relationship_words(app_public.ticket_relationships, uuid) is 'A relationship as the event of one of its tickets keeps it.';

create or replace function app_public.relate_tickets(
  ticket_id uuid, kind app_public.ticket_relationship_kind, other_ticket_id uuid
) returns app_public.ticket_relationships
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  -- Both are locked in one order, so that two people who relate the same two do not wait for each other.
  swapped constant boolean := relate_tickets.ticket_id > relate_tickets.other_ticket_id;
  one constant app_public.tickets :=
    app_private.ticket_to_work_on(case when swapped then relate_tickets.other_ticket_id else relate_tickets.ticket_id end);
  two constant app_public.tickets :=
    app_private.ticket_to_work_on(case when swapped then relate_tickets.ticket_id else relate_tickets.other_ticket_id end);
  made app_public.ticket_relationships;
begin
  if one.id = two.id then
    raise exception using errcode = 'AD115', message = 'A ticket cannot stand to itself';
  end if;

  if kind <> 'relates_to' then
    -- Cycles are looked for one after the other in an organization: two links made at once could close a ring.
    perform pg_advisory_xact_lock(hashtextextended('ticket_relationships:' || one.organization_id::text, 0));
    if exists (
      with recursive reached (id) as (
        select relate_tickets.other_ticket_id
        union
        select link.other_ticket_id
        from reached
        join app_public.ticket_relationships as link
          on link.organization_id = one.organization_id and link.ticket_id = reached.id and link.kind = relate_tickets.kind
      )
      select from reached where id = relate_tickets.ticket_id
    ) then
      raise exception using errcode = 'AD115', message = 'That would go round in a circle';
    end if;
  end if;

  insert into app_public.ticket_relationships (organization_id, ticket_id, kind, other_ticket_id, created_by_id)
  values (
    one.organization_id,
    -- A pair that is related is told once, whichever was named first.
    case when kind = 'relates_to' then one.id else relate_tickets.ticket_id end,
    relate_tickets.kind,
    case when kind = 'relates_to' then two.id else relate_tickets.other_ticket_id end,
    app_hidden.current_user_id()
  )
  returning * into made;

  perform app_private.record_ticket_event(one, 'relationship_added', app_private.relationship_words(made, one.id));
  perform app_private.record_ticket_event(two, 'relationship_added', app_private.relationship_words(made, two.id));
  return made;
end
$$;

comment on function app_public.relate_tickets(uuid, app_public.ticket_relationship_kind, uuid) is
  'Says how one ticket stands to another, and returns the relationship: the first is a child of, a duplicate of, related to, or blocks the second. A ticket has one parent and one original. A ticket is not resolved before its children. Staff only. Errors: NOT_FOUND, RELATIONSHIP_REFUSED for a circle, CONFLICT for one that is there.';

create or replace function app_public.unrelate_tickets(relationship_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  gone app_public.ticket_relationships;
  one app_public.tickets;
  two app_public.tickets;
begin
  select * into gone
  from app_public.ticket_relationships as relationship
  where relationship.organization_id = app_hidden.current_organization_id() and relationship.id = unrelate_tickets.relationship_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such relationship';
  end if;
  one := app_private.ticket_to_work_on(least(gone.ticket_id, gone.other_ticket_id));
  two := app_private.ticket_to_work_on(greatest(gone.ticket_id, gone.other_ticket_id));

  delete from app_public.ticket_relationships as relationship
  where relationship.organization_id = gone.organization_id and relationship.id = gone.id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such relationship';
  end if;
  perform app_private.record_ticket_event(one, 'relationship_removed', null, app_private.relationship_words(gone, one.id));
  perform app_private.record_ticket_event(two, 'relationship_removed', null, app_private.relationship_words(gone, two.id));
  return true;
end
$$;

comment on function app_public.unrelate_tickets(uuid) is 'Takes a relationship away. Staff only. Error: NOT_FOUND.';

create or replace function app_private.has_open_children(organization_id uuid, ticket_id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.ticket_relationships as link
    join app_public.tickets as child on child.organization_id = link.organization_id and child.id = link.ticket_id
    where link.organization_id = has_open_children.organization_id and link.other_ticket_id = has_open_children.ticket_id
      and link.kind = 'child_of' and child.status not in ('resolved', 'closed')
  )
$$;

comment on function app_private.has_open_children(uuid, uuid) is 'Whether a ticket has a child that is not resolved.';

revoke all on function
  app_private.has_open_children(uuid, uuid),
  app_private.ticket_to_work_on(uuid), app_private.add_watcher(app_public.tickets, uuid), app_private.drop_watcher(app_public.tickets, uuid),
  app_public.watch_ticket(uuid, uuid), app_public.unwatch_ticket(uuid, uuid),
  app_private.relationship_words(app_public.ticket_relationships, uuid),
  app_public.relate_tickets(uuid, app_public.ticket_relationship_kind, uuid), app_public.unrelate_tickets(uuid)
from public;

grant execute on function
  app_public.watch_ticket(uuid, uuid), app_public.unwatch_ticket(uuid, uuid),
  app_public.relate_tickets(uuid, app_public.ticket_relationship_kind, uuid), app_public.unrelate_tickets(uuid)
to atum_agent;
