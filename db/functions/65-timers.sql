-- Time that is measured while it is worked.

create or replace function app_public.current_timer() returns app_public.running_timers
  language sql stable
  set search_path = ''
as $$
  select *
  from app_public.running_timers
  where organization_id = (select app_hidden.current_organization_id()) and agent_id = (select app_hidden.current_user_id())
$$;

comment on function app_public.current_timer() is 'The timer of the caller, or null when none runs. Staff only.';

create or replace function app_private.end_timer(
  timer app_public.running_timers, note text default null, activity_id uuid default null, is_billable boolean default null
) returns app_public.time_entries
  language plpgsql volatile
  set search_path = ''
as $$
declare
  longest constant interval := '24 hours';
  -- Whoever waited for a lock began before what was locked.
  ended_at constant timestamptz := least(greatest(now(), timer.started_at), timer.started_at + longest);
  activity app_public.time_activities;
  ticket app_public.tickets;
  made app_public.time_entries;
begin
  delete from app_public.running_timers as running
  where running.organization_id = timer.organization_id and running.id = timer.id;

  -- Of a ticket that was merged meanwhile the work goes on in the other one, and is seen by whoever sees that.
  select * into strict ticket
  from app_public.tickets as worked
  where worked.organization_id = timer.organization_id and worked.id = timer.ticket_id
  for no key update;
  while ticket.merged_into_id is not null loop
    select * into strict ticket
    from app_public.tickets as target
    where target.organization_id = timer.organization_id and target.id = ticket.merged_into_id
    for no key update;
  end loop;

  activity := app_private.time_activity_to_use(end_timer.activity_id);
  insert into app_public.time_entries (
    organization_id, ticket_id, agent_id, activity_id, worked_on, seconds, started_at, ended_at, is_billable, note, origin, is_capped
  )
  values (
    timer.organization_id, ticket.id, timer.agent_id, coalesce(activity.id, timer.activity_id), app_private.local_day(timer.started_at),
    greatest(1, round(extract(epoch from ended_at - timer.started_at))), timer.started_at, ended_at,
    coalesce(end_timer.is_billable, timer.is_billable), coalesce(btrim(end_timer.note), timer.note), 'timer',
    now() >= timer.started_at + longest
  )
  returning * into made;
  perform app_private.record_ticket_event(ticket, 'time_recorded', app_private.time_words(made));
  return made;
end
$$;

comment on function app_private.end_timer(app_public.running_timers, text, uuid, boolean) is
  'Stops a timer and records what it measured: at least a second, at most a day. Errors: NOT_FOUND, TIME_ACTIVITY_ARCHIVED.';

create or replace function app_private.own_timer(timer_id uuid) returns app_public.running_timers
  language plpgsql volatile
  set search_path = ''
as $$
declare
  timer app_public.running_timers;
begin
  select * into timer
  from app_public.running_timers as running
  where running.organization_id = app_hidden.current_organization_id() and running.agent_id = app_hidden.current_user_id()
    and running.id = own_timer.timer_id
  for update;
  if not found then
    raise exception using errcode = 'AD101', message = 'This timer does not run';
  end if;
  return timer;
end
$$;

comment on function app_private.own_timer(uuid) is 'A timer of the caller, locked until the end of the transaction. Error NOT_FOUND.';

create or replace function app_public.start_timer(
  ticket_id uuid, activity_id uuid default null, is_billable boolean default null, note text default ''
) returns app_public.running_timers
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
  ticket app_public.tickets;
  activity app_public.time_activities;
  timer app_public.running_timers;
