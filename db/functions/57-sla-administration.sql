create or replace function app_private.tg_sla_calendars__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  perform app_hidden.check_calendar(jsonb_build_object('hours', NEW.hours));
  -- A week of it, so that an unknown time zone and hours of no length are refused here and not by a ticket.
  perform app_hidden.business_seconds(
    jsonb_build_object('tz', NEW.time_zone, 'hours', NEW.hours), now(), now() + interval '8 days'
  );
  return NEW;
end
$$;

comment on function app_private.tg_sla_calendars__refuse() is 'Refuses a calendar without hours, with times that are none, or in an unknown time zone.';

create or replace trigger _200_refuse before insert or update of hours, time_zone on app_public.sla_calendars
  for each row execute function app_private.tg_sla_calendars__refuse();

create or replace trigger _100_stamp_updated_at before update on app_public.sla_calendars
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.sla_policies
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_public.create_sla_calendar(name text, time_zone text, hours jsonb) returns app_public.sla_calendars
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.sla_calendars (organization_id, name, time_zone, hours)
  values (app_hidden.current_organization_id(), btrim(create_sla_calendar.name), create_sla_calendar.time_zone, create_sla_calendar.hours)
  returning *
$$;

comment on function app_public.create_sla_calendar(text, text, jsonb) is
  'Makes a calendar and returns it. `hours` are local times by weekday, `{"mon": [["09:00", "12:00"], ["13:00", "17:30"]]}`, over midnight where they close before they open, or `"always_open"`. Admins only. Errors: CONFLICT for a name that is taken, SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID, INVALID_INPUT for a time zone that is none.';

