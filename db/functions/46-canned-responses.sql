-- Prepared texts and lists of actions: who may use them, what they become on a ticket, how often they were used.

create or replace function app_hidden.may_use_canned(
  visibility app_public.canned_visibility, owner_id uuid, team_id uuid
) returns boolean
  language sql stable
  set search_path = ''
as $$
  select case visibility
    when 'shared' then true
    when 'personal' then owner_id = app_hidden.current_user_id()
    else app_hidden.sees_every_team() or team_id = any (app_hidden.current_team_ids())
  end
$$;

comment on function app_hidden.may_use_canned(app_public.canned_visibility, uuid, uuid) is
  'Whether the caller, as staff, may use what was prepared for somebody: what the policies of canned responses and macros say, for functions that run as the owner.';

create or replace function app_private.tg__stamp_canned() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  -- What is opened up to others belongs to nobody, and what is kept to oneself belongs to whoever keeps it.
  NEW.owner_id := case when NEW.visibility = 'personal' then coalesce(NEW.owner_id, app_hidden.current_user_id()) end;
  NEW.team_id := case when NEW.visibility = 'team' then NEW.team_id end;
  if TG_OP = 'UPDATE' then
    NEW.updated_at := now();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg__stamp_canned() is 'Keeps the owner and the team of what was prepared as its visibility says.';

create or replace trigger _100_stamp before insert or update on app_public.canned_responses
  for each row execute function app_private.tg__stamp_canned();

create or replace trigger _100_stamp before insert or update on app_public.macros
  for each row execute function app_private.tg__stamp_canned();

create or replace function app_private.tg_macros__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_hidden.check_ticket_actions(NEW.actions);
  return NEW;
end
$$;

comment on function app_private.tg_macros__refuse() is 'Refuses a macro that does something that cannot be done. Error ACTION_INVALID.';

create or replace trigger _200_refuse before insert or update of actions on app_public.macros
  for each row execute function app_private.tg_macros__refuse();

-- Queries

create or replace function app_public.canned_responses_uses(canned_response app_public.canned_responses) returns integer
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(sum(counted.uses), 0)::integer
  from app_private.canned_response_uses as counted
  where counted.organization_id = app_hidden.current_organization_id()
    and counted.canned_response_id = canned_response.id
    and counted.month > now() - interval '1 year'
$$;

comment on function app_public.canned_responses_uses(app_public.canned_responses) is 'How often it was used in the last twelve months, by everybody.';

create or replace function app_public.macros_uses(macro app_public.macros) returns integer
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(sum(counted.uses), 0)::integer
  from app_private.macro_uses as counted
  where counted.organization_id = app_hidden.current_organization_id()
    and counted.macro_id = macro.id
    and counted.month > now() - interval '1 year'
$$;

comment on function app_public.macros_uses(app_public.macros) is 'How many tickets it was done to in the last twelve months, by everybody.';

do $$
begin
  if to_regtype('app_public.canned_response_match') is null then
    create type app_public.canned_response_match as (
      canned_response_id uuid, folder text, title text, visibility app_public.canned_visibility, filled_body text, uses integer
    );
  end if;
  if to_regtype('app_public.macro_step') is null then
    create type app_public.macro_step as (type text, value text, visibility app_public.comment_visibility, text text);
  end if;
end
$$;

comment on type app_public.canned_response_match is 'A canned response that was looked for, as it reads on the ticket.';
comment on column app_public.canned_response_match.canned_response_id is 'Its row id.';
comment on column app_public.canned_response_match.folder is 'Where it is kept; empty for no folder.';
comment on column app_public.canned_response_match.title is 'What it is called.';
comment on column app_public.canned_response_match.visibility is 'Who may use it.';
comment on column app_public.canned_response_match.filled_body is 'Its text with the variables filled in.';
comment on column app_public.canned_response_match.uses is 'How often it was used in the last twelve months.';

create or replace function app_public.search_canned_responses(ticket_id uuid, words text default null)
  returns setof app_public.canned_response_match
  language sql stable
  set search_path = ''