begin
  -- One after the other for one person: there is no row to lock before the first.
  perform pg_advisory_xact_lock(hashtextextended('running_timers:' || caller_id::text, 0));
  select * into timer
  from app_public.running_timers as running
  where running.organization_id = caller_organization_id and running.agent_id = caller_id
  for update;

  -- Both tickets in one order, so that two people who change places do not wait for each other.
  perform
  from app_public.tickets as locked
  where locked.organization_id = caller_organization_id and locked.id in (start_timer.ticket_id, timer.ticket_id)
  order by locked.id
  for no key update;
  ticket := app_private.ticket_to_work_on(start_timer.ticket_id);
  if ticket.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; work there';
  end if;
  -- The second of two tabs.
  if timer.ticket_id = ticket.id then
    return timer;
  end if;

  activity := app_private.time_activity_to_use(start_timer.activity_id);
  if timer.id is not null then
    perform app_private.end_timer(timer);
  end if;
  insert into app_public.running_timers (organization_id, agent_id, ticket_id, activity_id, is_billable, note)
  values (
    caller_organization_id, caller_id, ticket.id, activity.id,
    coalesce(start_timer.is_billable, activity.is_billable, true), btrim(coalesce(start_timer.note, ''))
  )
  returning * into timer;
  perform app_private.enqueue(
    'stop_forgotten_timer', timer.organization_id, jsonb_build_object('timerId', timer.id),
    run_at => timer.started_at + interval '24 hours',
    -- One a person, as of timers: that of the one before has nothing to stop.
    job_key => 'stop_forgotten_timer:' || caller_id
  );
  return timer;
end
$$;

comment on function app_public.start_timer(uuid, uuid, boolean, text) is
  'Starts the timer of the caller on a ticket and returns it. One that runs on another ticket is stopped and recorded first; one that runs on this ticket is returned as it is. After 24 hours it stops by itself. Staff only. Errors: NOT_FOUND, TICKET_MERGED, TIME_ACTIVITY_ARCHIVED, INVALID_INPUT.';

create or replace function app_public.stop_timer(
  timer_id uuid, note text default null, activity_id uuid default null, is_billable boolean default null
) returns app_public.time_entries
  language sql volatile security definer
  set search_path = ''
as $$
  select *
  from app_private.end_timer(app_private.own_timer(stop_timer.timer_id), stop_timer.note, stop_timer.activity_id, stop_timer.is_billable)
$$;

comment on function app_public.stop_timer(uuid, text, uuid, boolean) is
  'Stops the timer of the caller, records what it measured, and returns the entry. What is not given is as when it was started. Time on a ticket that was merged meanwhile is recorded on the one in which it goes on. Staff only. Errors: NOT_FOUND for a timer that does not run any more, TIME_ACTIVITY_ARCHIVED, INVALID_INPUT.';

create or replace function app_public.discard_timer(timer_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  timer constant app_public.running_timers := app_private.own_timer(timer_id);
begin
  delete from app_public.running_timers as running
  where running.organization_id = timer.organization_id and running.id = timer.id;
  return true;
end
$$;

comment on function app_public.discard_timer(uuid) is 'Stops the timer of the caller and records nothing. Staff only. Error NOT_FOUND for a timer that does not run any more.';

create or replace function app_private.stop_forgotten_timer(timer_id uuid) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  timer app_public.running_timers;
begin
  select * into timer
  from app_public.running_timers as running
  where running.organization_id = app_hidden.current_organization_id() and running.id = stop_forgotten_timer.timer_id
    and running.started_at <= now() - interval '24 hours'
  for update;
  if found then
    perform app_private.end_timer(timer);
  end if;
end
$$;

comment on function app_private.stop_forgotten_timer(uuid) is 'Stops a timer that runs for a day, if it still does, and records the day.';

revoke all on function
  app_public.current_timer(), app_private.end_timer(app_public.running_timers, text, uuid, boolean), app_private.own_timer(uuid),
  app_public.start_timer(uuid, uuid, boolean, text), app_public.stop_timer(uuid, text, uuid, boolean), app_public.discard_timer(uuid),
  app_private.stop_forgotten_timer(uuid)
from public;

grant execute on function
  app_public.current_timer(), app_public.start_timer(uuid, uuid, boolean, text), app_public.stop_timer(uuid, text, uuid, boolean),
  app_public.discard_timer(uuid)
to atum_agent;
grant execute on function app_private.stop_forgotten_timer(uuid) to atum_worker;