create or replace function app_public.delete_sla_calendar(calendar_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if exists (
    select
    from app_public.sla_policies as policy
    where policy.organization_id = app_hidden.current_organization_id() and policy.calendar_id = delete_sla_calendar.calendar_id
  ) then
    raise exception using errcode = 'AD204', message = 'A policy counts on this calendar; give it another one first';
  end if;

  delete from app_public.sla_calendars as calendar
  where calendar.organization_id = app_hidden.current_organization_id() and calendar.id = delete_sla_calendar.calendar_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such calendar';
  end if;
  return true;
end
$$;

comment on function app_public.delete_sla_calendar(uuid) is 'Removes a calendar that no policy counts on, with its holidays. Admins only. Errors: NOT_FOUND, SLA_CALENDAR_IN_USE.';

create or replace function app_public.add_sla_holiday(
  calendar_id uuid, name text, held_on date, held_until date default null, repeats_yearly boolean default false,
  shut_from text default null, shut_until text default null
) returns app_public.sla_holidays
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.sla_holidays (organization_id, calendar_id, name, held_on, held_until, repeats_yearly, shut_from, shut_until)
  values (
    app_hidden.current_organization_id(), add_sla_holiday.calendar_id, btrim(add_sla_holiday.name), add_sla_holiday.held_on,
    -- A span of one day is a day.
    nullif(add_sla_holiday.held_until, add_sla_holiday.held_on), coalesce(add_sla_holiday.repeats_yearly, false),
    add_sla_holiday.shut_from, add_sla_holiday.shut_until
  )
  returning *
$$;

comment on function app_public.add_sla_holiday(uuid, text, date, date, boolean, text, text) is
  'Shuts a calendar on a day and returns the holiday: for several with `heldUntil`, in every year with `repeatsYearly`, for a part of the day with `shutFrom` and `shutUntil` (`24:00` is the end of the day). Admins only. Errors: NOT_FOUND, CONFLICT for a day that is a holiday already, INVALID_INPUT.';

create or replace function app_public.remove_sla_holiday(holiday_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.sla_holidays as holiday
  where holiday.organization_id = app_hidden.current_organization_id() and holiday.id = remove_sla_holiday.holiday_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such holiday';
  end if;
  return true;
end
$$;

comment on function app_public.remove_sla_holiday(uuid) is 'Takes a holiday out of its calendar. Admins only. Error NOT_FOUND.';

create or replace function app_public.create_sla_policy(
  name text, calendar_id uuid, priorities app_public.ticket_priority[] default '{}', service_ids uuid[] default '{}',
  team_ids uuid[] default '{}', company_ids uuid[] default '{}', channels app_public.ticket_channel[] default '{}', tags text[] default '{}'
) returns app_public.sla_policies
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.sla_policies (
    organization_id, name, calendar_id, position, priorities, service_ids, team_ids, company_ids, channels, tags
  )
  select
    app_hidden.current_organization_id(), btrim(create_sla_policy.name), create_sla_policy.calendar_id,
    coalesce(max(policy.position) + 1, 0), coalesce(create_sla_policy.priorities, '{}'), coalesce(create_sla_policy.service_ids, '{}'),
    coalesce(create_sla_policy.team_ids, '{}'), coalesce(create_sla_policy.company_ids, '{}'),
    coalesce(create_sla_policy.channels, '{}'), app_private.tidy_tags(coalesce(create_sla_policy.tags, '{}'))
  from app_public.sla_policies as policy
  where policy.organization_id = app_hidden.current_organization_id()
  returning *
$$;

comment on function app_public.create_sla_policy(text, uuid, app_public.ticket_priority[], uuid[], uuid[], uuid[], app_public.ticket_channel[], text[]) is
  'Makes a policy, the last in order, and returns it. A condition that is left out is met by every ticket. Without targets it promises nothing. Admins only. Errors: NOT_FOUND for a calendar that is not there, CONFLICT for a name that is taken, INVALID_INPUT.';

-- What foreign keys do for single columns. What was named before stays, though it may be gone since.
create or replace function app_private.tg_sla_policies__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  known app_public.sla_policies;
begin
  if TG_OP = 'UPDATE' then
    known := OLD;
  end if;
  if exists (
    select from unnest(NEW.service_ids) as named (id)
    where named.id <> all (coalesce(known.service_ids, '{}'))
      and not exists (select from app_public.services as service where service.organization_id = NEW.organization_id and service.id = named.id)
    union all
    select from unnest(NEW.team_ids) as named (id)
    where named.id <> all (coalesce(known.team_ids, '{}'))
      and not exists (select from app_public.teams as team where team.organization_id = NEW.organization_id and team.id = named.id)
    union all
    select from unnest(NEW.company_ids) as named (id)
    where named.id <> all (coalesce(known.company_ids, '{}'))
      and not exists (select from app_public.companies as company where company.organization_id = NEW.organization_id and company.id = named.id)
  ) then
    raise exception using errcode = '23503', message = 'A service, team or company of the conditions is not there';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_sla_policies__refuse() is 'Refuses conditions on services, teams and companies that are not there. Error NOT_FOUND.';

create or replace trigger _200_refuse before insert or update of service_ids, team_ids, company_ids on app_public.sla_policies
  for each row execute function app_private.tg_sla_policies__refuse();

create or replace function app_public.delete_sla_policy(policy_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.sla_policies as policy
  where policy.organization_id = app_hidden.current_organization_id() and policy.id = delete_sla_policy.policy_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such policy';
  end if;
  return true;
end
$$;

comment on function app_public.delete_sla_policy(uuid) is
  'Removes a policy with its targets and escalations; the tickets it applied to come under the next one whose conditions they meet. Admins only. Error NOT_FOUND.';

create or replace function app_public.order_sla_policies(policy_ids uuid[]) returns setof app_public.sla_policies
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  perform from app_public.sla_policies as policy
  where policy.organization_id = app_hidden.current_organization_id()
  order by policy.id
  for update;
  if exists (
    select
    from (
      select policy.id from app_public.sla_policies as policy
      where policy.organization_id = app_hidden.current_organization_id() and policy.archived_at is null
    ) as standing
    full join unnest(policy_ids) as given (id) on given.id = standing.id
    where standing.id is null or given.id is null
  ) or cardinality(policy_ids) <> (select count(distinct id) from unnest(policy_ids) as id) then
    raise exception using errcode = 'AD205', message = 'The order names each policy that is in use once';
  end if;

  update app_public.sla_policies as policy
  set position = given.position
  from unnest(policy_ids) with ordinality as given (id, position)
  where policy.organization_id = app_hidden.current_organization_id() and policy.id = given.id and policy.position <> given.position;

  return query
  select * from app_public.sla_policies as policy
  where policy.organization_id = app_hidden.current_organization_id() and policy.archived_at is null
  order by policy.position, policy.id;
end
$$;

comment on function app_public.order_sla_policies(uuid[]) is
  'Puts the policies that are not archived in an order and returns them in it. Names each of them once. Admins only. Error SLA_ORDER_INCOMPLETE.';

create or replace function app_public.set_sla_target(
  policy_id uuid, priority app_public.ticket_priority, kind app_public.sla_target_kind, working_seconds bigint default null
) returns app_public.sla_policies
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  policy app_public.sla_policies;
begin
  if set_sla_target.working_seconds not between 1 and 315360000 then
    raise exception using errcode = 'AD206', message = 'A target is more than no time, and at most ten years';
  end if;
  select * into policy
  from app_public.sla_policies as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = set_sla_target.policy_id
  for update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such policy';
  end if;

  if set_sla_target.working_seconds is null then
    delete from app_public.sla_targets as target
    where target.organization_id = policy.organization_id and target.policy_id = policy.id
      and target.priority = set_sla_target.priority and target.kind = set_sla_target.kind;
  else
    insert into app_public.sla_targets as target (organization_id, policy_id, priority, kind, working_seconds)
    values (policy.organization_id, policy.id, set_sla_target.priority, set_sla_target.kind, set_sla_target.working_seconds)
    on conflict (organization_id, policy_id, priority, kind) do update set working_seconds = excluded.working_seconds;
  end if;
  return policy;
end
$$;

comment on function app_public.set_sla_target(uuid, app_public.ticket_priority, app_public.sla_target_kind, bigint) is
  'Promises something to the tickets of a priority within so many seconds of working time, or nothing without them, and returns the policy. Admins only. Errors: NOT_FOUND, SLA_TARGET_REFUSED when it is not positive or more than ten years.';

create or replace function app_public.set_sla_escalation(
  policy_id uuid, kind app_public.sla_target_kind, offset_seconds bigint, actions jsonb
) returns app_public.sla_escalations
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.sla_escalations as level (organization_id, policy_id, kind, offset_seconds, actions)
  values (
    app_hidden.current_organization_id(), set_sla_escalation.policy_id, set_sla_escalation.kind, set_sla_escalation.offset_seconds,
    set_sla_escalation.actions
  )
  on conflict on constraint sla_escalations_organization_id_policy_id_kind_offset_secon_key do update set actions = excluded.actions
  returning *
$$;

comment on function app_public.set_sla_escalation(uuid, app_public.sla_target_kind, bigint, jsonb) is
  'Has a policy do something to a ticket so many seconds of working time before (negative) or after a promise is due, or changes what, and returns it. `actions` is a list as `bulkUpdateTickets` takes it, without `assign_to_me`. Admins only. Errors: NOT_FOUND, ACTION_INVALID, INVALID_INPUT.';

create or replace function app_public.delete_sla_escalation(escalation_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.sla_escalations as level
  where level.organization_id = app_hidden.current_organization_id() and level.id = delete_sla_escalation.escalation_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such escalation';
  end if;
  return true;
end
$$;

comment on function app_public.delete_sla_escalation(uuid) is 'Removes a warning or a level of escalation. Admins only. Error NOT_FOUND.';

create or replace function app_public.preview_sla_due(calendar_id uuid, working_seconds bigint, started_at timestamptz default null)
  returns timestamptz
  language sql stable
  set search_path = ''
as $$
  select app_hidden.business_due_at(
    app_hidden.calendar_as_json(calendar), coalesce(preview_sla_due.started_at, now()), preview_sla_due.working_seconds
  )
  from app_public.sla_calendars as calendar
  where calendar.organization_id = (select app_hidden.current_organization_id()) and calendar.id = preview_sla_due.calendar_id
$$;

comment on function app_public.preview_sla_due(uuid, bigint, timestamptz) is
  'When so many seconds of working time from an instant, or from now, would be over by a calendar; null when there is none. Staff only.';

revoke all on function
  app_private.tg_sla_policies__refuse(), app_private.tg_sla_calendars__refuse(),
  app_public.create_sla_calendar(text, text, jsonb), app_public.delete_sla_calendar(uuid),
  app_public.add_sla_holiday(uuid, text, date, date, boolean, text, text), app_public.remove_sla_holiday(uuid),
  app_public.create_sla_policy(text, uuid, app_public.ticket_priority[], uuid[], uuid[], uuid[], app_public.ticket_channel[], text[]),
  app_public.delete_sla_policy(uuid), app_public.order_sla_policies(uuid[]),
  app_public.set_sla_target(uuid, app_public.ticket_priority, app_public.sla_target_kind, bigint),
  app_public.set_sla_escalation(uuid, app_public.sla_target_kind, bigint, jsonb), app_public.delete_sla_escalation(uuid),
  app_public.preview_sla_due(uuid, bigint, timestamptz)
from public;

grant execute on function
  app_public.create_sla_calendar(text, text, jsonb), app_public.delete_sla_calendar(uuid),
  app_public.add_sla_holiday(uuid, text, date, date, boolean, text, text), app_public.remove_sla_holiday(uuid),
  app_public.create_sla_policy(text, uuid, app_public.ticket_priority[], uuid[], uuid[], uuid[], app_public.ticket_channel[], text[]),
  app_public.delete_sla_policy(uuid), app_public.order_sla_policies(uuid[]),
  app_public.set_sla_target(uuid, app_public.ticket_priority, app_public.sla_target_kind, bigint),
  app_public.set_sla_escalation(uuid, app_public.sla_target_kind, bigint, jsonb), app_public.delete_sla_escalation(uuid)
to atum_admin;
grant execute on function app_public.preview_sla_due(uuid, bigint, timestamptz) to atum_agent;