as $$
  with asked as (
    select
      app_hidden.ticket_variables(search_canned_responses.ticket_id) as variables,
      lower(btrim(left(coalesce(search_canned_responses.words, ''), 200))) as words
  )
  select response.id, response.folder, response.title, response.visibility, app_hidden.fill_in(response.body, asked.variables), response.uses
  from asked
  cross join lateral (
    select candidate.*, app_public.canned_responses_uses(candidate) as uses, lower(candidate.title) as low_title
    from app_public.canned_responses as candidate
    where candidate.organization_id = app_hidden.current_organization_id() and candidate.archived_at is null
  ) as response
  where asked.variables is not null
    and not exists (
      select
      from regexp_split_to_table(asked.words, '\s+') as word
      where strpos(lower(concat_ws(' ', response.folder, response.title, response.body)), word) = 0
        and public.word_similarity(word, response.low_title) < 0.5
    )
  order by
    asked.words <> '' and starts_with(response.low_title, asked.words) desc,
    asked.words <> '' and strpos(response.low_title, asked.words) > 0 desc,
    response.uses desc, response.folder, response.title
  limit 20
$$;

comment on function app_public.search_canned_responses(uuid, text) is
  'Up to 20 canned responses the caller may use in which every one of `words` occurs, in folder, title or text, or whose title has one much like it; without words those used most. Titles that begin with the words come first, then what is used most. Each reads as it would on the ticket. Nothing for a ticket the caller does not see. Staff only.';

comment on type app_public.macro_step is 'One thing a macro would do to a ticket.';
comment on column app_public.macro_step.type is 'The type of the action, such as `set_priority`.';
comment on column app_public.macro_step.value is 'What it would set, by its name: a word of the API for a priority or status, otherwise the name of what it refers to, tags with commas between, seconds of a snooze, to whom a notice goes. Null for nobody or nothing.';
comment on column app_public.macro_step.visibility is 'Who would read what it says; null when it says nothing on the ticket.';
comment on column app_public.macro_step.text is 'What it would say, with the variables filled in.';

create or replace function app_public.preview_macro(macro_id uuid, ticket_id uuid) returns setof app_public.macro_step
  language sql stable security definer
  set search_path = ''
as $$
  select
    step.action ->> 'type',
    case step.action ->> 'type'
      when 'set_priority' then step.action ->> 'priority'
      when 'raise_priority' then case ticket.priority when 'low' then 'normal' when 'normal' then 'high' else 'urgent' end
      when 'set_status' then step.action ->> 'status'
      when 'set_state' then (
        select coalesce(state.name, state.kind::text) from app_public.ticket_states as state
        where state.organization_id = ticket.organization_id and state.id = (step.action ->> 'state_id')::uuid
      )
      when 'set_service' then (
        select service.name from app_public.services as service
        where service.organization_id = ticket.organization_id and service.id = (step.action ->> 'service_id')::uuid
      )
      when 'set_team' then (
        select team.name from app_public.teams as team
        where team.organization_id = ticket.organization_id and team.id = (step.action ->> 'team_id')::uuid
      )
      when 'add_tags' then (select string_agg(tag, ', ') from jsonb_array_elements_text(step.action -> 'tags') as tag)
      when 'remove_tags' then (select string_agg(tag, ', ') from jsonb_array_elements_text(step.action -> 'tags') as tag)
      when 'set_custom_fields' then (select string_agg(key || ': ' || value, ', ') from jsonb_each_text(step.action -> 'values'))
      when 'snooze' then step.action ->> 'seconds'
      when 'notify' then step.action ->> 'to'
      else (
        select person.name from app_public.users as person
        where person.organization_id = ticket.organization_id
          and person.id = case step.action ->> 'type'
            when 'assign_to_me' then app_hidden.current_user_id()
            else coalesce(step.action ->> 'assignee_id', step.action ->> 'user_id')::uuid
          end
      )
    end,
    (step.action ->> 'visibility')::app_public.comment_visibility,
    nullif(app_hidden.fill_in(coalesce(step.action ->> 'body', step.action ->> 'text'), variables.filled), '')
  from app_public.macros as macro
  join app_public.tickets as ticket on ticket.organization_id = macro.organization_id and ticket.id = preview_macro.ticket_id
  cross join lateral (select app_hidden.ticket_variables(ticket.id) as filled offset 0) as variables
  cross join lateral jsonb_array_elements(macro.actions) with ordinality as step (action, position)
  where macro.organization_id = app_hidden.current_organization_id()
    and macro.id = preview_macro.macro_id and macro.archived_at is null
    and app_hidden.may_use_canned(macro.visibility, macro.owner_id, macro.team_id)
    and app_hidden.sees_ticket(ticket)
  order by step.position
