-- Automations: what they are. How they run is in 61-automation-runs.sql.

create or replace function app_private.is_here(organization_id uuid, word text, id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select case word
    when 'state_id' then exists (select from app_public.ticket_states as state where state.organization_id = is_here.organization_id and state.id = is_here.id)
    when 'service_id' then exists (select from app_public.services as service where service.organization_id = is_here.organization_id and service.id = is_here.id)
    when 'team_id' then exists (select from app_public.teams as team where team.organization_id = is_here.organization_id and team.id = is_here.id)
    else exists (select from app_public.users as person where person.organization_id = is_here.organization_id and person.id = is_here.id)
  end
$$;

comment on function app_private.is_here(uuid, text, uuid) is 'Whether an organization has what an action names: a stage, service, team or person.';

create or replace function app_private.check_automation(automation app_public.automations) returns void
  language plpgsql stable
  set search_path = ''
as $$
declare
  condition jsonb;
  action jsonb;
  word text;
begin
  perform app_hidden.check_ticket_conditions(automation.conditions);
  perform app_hidden.check_ticket_actions(automation.actions);

  if automation.actions = '[]' then
    raise exception using errcode = 'AD190', message = 'Say what the automation does';
  end if;
  if automation.kind = 'time' and jsonb_path_query_array(automation.conditions, '$.*[*]') = '[]' then
    raise exception using errcode = 'AD190', message = 'Say for which tickets it is time';
  end if;

  -- Nobody is "me" when no person acts.
  for condition in select jsonb_path_query(automation.conditions, '$.*[*]') loop
    if condition ->> 'field' = 'watched' or jsonb_path_exists(condition, '$.value ? (@ == "me")') then
      raise exception using errcode = 'AD190', message = 'An automation acts for nobody, and cannot ask about "me"';
    end if;
  end loop;

  for action in select value from jsonb_array_elements(automation.actions) loop
    if action ->> 'type' = 'assign_to_me' then
      raise exception using errcode = 'AD190', message = 'An automation acts for nobody, and cannot assign to "me"';
    end if;
    foreach word in array array['state_id', 'service_id', 'team_id', 'assignee_id', 'user_id'] loop
      if action ->> word is not null and not app_private.is_here(automation.organization_id, word, (action ->> word)::uuid) then
        raise exception using errcode = 'AD101', message = 'Something an action refers to is not there';
      end if;
    end loop;
  end loop;
end
$$;

comment on function app_private.check_automation(app_public.automations) is
  'Refuses an automation that can never do what it says. Errors AUTOMATION_INVALID, CONDITION_INVALID, ACTION_INVALID, NOT_FOUND.';

create or replace function app_private.tg_automations__stamp() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.name := btrim(NEW.name);
  NEW.changed_by_id := app_hidden.current_user_id();
  if TG_OP = 'UPDATE' and NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_automations__stamp() is 'Notes who changed an automation, and when.';

-- Not for its turn: that is no change of what it does.
create or replace trigger _100_stamp
  before insert or update of name, is_enabled, event_types, actors, visibility, from_values, to_values, conditions, actions
  on app_public.automations
  for each row execute function app_private.tg_automations__stamp();

create or replace function app_private.tg_automations__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.check_automation(NEW);
  return NEW;
end
$$;

comment on function app_private.tg_automations__refuse() is 'Refuses an automation that can never do what it says. Errors AUTOMATION_INVALID, CONDITION_INVALID, ACTION_INVALID, NOT_FOUND.';

-- Not when it is switched off: one whose team has gone must be stopped as it is.
create or replace trigger _200_refuse before insert or update of conditions, actions on app_public.automations
  for each row execute function app_private.tg_automations__refuse();

create or replace function app_public.create_automation(
  name text,
  kind app_public.automation_kind,
  actions jsonb,
  conditions jsonb default '{}',
  event_types app_public.ticket_event_type[] default '{}',
  actors app_public.automation_actor[] default '{}',
  visibility app_public.comment_visibility default null,
  from_values text[] default '{}',
  to_values text[] default '{}',
  is_enabled boolean default true
) returns app_public.automations
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  made app_public.automations;
  last record;
begin
  select count(*) as number, coalesce(max(position), 0) as position into last
  from app_public.automations
  where organization_id = app_hidden.current_organization_id();
  if last.number >= 100 then
    raise exception using errcode = 'AD191', message = 'An organization has at most 100 automations';
  end if;

  insert into app_public.automations (
    organization_id, name, kind, position, is_enabled, event_types, actors, visibility, from_values, to_values, conditions, actions,
    created_by_id
  )
  values (
    app_hidden.current_organization_id(), create_automation.name, create_automation.kind, last.position + 1,
    coalesce(create_automation.is_enabled, true), coalesce(create_automation.event_types, '{}'),
    coalesce(create_automation.actors, '{}'), create_automation.visibility, coalesce(create_automation.from_values, '{}'),
    coalesce(create_automation.to_values, '{}'), coalesce(create_automation.conditions, '{}'), create_automation.actions,
    app_hidden.current_user_id()
  )
  returning * into made;
  return made;
end
$$;

comment on function app_public.create_automation(text, app_public.automation_kind, jsonb, jsonb, app_public.ticket_event_type[], app_public.automation_actor[], app_public.comment_visibility, text[], text[], boolean) is
  'Makes an automation, last in turn, and returns it. One of kind `event` names at least one of `eventTypes`; one of kind `time` names none, and has at least one condition, such as `{"all": [{"field": "status", "operator": "is", "value": "pending"}, {"field": "last_comment_at", "operator": "older_than", "value": 259200}]}`. Neither can speak of "me". Admins only. Errors: AUTOMATION_INVALID, CONDITION_INVALID, ACTION_INVALID, NOT_FOUND for what an action names and is not there, TOO_MANY_AUTOMATIONS beyond 100, CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.delete_automation(automation_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.automations as automation
  where automation.organization_id = app_hidden.current_organization_id() and automation.id = delete_automation.automation_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such automation';
  end if;
  return true;
end
$$;

comment on function app_public.delete_automation(uuid) is 'Removes an automation. Its log stays. Admins only. Error NOT_FOUND.';

create or replace function app_public.order_automations(automation_ids uuid[]) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  -- One order at a time: two that cross would leave a mixture.
  perform pg_advisory_xact_lock(hashtextextended('automations:' || app_hidden.current_organization_id()::text, 0));

  if exists (
    select from unnest(order_automations.automation_ids) as wanted (id)
    where not exists (
      select from app_public.automations as automation
      where automation.organization_id = app_hidden.current_organization_id() and automation.id = wanted.id
    )
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such automation';
  end if;

  update app_public.automations as automation
  set position = place.position
  from (
    select ordered.id, row_number() over (
      order by array_position(order_automations.automation_ids, ordered.id) nulls last, ordered.position, ordered.id
    ) as position
    from app_public.automations as ordered
    where ordered.organization_id = app_hidden.current_organization_id()
  ) as place
  where automation.organization_id = app_hidden.current_organization_id() and automation.id = place.id
    and automation.position <> place.position;
  return true;
end
$$;

comment on function app_public.order_automations(uuid[]) is
  'Puts automations in this order; those that are not named come after them as they are. Admins only. Error NOT_FOUND.';

-- How it has been getting on lately, read from its log.

create or replace function app_public.automations_last_fired_at(automation app_public.automations) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  select firing.fired_at
  from app_public.automation_firings as firing
  where firing.organization_id = automation.organization_id and firing.automation_id = automation.id
  order by firing.fired_at desc
  limit 1
$$;

comment on function app_public.automations_last_fired_at(app_public.automations) is 'When its conditions last held and it was to act; null when they never did.';

create or replace function app_public.automations_is_failing(automation app_public.automations) returns boolean
  language sql stable
  set search_path = ''
as $$
  select count(*) = 3 and bool_and(latest.outcome = 'refused')
  from (
    select firing.outcome
    from app_public.automation_firings as firing
    where firing.organization_id = automation.organization_id and firing.automation_id = automation.id
    order by firing.fired_at desc, firing.id desc
    limit 3
  ) as latest
$$;

comment on function app_public.automations_is_failing(app_public.automations) is 'Whether it was refused the last three times. Its log says why.';

create or replace function app_public.automations_loops_stopped(automation app_public.automations) returns integer
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer
  from app_public.automation_firings as firing
  where firing.organization_id = automation.organization_id and firing.automation_id = automation.id
    and firing.fired_at > now() - interval '7 days' and firing.outcome = 'loop_stopped'
$$;

comment on function app_public.automations_loops_stopped(app_public.automations) is 'How often within the last seven days it was stopped from going round in a circle.';

revoke all on function
  app_private.is_here(uuid, text, uuid), app_private.check_automation(app_public.automations),
  app_private.tg_automations__stamp(), app_private.tg_automations__refuse(),
  app_public.create_automation(text, app_public.automation_kind, jsonb, jsonb, app_public.ticket_event_type[], app_public.automation_actor[], app_public.comment_visibility, text[], text[], boolean),
  app_public.delete_automation(uuid), app_public.order_automations(uuid[]),
  app_public.automations_last_fired_at(app_public.automations), app_public.automations_is_failing(app_public.automations),
  app_public.automations_loops_stopped(app_public.automations)
from public;

grant execute on function
  app_public.create_automation(text, app_public.automation_kind, jsonb, jsonb, app_public.ticket_event_type[], app_public.automation_actor[], app_public.comment_visibility, text[], text[], boolean),
  app_public.delete_automation(uuid), app_public.order_automations(uuid[])
to atum_admin;
grant execute on function
  app_public.automations_last_fired_at(app_public.automations), app_public.automations_is_failing(app_public.automations),
  app_public.automations_loops_stopped(app_public.automations)
to atum_manager;
