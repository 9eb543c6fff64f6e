-- How many tickets are where, at a price that does not grow with them.

-- A count that would read much of a large table is left out, so that no view makes the inbox slow for all.
create or replace function app_hidden.count_of_tickets(condition text) returns integer
  -- It changes nothing; but only a volatile function may explain.
  language plpgsql volatile
  set search_path = ''
  -- Stopping early makes reading the whole table look cheap; it is not, where what is wanted is a twentieth of it.
  set enable_seqscan = off
as $$
declare
  query constant text := format(
    'select count(*)::integer from (select from app_public.tickets as ticket where ticket.organization_id = %L and %s limit 101) as counted',
    app_hidden.current_organization_id(), condition
  );
  plan json;
  counted integer;
begin
  execute 'explain (format json) ' || query into plan;
  if (plan #>> '{0,Plan,Total Cost}')::numeric > 30000 then
    return null;
  end if;
  execute query into counted;
  return counted;
end
$$;

comment on function app_hidden.count_of_tickets(text) is 'How many tickets the caller sees that fulfil a condition in SQL, up to 101; null when counting them would take long.';

create or replace function app_public.ticket_view_counts() returns setof app_public.ticket_view_count
  language plpgsql stable
  set search_path = ''
as $$
declare
  view app_public.ticket_views;
  counted integer;
begin
  for view in
    select * from app_public.ticket_views as saved where saved.organization_id = app_hidden.current_organization_id() order by saved.position, saved.id
  loop
    counted := app_hidden.count_of_tickets(app_hidden.view_condition_sql(view.conditions));
    return next (view.id, least(counted, 100), coalesce(counted > 100, false))::app_public.ticket_view_count;
  end loop;
end
$$;

comment on function app_public.ticket_view_counts() is 'How many tickets are in each view the caller has, of those the caller sees.';

do $$
begin
  if to_regtype('app_public.inbox_counts') is null then
    create type app_public.inbox_counts as (
      mine integer, unassigned integer, open integer, pending integer, breached integer, resolved integer, breaching integer, snoozed integer
    );
  end if;
end
$$;

comment on type app_public.inbox_counts is 'How many tickets are in each part of the inbox. Each is counted up to 101, which means more than 100.';
comment on column app_public.inbox_counts.mine is 'Assigned to the caller, not resolved and not snoozed.';
comment on column app_public.inbox_counts.unassigned is 'Assigned to nobody, not resolved and not snoozed.';
comment on column app_public.inbox_counts.open is 'New or open, and not snoozed.';
comment on column app_public.inbox_counts.pending is 'Pending or on hold, and not snoozed.';
comment on column app_public.inbox_counts.breached is 'Not resolved and a target was missed.';
comment on column app_public.inbox_counts.resolved is 'Resolved and not yet closed.';
comment on column app_public.inbox_counts.breaching is 'Not resolved, not snoozed, and a target is due within two hours or was missed.';
comment on column app_public.inbox_counts.snoozed is 'Put aside until later.';

-- Each walks an index of what it counts and stops at the cap, so that it costs the same among a thousand tickets and a million.
create or replace function app_public.inbox_counts() returns app_public.inbox_counts
  language sql stable
  set search_path = ''
  -- Stopping early makes reading the whole table look cheap; it is not, where what is wanted is a twentieth of it.
  set enable_seqscan = off
as $$
  select
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and assignee_id = (select app_hidden.current_user_id())
          and status in ('new', 'open', 'pending', 'on_hold') and snoozed_until is null
        limit 101
      ) as mine
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and assignee_id is null
          and status in ('new', 'open', 'pending', 'on_hold') and snoozed_until is null
        limit 101
      ) as unassigned
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and status in ('new', 'open') and snoozed_until is null
        limit 101
      ) as open
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and status in ('pending', 'on_hold') and snoozed_until is null
        limit 101
      ) as pending
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id())
          and status in ('new', 'open', 'pending', 'on_hold') and breached
        limit 101
      ) as breached
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and status = 'resolved'
        limit 101
      ) as resolved
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and next_due_at < now() + interval '2 hours'
          and status in ('new', 'open', 'pending', 'on_hold') and snoozed_until is null
        limit 101
      ) as breaching
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and snoozed_until is not null
        limit 101
      ) as snoozed
    )
$$;

comment on function app_public.inbox_counts() is 'How many of the tickets the caller may see are in each part of the inbox, up to 101 of each, which means more than 100. Closed tickets are not counted.';

revoke all on function app_hidden.count_of_tickets(text), app_public.ticket_view_counts(), app_public.inbox_counts() from public;

grant execute on function app_hidden.count_of_tickets(text), app_public.ticket_view_counts(), app_public.inbox_counts() to atum_agent;