$$;

comment on function app_public.preview_macro(uuid, uuid) is
  'What a macro would do to a ticket, step by step, with the variables filled in; nothing is done. Nothing for a macro or ticket the caller does not see. Staff only.';

-- Mutations

create or replace function app_public.create_canned_response(
  title text,
  body text,
  folder text default '',
  visibility app_public.canned_visibility default 'personal',
  team_id uuid default null
) returns app_public.canned_responses
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.canned_responses (organization_id, title, body, folder, visibility, team_id)
  values (
    app_hidden.current_organization_id(), btrim(create_canned_response.title), create_canned_response.body,
    btrim(coalesce(create_canned_response.folder, '')), coalesce(create_canned_response.visibility, 'personal'),
    create_canned_response.team_id
  )
  returning *
$$;

comment on function app_public.create_canned_response(text, text, text, app_public.canned_visibility, uuid) is
  'Keeps a text to send again and returns it. Agents keep personal ones; managers and admins also those of a team (`teamId`) and of everybody. Staff only. Errors: FORBIDDEN, INVALID_INPUT, NOT_FOUND for a team that is not there.';

create or replace function app_public.use_canned_response(canned_response_id uuid, ticket_id uuid) returns text
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  filled text;
begin
  select app_hidden.fill_in(response.body, app_hidden.ticket_variables(ticket.id)) into filled
  from app_public.canned_responses as response
  join app_public.tickets as ticket on ticket.organization_id = response.organization_id and ticket.id = use_canned_response.ticket_id
  where response.organization_id = app_hidden.current_organization_id()
    and response.id = use_canned_response.canned_response_id and response.archived_at is null
    and app_hidden.may_use_canned(response.visibility, response.owner_id, response.team_id)
    and app_hidden.sees_ticket(ticket);
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such canned response or ticket';
  end if;

  insert into app_private.canned_response_uses as counted (organization_id, canned_response_id, user_id, month)
  values (
    app_hidden.current_organization_id(), use_canned_response.canned_response_id, app_hidden.current_user_id(),
    date_trunc('month', now())
  )
  on conflict (organization_id, canned_response_id, user_id, month) do update set uses = counted.uses + 1;
  return filled;
end
$$;

comment on function app_public.use_canned_response(uuid, uuid) is
  'The text of a canned response as it reads on a ticket; the use is counted. Staff only. Error NOT_FOUND.';

create or replace function app_public.create_macro(
  name text,
  actions jsonb,
  description text default null,
  visibility app_public.canned_visibility default 'personal',
  team_id uuid default null
) returns app_public.macros
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.macros (organization_id, name, description, actions, visibility, team_id)
  values (
    app_hidden.current_organization_id(), btrim(create_macro.name), nullif(btrim(create_macro.description), ''),
    create_macro.actions, coalesce(create_macro.visibility, 'personal'), create_macro.team_id
  )
  returning *
$$;

comment on function app_public.create_macro(text, jsonb, text, app_public.canned_visibility, uuid) is
  'Makes a macro and returns it. `actions` are 1 to 20 in the shape that `bulkUpdateTickets` takes; a `comment` may hold variables such as {{requester.first_name}}. Agents make personal ones; managers and admins also those of a team (`teamId`) and of everybody. Staff only. Errors: ACTION_INVALID, FORBIDDEN, INVALID_INPUT, NOT_FOUND for a team that is not there.';

create or replace function app_private.macro_to_use(macro_id uuid) returns app_public.macros
  language plpgsql stable
  set search_path = ''
