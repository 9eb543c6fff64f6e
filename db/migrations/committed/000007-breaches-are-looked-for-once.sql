--! Previous: sha1:b009edb1021151048c8b797e6a860da6d8c43048
--! Hash: sha1:09b1bc9f08b23e334efdce0788e8f2561b28bd43
--! Message: breaches are looked for once

--! split: 1043-functions-43-sla-escalations.sql
-- What happens because time passed: breaches, the warnings before them and the levels after. The worker calls these with
-- the claims of one organization.

create or replace function app_private.next_sla_escalation(clock app_public.sla_calculations, out escalation app_public.sla_escalations, out at timestamptz)
  language sql stable
  set search_path = ''
as $$
  select
    level,
    app_private.clock_due_at(
      app_hidden.calendar_of(policy), clock.started_at, greatest(clock.target_seconds + level.offset_seconds, 0), clock.paused
    )
  from app_public.sla_escalations as level
  join app_public.sla_policies as policy on policy.organization_id = level.organization_id and policy.id = level.policy_id
  where level.organization_id = clock.organization_id and level.policy_id = clock.policy_id and level.kind = clock.kind
    and level.id <> all (clock.fired_escalation_ids)
  order by level.offset_seconds
  limit 1
$$;

comment on function app_private.next_sla_escalation(app_public.sla_calculations) is 'The next warning or level of a clock that has not fired, and when it does.';

create or replace function app_private.tg_sla_calculations__plan_escalation() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.escalates_at := case
    when NEW.met_at is null and NEW.paused_at is null then (app_private.next_sla_escalation(NEW)).at
  end;
  return NEW;
end
$$;

comment on function app_private.tg_sla_calculations__plan_escalation() is 'Keeps when the next warning or level of a clock fires.';

create or replace trigger _300_plan_escalation
  before insert or update of started_at, due_at, paused_at, met_at, policy_id, fired_escalation_ids on app_public.sla_calculations
  for each row execute function app_private.tg_sla_calculations__plan_escalation();

create or replace function app_private.tg_sla_escalations__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  perform app_hidden.check_ticket_actions(NEW.actions);
  if jsonb_path_exists(NEW.actions, '$[*] ? (@.type == "assign_to_me")') then
    raise exception using errcode = 'AD117', message = 'An escalation is nobody a ticket could be assigned to';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_sla_escalations__refuse() is 'Refuses actions that are none. Error ACTION_INVALID.';

create or replace trigger _200_refuse before insert or update of actions on app_public.sla_escalations
  for each row execute function app_private.tg_sla_escalations__refuse();

create or replace function app_private.tg_sla_calculations__schedule() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.schedule_sla_clock(NEW, now() + interval '5 minutes');
  return null;
end
$$;

comment on function app_private.tg_sla_calculations__schedule() is 'Has jobs run at the instants a clock is due and escalates, when those are soon.';

