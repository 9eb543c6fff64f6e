-- Saved views: which tickets, how many, and page by page.

-- One set of columns for the caller's views and for those not yet saved.
create or replace function app_hidden.check_view_columns(columns text[]) returns void
  language plpgsql immutable
  set search_path = ''
as $$
declare
  column_name text;
begin
  foreach column_name in array columns loop
    if column_name is null or (
      column_name not in ('reference', 'subject', 'status', 'priority', 'requester', 'company', 'assignee', 'team', 'service', 'tags', 'due', 'created', 'updated')
      and column_name !~ '^custom_fields\.[a-z][a-z0-9_]{0,62}$'
    ) then
      raise exception using errcode = 'AD161', message = format('There is no column "%s" to show', left(column_name, 80));
    end if;
  end loop;
end
$$;

comment on function app_hidden.check_view_columns(text[]) is 'Refuses columns that no list of tickets has. Error VIEW_INVALID.';

create or replace function app_private.keeps_view(view app_public.ticket_views) returns boolean
  language sql stable
  set search_path = ''
as $$
  select view.organization_id = app_hidden.current_organization_id()
    and case view.visibility
      when 'personal' then app_hidden.is_staff() and view.owner_id = app_hidden.current_user_id()
      when 'team' then
        app_hidden.acting_role() in ('atum_manager', 'atum_admin')
        or (app_hidden.is_staff() and view.team_id = any (app_hidden.current_team_ids()))
      else app_hidden.acting_role() in ('atum_manager', 'atum_admin')
    end
$$;

comment on function app_private.keeps_view(app_public.ticket_views) is 'Whether the caller may change a view: the owner one''s own, members and managers a team''s, managers and admins a shared one.';

create or replace function app_private.sees_view(view app_public.ticket_views) returns boolean
  language sql stable
  set search_path = ''
as $$
  select app_hidden.is_staff() and (app_private.keeps_view(view) or (view.organization_id = app_hidden.current_organization_id() and view.visibility = 'shared'))
$$;

comment on function app_private.sees_view(app_public.ticket_views) is 'Whether the caller has a view in the inbox: what its policies say, for functions that run as the owner.';

create or replace function app_public.save_ticket_view(
  name text,
  conditions jsonb,
  view_id uuid default null,
  visibility app_public.ticket_view_visibility default 'personal',
  team_id uuid default null,
  columns text[] default '{reference,subject,status,priority,assignee,team,due,updated}',
  sort app_public.ticket_sort default 'updated',
  direction app_public.sort_direction default 'descending',
  "position" integer default null
) returns app_public.ticket_views
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  before app_public.ticket_views;
  after app_public.ticket_views;
