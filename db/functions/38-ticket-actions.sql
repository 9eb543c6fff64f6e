-- What macros, bulk changes, automations and escalations do to a ticket: one list of actions, one place that does them.

create or replace function app_hidden.check_ticket_actions(actions jsonb) returns void
  language plpgsql stable
  set search_path = ''
as $$
declare
  action jsonb;
  known constant jsonb := '{
    "set_priority": {"priority": "ticket_priority"}, "raise_priority": {},
    "set_status": {"status": "ticket_status"}, "set_state": {"state_id": "uuid"},
    "set_service": {"service_id": "uuid?"}, "set_team": {"team_id": "uuid?"},
    "set_assignee": {"assignee_id": "uuid?"}, "assign_to_me": {}, "assign_automatically": {},
    "add_tags": {"tags": "texts"}, "remove_tags": {"tags": "texts"},
    "add_watcher": {"user_id": "uuid"}, "remove_watcher": {"user_id": "uuid"},
    "set_custom_fields": {"values": "object"},
    "snooze": {"seconds": "number"},
    "comment": {"visibility": "comment_visibility", "body": "text"},
    "notify": {"to": "audience", "text": "notice"}
  }';
  words constant jsonb := '{
    "ticket_priority": ["low", "normal", "high", "urgent"],
    "ticket_status": ["new", "open", "pending", "on_hold", "resolved", "closed"],
    "comment_visibility": ["public", "internal"],
    "audience": ["requester", "assignee", "team", "watchers", "managers"]
  }';
  expected jsonb;
  field text;
  kind text;
  given jsonb;