create or replace function app_private.schedule_sla_clock(clock app_public.sla_calculations, until timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if clock.breached_at is null and clock.due_at < until then
    perform app_private.enqueue(
      'record_sla_breach', clock.organization_id, jsonb_build_object('slaCalculationId', clock.id),
      run_at => clock.due_at, job_key => 'record_sla_breach:' || clock.id
    );
  end if;
  if clock.escalates_at < until then
    perform app_private.enqueue(
      'fire_sla_escalation', clock.organization_id, jsonb_build_object('slaCalculationId', clock.id),
      run_at => clock.escalates_at, job_key => 'fire_sla_escalation:' || clock.id
    );
  end if;
end
$$;

comment on function app_private.schedule_sla_clock(app_public.sla_calculations, timestamptz) is 'Gives a clock that runs its jobs until an instant.';

-- Only what is due within five minutes gets its job here; schedule_sla_breaches does the same each minute for the rest.
-- A job for each clock from the start would cost a third of opening a ticket, and most are met before they are due.
create or replace trigger _900_schedule_on_insert after insert on app_public.sla_calculations
  for each row
  when (
    NEW.met_at is null and NEW.paused_at is null
    and ((NEW.breached_at is null and NEW.due_at < now() + interval '5 minutes') or NEW.escalates_at < now() + interval '5 minutes')
  )
  execute function app_private.tg_sla_calculations__schedule();

create or replace trigger _900_schedule_on_update
  after update of due_at, paused_at, met_at, escalates_at, fired_escalation_ids on app_public.sla_calculations
  for each row
  when (
    NEW.met_at is null and NEW.paused_at is null
    and ((NEW.breached_at is null and NEW.due_at < now() + interval '5 minutes') or NEW.escalates_at < now() + interval '5 minutes')
  )
  execute function app_private.tg_sla_calculations__schedule();

create or replace function app_private.lock_ticket_of_clock(sla_calculation_id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  select
  from app_public.tickets as ticket
  where ticket.organization_id = app_hidden.current_organization_id()
    and ticket.id = (
      select clock.ticket_id from app_public.sla_calculations as clock
      where clock.organization_id = app_hidden.current_organization_id() and clock.id = sla_calculation_id
    )
  for no key update
$$;

comment on function app_private.lock_ticket_of_clock(uuid) is
  'Waits for whoever changes the ticket of a clock. Tickets are locked before their clocks everywhere, so that nobody waits in a circle.';

create or replace function app_private.record_sla_breaches(sla_calculation_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  late app_public.sla_calculations;
  -- A constant, because an index is not asked with what may change meanwhile.
  until constant timestamptz := clock_timestamp();
  recorded integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Breaches are recorded for one organization at a time';
  end if;
  if sla_calculation_id is not null then
    perform app_private.lock_ticket_of_clock(sla_calculation_id);
  end if;

  for late in
    -- Materialized, because a plan made without statistics looked for the overdue ones anew for each clock there is.
    with overdue as materialized (
      select due.id
      from app_public.sla_calculations as due
      join app_public.tickets as ticket on ticket.organization_id = due.organization_id and ticket.id = due.ticket_id
      where due.organization_id = app_hidden.current_organization_id()
        and due.met_at is null and due.paused_at is null and due.breached_at is null
        and due.due_at <= until
        and (sla_calculation_id is null or due.id = sla_calculation_id)
      order by due.due_at
      limit 1000
      for no key update of due, ticket skip locked
    )
    update app_public.sla_calculations as clock
    set breached_at = clock.due_at
    from overdue
    where clock.organization_id = app_hidden.current_organization_id() and clock.id = overdue.id
    returning clock.*
  loop
    perform app_private.record_sla_event(late, 'sla_breached', late.breached_at);
    perform app_private.refresh_ticket_clocks(late.organization_id, late.ticket_id);
    recorded := recorded + 1;
  end loop;
  return recorded;
end
$$;

comment on function app_private.record_sla_breaches(uuid) is
  'Records the targets of the current organization that are overdue, up to 1,000, or one of them, each with the instant it was due, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.fire_sla_escalations(sla_calculation_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  clock app_public.sla_calculations;
  level app_public.sla_escalations;
  next record;
  policy_name text;
  refusal text;
  fired integer := 0;
  until timestamptz;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Escalations fire for one organization at a time';
  end if;
  if sla_calculation_id is not null then
    perform app_private.lock_ticket_of_clock(sla_calculation_id);
  end if;

  -- One after the other by their instants, also those of one clock that were missed together.
  while fired < 1000 loop
    until := clock_timestamp();
    select due.* into clock
    from app_public.sla_calculations as due
    join app_public.tickets as ticket on ticket.organization_id = due.organization_id and ticket.id = due.ticket_id
    where due.organization_id = app_hidden.current_organization_id()
      and due.escalates_at <= until
      and (sla_calculation_id is null or due.id = sla_calculation_id)
    order by due.escalates_at
    limit 1
    for no key update of due, ticket skip locked;
    exit when not found;

    select * into next from app_private.next_sla_escalation(clock);
    level := next.escalation;
    -- The levels were changed since it was planned.
    if level.id is null or next.at > until then
      update app_public.sla_calculations as planned
      set escalates_at = next.at
      where planned.organization_id = clock.organization_id and planned.id = clock.id;
      continue;
    end if;

    update app_public.sla_calculations as firing
    set fired_escalation_ids = firing.fired_escalation_ids || level.id
    where firing.organization_id = clock.organization_id and firing.id = clock.id;

    select policy.name into policy_name
    from app_public.sla_policies as policy
    where policy.organization_id = level.organization_id and policy.id = level.policy_id;
    perform set_config('atum.actor_name', policy_name, true);

    refusal := null;
    begin
      perform app_hidden.apply_ticket_actions(clock.ticket_id, level.actions);
    exception
      -- What cannot be done to the ticket any more, such as assigning it to somebody who left, is told and holds nothing up.
      when sqlstate '42501' or integrity_constraint_violation or data_exception then
        refusal := sqlstate;
      when others then
        if sqlstate !~ '^AD1' then
          raise;
        end if;
        refusal := sqlstate;
    end;

    insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_name, after, created_at)
    values (
      clock.organization_id, clock.ticket_id,
      case when level.offset_seconds < 0 then 'sla_warned' else 'sla_escalated' end::app_public.ticket_event_type,
      'internal', policy_name,
      jsonb_strip_nulls(jsonb_build_object(
        'kind', clock.kind, 'due_at', clock.due_at, 'offset_seconds', level.offset_seconds, 'refused', refusal
      )),
      next.at
    );
    fired := fired + 1;
  end loop;
  perform set_config('atum.actor_name', '', true);
  return fired;
end
$$;

comment on function app_private.fire_sla_escalations(uuid) is
  'Does what the warnings and levels of the current organization say whose instant has come, up to 1,000, or those of one clock, in their order, in the name of their policy, and returns how many. Each is an event at the very instant. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.schedule_sla_breaches() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  soon app_public.sla_calculations;
  since constant timestamptz := clock_timestamp();
  until constant timestamptz := since + interval '5 minutes';
  scheduled integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Breaches are scheduled for one organization at a time';
  end if;

  for soon in
    select *
    from app_public.sla_calculations as clock
    where clock.organization_id = app_hidden.current_organization_id()
      and clock.met_at is null and clock.paused_at is null and clock.breached_at is null
      and clock.due_at > since and clock.due_at < until
    union
    select *
    from app_public.sla_calculations as clock
    where clock.organization_id = app_hidden.current_organization_id()
      and clock.escalates_at > since and clock.escalates_at < until
  loop
    perform app_private.schedule_sla_clock(soon, until);
    scheduled := scheduled + 1;
  end loop;
  return scheduled;
end
$$;

comment on function app_private.schedule_sla_breaches() is
  'Gives each clock of the current organization that is due or escalates within five minutes its job at that very second, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace trigger _100_stamp_updated_at before update on app_public.sla_calculations
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.next_sla_escalation(app_public.sla_calculations), app_private.tg_sla_calculations__plan_escalation(),
  app_private.tg_sla_escalations__refuse(), app_private.tg_sla_calculations__schedule(),
  app_private.schedule_sla_clock(app_public.sla_calculations, timestamptz), app_private.lock_ticket_of_clock(uuid),
  app_private.record_sla_breaches(uuid), app_private.fire_sla_escalations(uuid), app_private.schedule_sla_breaches()
from public;

grant execute on function
  app_private.record_sla_breaches(uuid), app_private.fire_sla_escalations(uuid), app_private.schedule_sla_breaches()
to atum_worker;