begin
  if not app_hidden.is_staff() then
    raise exception using errcode = '42501', message = 'Views are for staff';
  end if;

  if save_ticket_view.view_id is not null then
    select * into before
    from app_public.ticket_views as view
    where view.organization_id = caller_organization_id and view.id = save_ticket_view.view_id
    for no key update;
    if not found or not app_private.sees_view(before) then
      raise exception using errcode = 'AD101', message = 'There is no such view';
    end if;
    if not app_private.keeps_view(before) then
      raise exception using errcode = '42501', message = 'Managers change the views that all share';
    end if;
  end if;

  after := before;
  after.organization_id := caller_organization_id;
  after.name := btrim(save_ticket_view.name);
  after.visibility := coalesce(save_ticket_view.visibility, 'personal');
  after.owner_id := case after.visibility when 'personal' then app_hidden.current_user_id() end;
  after.team_id := case after.visibility when 'team' then save_ticket_view.team_id end;
  after.conditions := save_ticket_view.conditions;
  after.columns := save_ticket_view.columns;
  after.sort := coalesce(save_ticket_view.sort, 'updated');
  after.direction := coalesce(save_ticket_view.direction, 'descending');

  if after.visibility = 'team' and not exists (
    select from app_public.teams as team where team.organization_id = caller_organization_id and team.id = after.team_id
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such team';
  end if;
  if not app_private.keeps_view(after) then
    raise exception using errcode = '42501', message = 'Members make views for their teams, and managers for all';
  end if;
  perform app_hidden.check_ticket_conditions(after.conditions);
  perform app_hidden.check_view_columns(after.columns);

  if save_ticket_view.view_id is null then
    if (
      select count(*)
      from app_public.ticket_views as view
      where view.organization_id = caller_organization_id
        and (view.visibility, view.owner_id, view.team_id) is not distinct from (after.visibility, after.owner_id, after.team_id)
    ) >= 50 then
      raise exception using errcode = 'AD162', message = 'There are 50 views already; delete one first';
    end if;
    insert into app_public.ticket_views (organization_id, name, visibility, owner_id, team_id, conditions, columns, sort, direction, position)
    values (
      after.organization_id, after.name, after.visibility, after.owner_id, after.team_id, after.conditions, after.columns, after.sort,
      after.direction,
      coalesce(
        save_ticket_view.position,
        (select least(max(view.position) + 1, 100000) from app_public.ticket_views as view where view.organization_id = caller_organization_id), 0
      )
    )
    returning * into after;
  else
    update app_public.ticket_views as view
    set
      name = after.name, visibility = after.visibility, owner_id = after.owner_id, team_id = after.team_id, conditions = after.conditions,
      columns = after.columns, sort = after.sort, direction = after.direction, position = coalesce(save_ticket_view.position, view.position)
    where view.organization_id = caller_organization_id and view.id = before.id
    returning * into after;
  end if;
  return after;
end
$$;

comment on function app_public.save_ticket_view(text, jsonb, uuid, app_public.ticket_view_visibility, uuid, text[], app_public.ticket_sort, app_public.sort_direction, integer) is
  'Saves a view and returns it; with `viewId` it takes the place of what that one was. Agents save personal views and those of their teams, managers also shared ones. `conditions` and `columns` as TicketView has them; `teamId` for those of a team. Up to 50 of each person, of each team and shared. Errors: INVALID_INPUT, FORBIDDEN, NOT_FOUND, CONDITION_INVALID, VIEW_INVALID, TOO_MANY_VIEWS.';

create or replace function app_public.delete_ticket_view(view_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  gone app_public.ticket_views;
begin
  select * into gone
  from app_public.ticket_views as view
  where view.organization_id = app_hidden.current_organization_id() and view.id = delete_ticket_view.view_id;
  if not found or not app_private.sees_view(gone) then
    raise exception using errcode = 'AD101', message = 'There is no such view';
  end if;
  if not app_private.keeps_view(gone) then
    raise exception using errcode = '42501', message = 'Managers delete the views that all share';
  end if;
  delete from app_public.ticket_views as view where view.organization_id = gone.organization_id and view.id = gone.id;
  return true;
end
$$;

comment on function app_public.delete_ticket_view(uuid) is 'Deletes a view for all who have it, and says whether it did. Errors: NOT_FOUND, FORBIDDEN.';

create or replace trigger _100_stamp before update on app_public.ticket_views
  for each row execute function app_private.tg__stamp_updated_at();

-- Reading

do $$
begin
  if to_regtype('app_public.ticket_page') is null then
    create type app_public.ticket_page as (tickets app_public.tickets[], next_cursor text);
    create type app_public.ticket_view_count as (view_id uuid, count integer, is_capped boolean);
  end if;
end
$$;

comment on type app_public.ticket_page is 'Some tickets of a view, in its order.';
comment on column app_public.ticket_page.tickets is 'The tickets of this page.';
comment on column app_public.ticket_page.next_cursor is 'Hand it back as `after` for the next page; null on the last.';
comment on type app_public.ticket_view_count is 'How many tickets are in a view.';
comment on column app_public.ticket_view_count.view_id is 'The view that was counted.';
comment on column app_public.ticket_view_count.count is 'How many, up to 100; null when counting them would take long. Conditions on status, assignee or team make it quick.';
comment on column app_public.ticket_view_count.is_capped is 'Whether there are more than 100.';

create or replace function app_hidden.view_condition_sql(conditions jsonb) returns text
  language sql stable
  set search_path = ''
as $$
  select app_hidden.ticket_condition_sql(conditions)
    || case
      when jsonb_path_exists(conditions, '$.*[*].field ? (@ == "snoozed" || @ == "snoozed_until")') then ''
      else ' and ticket.snoozed_until is null'
    end
$$;

comment on function app_hidden.view_condition_sql(jsonb) is 'The conditions of a view as SQL: what is snoozed is out of sight until it wakes, unless the view is about that. Error CONDITION_INVALID.';

-- Page by page along an index. A due time may be missing, and what has none comes last either way: two walks.
create or replace function app_hidden.page_of_tickets(
  condition text, sort app_public.ticket_sort, direction app_public.sort_direction, first integer, after text
) returns app_public.ticket_page
  language plpgsql stable
  set search_path = ''
as $$
declare
  page app_public.ticket_page;
  keys constant text[] := case sort
    when 'updated' then array['updated_at', 'id']
    when 'created' then array['number']
    when 'due' then array['next_due_at', 'id']
    when 'priority' then array['priority', 'updated_at', 'id']
  end;
  types constant text[] := case sort
    when 'updated' then array['timestamptz', 'uuid']
    when 'created' then array['integer']
    when 'due' then array['timestamptz', 'uuid']
    when 'priority' then array['app_public.ticket_priority', 'timestamptz', 'uuid']
  end;
  way constant text := case direction when 'ascending' then 'asc' else 'desc' end;
  beyond constant text := case direction when 'ascending' then '>' else '<' end;
  seen text[];
  walk record;
  found app_public.tickets[];
begin
  -- Null is no number of tickets, and would be no limit.
  first := coalesce(first, 50);
  if first not between 1 and 100 then
    raise exception using errcode = 'AD161', message = 'A page has 1 to 100 tickets';
  end if;
  if after is not null then
    seen := string_to_array(after, ' ', '-');
    if cardinality(seen) <> cardinality(keys) or exists (
      select
      from unnest(seen, types) as part (value, type)
      where not coalesce(pg_input_is_valid(value, type), sort = 'due' and type = 'timestamptz')
    ) then
      raise exception using errcode = 'AD161', message = 'This is no cursor of this view';
    end if;
  end if;

  page.tickets := '{}';
  for walk in
    select *
    from (
      values
        (sort <> 'due', 'true', keys, 1),
        (sort = 'due' and (after is null or seen[1] is not null), 'ticket.next_due_at is not null', keys, 1),
        (sort = 'due', 'ticket.next_due_at is null', array['id'], case when seen[1] is null then 2 end)
    ) as walks (is_walked, part, keys, seen_from)
    where is_walked
  loop
    execute format(
      'select array_agg(found.ticket) from (select ticket from app_public.tickets as ticket where ticket.organization_id = $1 and %s and %s and %s order by %s limit $2) as found',
      condition, walk.part,
      case
        when after is null or walk.seen_from is null then 'true'
        else format(
          '(%s) %s (%s)',
          (select string_agg('ticket.' || key, ', ' order by place) from unnest(walk.keys) with ordinality as listed (key, place)),
          beyond,
          (
            select string_agg(format('%L::%s', seen[place], types[place]), ', ' order by place)
            from generate_series(walk.seen_from, cardinality(seen)) as place
          )
        )
      end,
      (select string_agg(format('ticket.%s %s', key, way), ', ' order by place) from unnest(walk.keys) with ordinality as listed (key, place))
    )
    into found
    using app_hidden.current_organization_id(), first + 1 - cardinality(page.tickets);
    page.tickets := page.tickets || coalesce(found, '{}');
    exit when cardinality(page.tickets) > first;
  end loop;

  if cardinality(page.tickets) > first then
    page.tickets := page.tickets[:first];
    page.next_cursor := array_to_string(
      case sort
        when 'updated' then array[to_json(page.tickets[first].updated_at) #>> '{}', page.tickets[first].id::text]
        when 'created' then array[page.tickets[first].number::text]
        when 'due' then array[to_json(page.tickets[first].next_due_at) #>> '{}', page.tickets[first].id::text]
        when 'priority' then array[page.tickets[first].priority::text, to_json(page.tickets[first].updated_at) #>> '{}', page.tickets[first].id::text]
      end,
      ' ', '-'
    );
  end if;
  return page;
end
$$;

comment on function app_hidden.page_of_tickets(text, app_public.ticket_sort, app_public.sort_direction, integer, text) is 'A page of the tickets the caller sees that fulfil a condition in SQL. Error VIEW_INVALID for a cursor that is none.';

create or replace function app_public.view_tickets(view_id uuid, first integer default 50, after text default null) returns app_public.ticket_page
  language plpgsql stable
  set search_path = ''
  -- Stopping early makes reading the whole table look cheap; it is not, where what is wanted is a twentieth of it.
  set enable_seqscan = off
as $$
declare
  view app_public.ticket_views;
begin
  select * into view
  from app_public.ticket_views as saved
  where saved.organization_id = app_hidden.current_organization_id() and saved.id = view_tickets.view_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such view';
  end if;
  return app_hidden.page_of_tickets(app_hidden.view_condition_sql(view.conditions), view.sort, view.direction, first, after);
end
$$;

comment on function app_public.view_tickets(uuid, integer, text) is 'The tickets of a view, of those the caller sees. A page has `first` (1 to 100) tickets; `after` is the `nextCursor` of the one before. Errors: NOT_FOUND, VIEW_INVALID for a cursor that is none.';

create or replace function app_public.preview_tickets(
  conditions jsonb,
  sort app_public.ticket_sort default 'updated',
  direction app_public.sort_direction default 'descending',
  first integer default 50,
  after text default null
) returns app_public.ticket_page
  language sql stable
  set search_path = ''
  -- Stopping early makes reading the whole table look cheap; it is not, where what is wanted is a twentieth of it.
  set enable_seqscan = off
as $$
  select app_hidden.page_of_tickets(app_hidden.view_condition_sql(conditions), sort, direction, first, after)
$$;

comment on function app_public.preview_tickets(jsonb, app_public.ticket_sort, app_public.sort_direction, integer, text) is 'The tickets that a view with these conditions would have. Errors: CONDITION_INVALID, VIEW_INVALID.';

revoke all on function
  app_hidden.check_view_columns(text[]), app_private.keeps_view(app_public.ticket_views), app_private.sees_view(app_public.ticket_views),
  app_public.save_ticket_view(text, jsonb, uuid, app_public.ticket_view_visibility, uuid, text[], app_public.ticket_sort, app_public.sort_direction, integer),
  app_public.delete_ticket_view(uuid), app_hidden.view_condition_sql(jsonb),
  app_hidden.page_of_tickets(text, app_public.ticket_sort, app_public.sort_direction, integer, text),
  app_public.view_tickets(uuid, integer, text),
  app_public.preview_tickets(jsonb, app_public.ticket_sort, app_public.sort_direction, integer, text)
from public;

grant execute on function
  app_public.save_ticket_view(text, jsonb, uuid, app_public.ticket_view_visibility, uuid, text[], app_public.ticket_sort, app_public.sort_direction, integer),
  app_public.delete_ticket_view(uuid), app_hidden.view_condition_sql(jsonb),
  app_hidden.page_of_tickets(text, app_public.ticket_sort, app_public.sort_direction, integer, text),
  app_public.view_tickets(uuid, integer, text),
  app_public.preview_tickets(jsonb, app_public.ticket_sort, app_public.sort_direction, integer, text)
to atum_agent;