begin
  if jsonb_typeof(actions) is distinct from 'array' or jsonb_array_length(actions) > 20 then
    raise exception using errcode = 'AD117', message = 'Actions are a list of at most 20';
  end if;

  for action in select value from jsonb_array_elements(actions) loop
    expected := case when jsonb_typeof(action) = 'object' then known -> (action ->> 'type') end;
    if expected is null then
      raise exception using errcode = 'AD117', message = format('There is no action %s', left(action #>> '{type}', 40));
    end if;
    if exists (select from jsonb_object_keys(action) as key where key <> 'type' and not expected ? key) then
      raise exception using errcode = 'AD117', message = format('The action %s says more than it can', action ->> 'type');
    end if;
    for field, kind in select key, value from jsonb_each_text(expected) loop
      given := action -> field;
      if not coalesce(
        case
          when kind = 'uuid' then jsonb_typeof(given) = 'string' and pg_input_is_valid(given #>> '{}', 'uuid')
          when kind = 'uuid?' then given is not null and (given = 'null' or pg_input_is_valid(given #>> '{}', 'uuid'))
          when kind = 'text' then jsonb_typeof(given) = 'string' and given #>> '{}' ~ '\S' and octet_length(given #>> '{}') <= 65536
          when kind = 'notice' then jsonb_typeof(given) = 'string' and given #>> '{}' ~ '\S' and length(given #>> '{}') <= 1000
          when kind = 'texts' then jsonb_typeof(given) = 'array' and jsonb_array_length(given) between 1 and 30
            and not jsonb_path_exists(given, '$[*] ? (@.type() != "string")')
          when kind = 'number' then jsonb_typeof(given) = 'number' and (given #>> '{}')::numeric between 1 and 157680000
          when kind = 'object' then jsonb_typeof(given) = 'object'
          else words -> kind ? (given #>> '{}')
        end,
        false
      ) then
        raise exception using errcode = 'AD117', message = format('The action %s needs a proper %s', action ->> 'type', field);
      end if;
    end loop;
  end loop;
end
$$;

comment on function app_hidden.check_ticket_actions(jsonb) is
  'Refuses a list of actions that is none. Each is an object with a `type`: `set_priority` {priority}, `raise_priority`, `set_status` {status}, `set_state` {state_id}, `set_service` {service_id or null}, `set_team` {team_id or null}, `set_assignee` {assignee_id or null}, `assign_to_me`, `assign_automatically`, `add_tags` {tags}, `remove_tags` {tags}, `add_watcher` {user_id}, `remove_watcher` {user_id}, `set_custom_fields` {values by key}, `snooze` {seconds}, `comment` {visibility, body with variables such as {{requester.name}}}, `notify` {to: requester, assignee, team, watchers or managers; text of up to 1,000 characters}. At most 20. Error ACTION_INVALID.';

create or replace function app_hidden.ticket_variables(ticket_id uuid) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'ticket.reference', ticket.reference, 'ticket.subject', ticket.subject,
    'ticket.priority', ticket.priority, 'ticket.status', ticket.status,
    'ticket.service', service.name, 'ticket.team', team.name,
    'requester.name', requester.name, 'requester.first_name', split_part(requester.name, ' ', 1), 'requester.email', requester.email,
    'assignee.name', assignee.name,
    'agent.name', agent.name, 'agent.first_name', split_part(agent.name, ' ', 1),
    'organization.name', organization.name
  ))
  from app_public.tickets as ticket
  join app_public.organizations as organization on organization.id = ticket.organization_id
  left join app_public.users as requester on requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
  left join app_public.users as assignee on assignee.organization_id = ticket.organization_id and assignee.id = ticket.assignee_id
  left join app_public.users as agent on agent.organization_id = ticket.organization_id and agent.id = app_hidden.current_user_id()
  left join app_public.services as service on service.organization_id = ticket.organization_id and service.id = ticket.service_id
  left join app_public.teams as team on team.organization_id = ticket.organization_id and team.id = ticket.team_id
  where ticket.organization_id = app_hidden.current_organization_id() and ticket.id = ticket_variables.ticket_id
$$;

comment on function app_hidden.ticket_variables(uuid) is
  'What the variables in a prepared text stand for on a ticket: ticket.reference, ticket.subject, ticket.priority, ticket.status, ticket.service, ticket.team, requester.name, requester.first_name, requester.email, assignee.name, agent.name, agent.first_name, organization.name.';

create or replace function app_hidden.fill_in(template text, variables jsonb) returns text
  language sql immutable
  set search_path = ''
as $$
  -- Split at the braces once, so that a value which itself looks like a variable is not filled in again.
  select coalesce(string_agg(
    case
      when piece.position = 1 then piece.value
      when found.parts is null then '{{' || piece.value
      else coalesce(variables ->> found.parts[1], '') || found.parts[2]
    end,
    '' order by piece.position
  ), '')
  from string_to_table(template, '{{') with ordinality as piece (value, position)
  left join lateral regexp_match(piece.value, '^\s*([a-z_.]+)\s*\}\}(.*)$') as found (parts) on true
$$;

comment on function app_hidden.fill_in(text, jsonb) is 'A prepared text with its {{variables}} filled in; one that is not known is left out.';

create or replace function app_private.say(ticket app_public.tickets, visibility app_public.comment_visibility, body text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if app_hidden.current_user_id() is not null then
    perform app_public.add_comment(ticket.id, say.body, say.visibility);
  else
    -- What customers read is the organization's word: the name of a rule is none of theirs. The event keeps it.
    insert into app_public.comments (organization_id, ticket_id, author_name, visibility, body)
    values (
      ticket.organization_id, ticket.id, case say.visibility when 'internal' then app_hidden.current_actor_name() end,
      say.visibility, say.body
    );
  end if;
end
$$;

comment on function app_private.say(app_public.tickets, app_public.comment_visibility, text) is 'Says something on a ticket in the name of whoever acts: of a person as they would themselves.';

create or replace function app_hidden.apply_ticket_actions(ticket_id uuid, actions jsonb) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  before app_public.tickets := app_private.ticket_to_work_on(ticket_id);
  after app_public.tickets := before;
  action jsonb;
begin
  perform app_hidden.check_ticket_actions(actions);

  for action in select value from jsonb_array_elements(actions) loop
    case action ->> 'type'
      when 'set_priority' then
        after.priority := (action ->> 'priority')::app_public.ticket_priority;
      when 'raise_priority' then
        after.priority := case after.priority when 'low' then 'normal' when 'normal' then 'high' else 'urgent' end;
      when 'set_status' then
        after.status := (action ->> 'status')::app_public.ticket_status;
        after.state_id := before.state_id;
      when 'set_state' then
        after.status := before.status;
        after.state_id := (action ->> 'state_id')::uuid;
      when 'set_service' then
        after.service_id := (action ->> 'service_id')::uuid;
      when 'set_team' then
        after.team_id := (action ->> 'team_id')::uuid;
      when 'set_assignee' then
        after.assignee_id := (action ->> 'assignee_id')::uuid;
      when 'assign_to_me' then
        if app_hidden.current_user_id() is null then
          raise exception using errcode = 'AD117', message = 'There is nobody to assign the ticket to';
        end if;
        after.assignee_id := app_hidden.current_user_id();
      when 'assign_automatically' then
        after.assignee_id := coalesce(app_private.next_assignee(after), after.assignee_id);
      when 'add_tags' then
        after.tags := app_private.tidy_tags(after.tags || array(select jsonb_array_elements_text(action -> 'tags')));
      when 'remove_tags' then
        after.tags := array(
          select tag from unnest(after.tags) as tag
          where tag <> all (app_private.tidy_tags(array(select jsonb_array_elements_text(action -> 'tags'))))
        );
      when 'set_custom_fields' then
        after.custom_fields := after.custom_fields || (action -> 'values');
      when 'snooze' then
        after.snoozed_until := now() + make_interval(secs => (action ->> 'seconds')::double precision);
      else
        null;
    end case;
  end loop;

  -- One save for everything, and none when nothing changes.
  if after is distinct from before then
    update app_public.tickets as ticket
    set
      priority = after.priority, status = after.status, state_id = after.state_id, service_id = after.service_id,
      team_id = after.team_id, assignee_id = after.assignee_id, tags = after.tags, custom_fields = after.custom_fields,
      snoozed_until = after.snoozed_until
    where ticket.organization_id = before.organization_id and ticket.id = before.id
    returning * into after;
    perform app_private.refuse_unseen_ticket(after);
  end if;

  for action in select value from jsonb_array_elements(actions) loop
    case action ->> 'type'
      when 'add_watcher' then
        perform app_private.add_watcher(after, (action ->> 'user_id')::uuid);
      when 'remove_watcher' then
        perform app_private.drop_watcher(after, (action ->> 'user_id')::uuid);
      when 'comment' then
        perform app_private.say(
          after, (action ->> 'visibility')::app_public.comment_visibility,
          app_hidden.fill_in(action ->> 'body', app_hidden.ticket_variables(after.id))
        );
      when 'notify' then
        perform app_private.record_ticket_event(
          after, 'notice_sent',
          jsonb_build_object(
            'to', action ->> 'to',
            'text', app_hidden.fill_in(action ->> 'text', app_hidden.ticket_variables(after.id))
          )
        );
      else
        null;
    end case;
  end loop;
end
$$;

comment on function app_hidden.apply_ticket_actions(uuid, jsonb) is
  'Does a list of actions to a ticket in one save, in the name of whoever acts: a person, or without one what `atum.actor_name` names. All or nothing. Errors: NOT_FOUND, ACTION_INVALID, and whatever a single action is refused with.';

do $$
begin
  if to_regtype('app_public.bulk_result') is null then
    create type app_public.bulk_result as (ticket_id uuid, changed boolean, code text, message text);
  end if;
end
$$;

comment on type app_public.bulk_result is 'What became of one ticket of many.';
comment on column app_public.bulk_result.ticket_id is 'The row id of the ticket.';
comment on column app_public.bulk_result.changed is 'Whether the actions were done to it.';
comment on column app_public.bulk_result.code is 'Why not, by one of the codes that errors carry; null when it was changed.';
comment on column app_public.bulk_result.message is 'Why not, in a sentence; null when it was changed.';

create or replace function app_public.bulk_update_tickets(ticket_ids uuid[], actions jsonb) returns setof app_public.bulk_result
  language plpgsql volatile
  set search_path = ''
as $$
declare
  wanted_id uuid;
  result app_public.bulk_result;
begin
  if ticket_ids is null or cardinality(ticket_ids) > 1000 or array_position(ticket_ids, null) is not null then
    raise exception using errcode = 'AD118', message = 'At most 1,000 tickets are changed at once';
  end if;
  perform app_hidden.check_ticket_actions(actions);

  -- In one order, so that two people who change the same tickets do not wait for each other in a circle.
  for wanted_id in select distinct id from unnest(ticket_ids) as id order by id loop
    result := (wanted_id, true, null, null);
    begin
      perform app_hidden.apply_ticket_actions(wanted_id, actions);
    exception
      -- A fault of ours ends the whole of it; a refusal is that ticket's alone.
      when sqlstate '42501' or integrity_constraint_violation or data_exception then
        result := (wanted_id, false, sqlstate, 'This ticket cannot be changed so');
      when others then
        if sqlstate !~ '^AD1' then
          raise;
        end if;
        result := (wanted_id, false, sqlstate, sqlerrm);
    end;
    return next result;
  end loop;
end
$$;

comment on function app_public.bulk_update_tickets(uuid[], jsonb) is
  'Does the same actions to up to 1,000 tickets in one transaction, and tells of each what became of it: a ticket that is refused stays as it was, the others are changed. `actions` is a list of objects with a `type`: `set_priority` {priority}, `raise_priority`, `set_status` {status}, `set_state` {state_id}, `set_service` {service_id or null}, `set_team` {team_id or null}, `set_assignee` {assignee_id or null}, `assign_to_me`, `assign_automatically`, `add_tags` {tags}, `remove_tags` {tags}, `add_watcher` {user_id}, `remove_watcher` {user_id}, `set_custom_fields` {values}, `snooze` {seconds}, `comment` {visibility, body}, `notify` {to, text}. Staff only. Errors: TOO_MANY_TICKETS, ACTION_INVALID.';

revoke all on function
  app_hidden.check_ticket_actions(jsonb), app_hidden.ticket_variables(uuid), app_hidden.fill_in(text, jsonb),
  app_private.say(app_public.tickets, app_public.comment_visibility, text),
  app_hidden.apply_ticket_actions(uuid, jsonb), app_public.bulk_update_tickets(uuid[], jsonb)
from public;

grant execute on function
  app_hidden.check_ticket_actions(jsonb), app_hidden.ticket_variables(uuid), app_hidden.fill_in(text, jsonb),
  app_hidden.apply_ticket_actions(uuid, jsonb), app_public.bulk_update_tickets(uuid[], jsonb)
to atum_agent;