as $$
declare
  macro app_public.macros;
begin
  select * into macro
  from app_public.macros as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = macro_to_use.macro_id
    and found.archived_at is null and app_hidden.may_use_canned(found.visibility, found.owner_id, found.team_id);
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such macro';
  end if;
  return macro;
end
$$;

comment on function app_private.macro_to_use(uuid) is 'A macro the caller may use; for functions that run as the owner. Error NOT_FOUND.';

create or replace function app_private.count_macro_uses(macro_id uuid, tickets integer) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_private.macro_uses as counted (organization_id, macro_id, user_id, month, uses)
  select app_hidden.current_organization_id(), count_macro_uses.macro_id, app_hidden.current_user_id(), date_trunc('month', now()), tickets
  where tickets > 0
  on conflict (organization_id, macro_id, user_id, month) do update set uses = counted.uses + excluded.uses
$$;

comment on function app_private.count_macro_uses(uuid, integer) is 'Counts the tickets that the caller did a macro to.';

create or replace function app_public.apply_macro(macro_id uuid, ticket_id uuid) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  macro constant app_public.macros := app_private.macro_to_use(macro_id);
  ticket app_public.tickets;
begin
  perform app_hidden.apply_ticket_actions(apply_macro.ticket_id, macro.actions);
  perform app_private.count_macro_uses(macro.id, 1);

  select * into strict ticket
  from app_public.tickets as changed
  where changed.organization_id = macro.organization_id and changed.id = apply_macro.ticket_id;
  return ticket;
end
$$;

comment on function app_public.apply_macro(uuid, uuid) is
  'Does all that a macro says to a ticket, in one save, and returns the ticket. All or nothing. Staff only. Errors: NOT_FOUND, and whatever a single action is refused with.';

create or replace function app_public.apply_macro_to_tickets(macro_id uuid, ticket_ids uuid[]) returns setof app_public.bulk_result
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  macro constant app_public.macros := app_private.macro_to_use(macro_id);
  result app_public.bulk_result;
  done integer := 0;
begin
  for result in select * from app_public.bulk_update_tickets(apply_macro_to_tickets.ticket_ids, macro.actions) loop
    done := done + result.changed::integer;
    return next result;
  end loop;
  perform app_private.count_macro_uses(macro.id, done);
end
$$;

comment on function app_public.apply_macro_to_tickets(uuid, uuid[]) is
  'Does all that a macro says to up to 1,000 tickets in one transaction, and tells of each what became of it: a ticket that is refused stays as it was, the others are changed. Staff only. Errors: NOT_FOUND for the macro, TOO_MANY_TICKETS.';

revoke all on function
  app_hidden.may_use_canned(app_public.canned_visibility, uuid, uuid), app_private.tg__stamp_canned(), app_private.tg_macros__refuse(),
  app_public.canned_responses_uses(app_public.canned_responses), app_public.macros_uses(app_public.macros),
  app_public.search_canned_responses(uuid, text), app_public.preview_macro(uuid, uuid),
  app_public.create_canned_response(text, text, text, app_public.canned_visibility, uuid),
  app_public.use_canned_response(uuid, uuid),
  app_public.create_macro(text, jsonb, text, app_public.canned_visibility, uuid),
  app_private.macro_to_use(uuid), app_private.count_macro_uses(uuid, integer),
  app_public.apply_macro(uuid, uuid), app_public.apply_macro_to_tickets(uuid, uuid[])
from public;

grant execute on function
  app_public.canned_responses_uses(app_public.canned_responses), app_public.macros_uses(app_public.macros),
  app_public.search_canned_responses(uuid, text), app_public.preview_macro(uuid, uuid),
  app_public.create_canned_response(text, text, text, app_public.canned_visibility, uuid),
  app_public.use_canned_response(uuid, uuid),
  app_public.create_macro(text, jsonb, text, app_public.canned_visibility, uuid),
  app_public.apply_macro(uuid, uuid), app_public.apply_macro_to_tickets(uuid, uuid[])
to atum_agent;
