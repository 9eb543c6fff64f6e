-- The clocks of a ticket: they follow the spine, one step for each event.

create or replace function app_private.start_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  policy app_public.sla_policies;
  calendar jsonb;
begin
  select * into ticket from app_public.tickets where organization_id = event.organization_id and id = event.ticket_id;

  select * into policy
  from app_public.sla_policies
  where organization_id = event.organization_id and archived_at is null
  order by position, id
  limit 1;
  if not found then
    return;
  end if;
  calendar := app_hidden.calendar_of(policy);

  insert into app_public.sla_calculations
    (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, due_at, paused_at)
  select
    target.organization_id, event.ticket_id, target.kind, policy.id, target.working_seconds, event.created_at,
    app_hidden.business_due_at(calendar, event.created_at, target.working_seconds),
    case when target.kind = 'resolution' and ticket.status in ('pending', 'on_hold') then event.created_at end
  from app_public.sla_targets as target
  where target.organization_id = event.organization_id and target.policy_id = policy.id and target.priority = ticket.priority;
end
$$;

comment on function app_private.start_sla_clocks(app_public.ticket_events) is 'Starts the clocks of a new ticket by the first policy that applies.';

create or replace function app_private.calendar_of_clock(clock app_public.sla_calculations) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    (
      select app_hidden.calendar_of(policy)
      from app_public.sla_policies as policy
      where policy.organization_id = clock.organization_id and policy.id = clock.policy_id
    ),
    '{"tz": "Etc/UTC", "hours": "always_open"}'
  )
$$;

comment on function app_private.calendar_of_clock(app_public.sla_calculations) is 'The calendar a clock is counted on; around the clock when its policy is gone.';

create or replace function app_private.record_sla_event(clock app_public.sla_calculations, type app_public.ticket_event_type, at timestamptz)
  returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, after, created_at)
  values (
    clock.organization_id, clock.ticket_id, record_sla_event.type, 'internal',
    jsonb_build_object('kind', clock.kind, 'due_at', clock.due_at), at
  )
$$;

comment on function app_private.record_sla_event(app_public.sla_calculations, app_public.ticket_event_type, timestamptz) is 'Tells the spine what became of a promise.';

create or replace function app_private.meet_sla_clock(clock app_public.sla_calculations, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  met app_public.sla_calculations;
  calendar constant jsonb := app_private.calendar_of_clock(clock);
begin
  update app_public.sla_calculations
  set
    -- A clock that stood still when it was met stood still until then.
    paused = case when paused_at < at then paused + tstzmultirange(tstzrange(paused_at, at)) else paused end,
    paused_at = null,
    met_at = at,
    breached_at = case when breached_at is null and paused_at is null and due_at < at then due_at else breached_at end,
    elapsed_seconds = app_hidden.business_seconds(
      calendar, started_at, at,
      case when paused_at < at then paused + tstzmultirange(tstzrange(paused_at, at)) else paused end
    )
  where organization_id = clock.organization_id and id = clock.id
  returning * into met;

  -- The worker was away when it was due: the miss is recorded with its true instant all the same.
  if met.breached_at is not null and clock.breached_at is null then
    perform app_private.record_sla_event(met, 'sla_breached', met.breached_at);
  end if;
  if met.breached_at is null then
    perform app_private.record_sla_event(met, 'sla_met', at);
  end if;
end
$$;

comment on function app_private.meet_sla_clock(app_public.sla_calculations, timestamptz) is 'Stops a clock because the promise was kept, in time or late.';

create or replace function app_private.resume_sla_clock(clock app_public.sla_calculations, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  since constant timestamptz := coalesce(clock.paused_at, clock.met_at);
  pauses constant tstzmultirange :=
    case when since < at then clock.paused + tstzmultirange(tstzrange(since, at)) else clock.paused end;
begin
  update app_public.sla_calculations
  set
    paused = pauses,
    paused_at = null,
    met_at = null,
    elapsed_seconds = null,
    due_at = app_hidden.business_due_at(app_private.calendar_of_clock(clock), started_at, target_seconds, pauses)
  where organization_id = clock.organization_id and id = clock.id;
end
$$;

comment on function app_private.resume_sla_clock(app_public.sla_calculations, timestamptz) is 'Lets a clock run again after a pause, or after the ticket was reopened: the time between counts as a pause.';

create or replace function app_private.pause_sla_clock(clock app_public.sla_calculations, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.sla_calculations
  set
    paused_at = at,
    -- It was due before it was paused, and the worker has not been here yet.
    breached_at = case when clock.breached_at is null and clock.due_at <= at then clock.due_at else clock.breached_at end
  where organization_id = clock.organization_id and id = clock.id;

  if clock.breached_at is null and clock.due_at <= at then
    perform app_private.record_sla_event(clock, 'sla_breached', clock.due_at);
  end if;
end
$$;

comment on function app_private.pause_sla_clock(app_public.sla_calculations, timestamptz) is 'Lets a clock stand still.';

create or replace function app_private.retarget_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.sla_calculations as clock
  set
    target_seconds = recomputed.target_seconds,
    due_at = recomputed.due_at,
    -- A promise that was broken is not unbroken by changing the promise, unless the new one is still open.
    breached_at = case when recomputed.due_at > event.created_at then null else clock.breached_at end
  from (
    select
      running.id,
      target.working_seconds as target_seconds,
      app_hidden.business_due_at(
        app_private.calendar_of_clock(running), running.started_at, target.working_seconds, running.paused
      ) as due_at
    from app_public.sla_calculations as running
    join app_public.sla_targets as target
      on target.organization_id = running.organization_id
      and target.policy_id = running.policy_id
      and target.kind = running.kind
    where running.organization_id = event.organization_id
      and running.ticket_id = event.ticket_id
      and running.met_at is null
      and target.priority = (event.after ->> 'priority')::app_public.ticket_priority
  ) as recomputed
  where clock.organization_id = event.organization_id and clock.id = recomputed.id;
end
$$;

comment on function app_private.retarget_sla_clocks(app_public.ticket_events) is 'Counts the clocks that still run again from their start with the targets of the new priority; their pauses stay.';

create or replace function app_private.follow_status_with_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  clock app_public.sla_calculations;
  was constant app_public.ticket_status := (event.before ->> 'status')::app_public.ticket_status;
  became constant app_public.ticket_status := (event.after ->> 'status')::app_public.ticket_status;
begin
  if was in ('resolved', 'closed') and became in ('resolved', 'closed') then
    return;
  end if;

  for clock in
    select * from app_public.sla_calculations
    where organization_id = event.organization_id and ticket_id = event.ticket_id
    order by kind
    for update
  loop
    if became in ('resolved', 'closed') then
      -- The end of a ticket answers every promise that was still open.
      if clock.met_at is null then
        perform app_private.meet_sla_clock(clock, event.created_at);
      end if;
    elsif clock.kind = 'resolution' then
      if (clock.paused_at is not null or was in ('resolved', 'closed')) and became not in ('pending', 'on_hold') then
        perform app_private.resume_sla_clock(clock, event.created_at);
      elsif was in ('resolved', 'closed') then
        perform app_private.resume_sla_clock(clock, event.created_at);
        perform app_private.pause_sla_clock(reopened, event.created_at)
        from app_public.sla_calculations as reopened
        where reopened.organization_id = clock.organization_id and reopened.id = clock.id;
      elsif clock.paused_at is null and became in ('pending', 'on_hold') then
        perform app_private.pause_sla_clock(clock, event.created_at);
      end if;
    end if;
  end loop;
end
$$;

comment on function app_private.follow_status_with_sla_clocks(app_public.ticket_events) is 'Pauses, resumes, ends and reopens the clocks as a ticket''s status moves.';

-- What the ticket itself shows of its clocks, and the job at the very second the next one is due.
create or replace function app_private.refresh_ticket_clocks(organization_id uuid, ticket_id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.tickets as ticket
  set next_due_at = clocks.next_due_at, breached = clocks.breached
  from (
    select
      min(clock.due_at) filter (where clock.met_at is null and clock.paused_at is null and clock.breached_at is null) as next_due_at,
      coalesce(bool_or(clock.breached_at is not null), false) as breached
    from app_public.sla_calculations as clock
    where clock.organization_id = refresh_ticket_clocks.organization_id and clock.ticket_id = refresh_ticket_clocks.ticket_id
  ) as clocks
  where ticket.organization_id = refresh_ticket_clocks.organization_id
    and ticket.id = refresh_ticket_clocks.ticket_id
    and (ticket.next_due_at, ticket.breached) is distinct from (clocks.next_due_at, clocks.breached)
$$;

comment on function app_private.refresh_ticket_clocks(uuid, uuid) is 'Copies the earliest running due time and whether any target was missed to the ticket.';

create or replace function app_private.tg_ticket_events__follow_with_sla_clocks() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  clock app_public.sla_calculations;
begin
  case NEW.type
    when 'ticket_created' then
      perform app_private.start_sla_clocks(NEW);
    when 'priority_changed' then
      perform app_private.retarget_sla_clocks(NEW);
    when 'status_changed' then
      perform app_private.follow_status_with_sla_clocks(NEW);
    when 'comment_added' then
      if NEW.visibility = 'internal' then
        return null;
      end if;
      select waiting.* into clock
      from app_public.sla_calculations as waiting
      join app_public.tickets as ticket on ticket.organization_id = waiting.organization_id and ticket.id = waiting.ticket_id
      join app_public.users as author on author.organization_id = waiting.organization_id and author.id = NEW.actor_id
      where waiting.organization_id = NEW.organization_id
        and waiting.ticket_id = NEW.ticket_id
        and waiting.kind = 'first_response'
        and waiting.met_at is null
        and author.role <> 'customer'
        and author.id <> ticket.requester_id;
      if not found then
        return null;
      end if;
      perform app_private.meet_sla_clock(clock, NEW.created_at);
    else
      return null;
  end case;

  perform app_private.refresh_ticket_clocks(NEW.organization_id, NEW.ticket_id);
  return null;
end
$$;

comment on function app_private.tg_ticket_events__follow_with_sla_clocks() is 'Moves the clocks of a ticket when something happened to it.';

create or replace trigger _500_follow_with_sla_clocks after insert on app_public.ticket_events
  for each row
  when (NEW.type in ('ticket_created', 'priority_changed', 'status_changed', 'comment_added'))
  execute function app_private.tg_ticket_events__follow_with_sla_clocks();

create or replace function app_private.tg_sla_calculations__schedule() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue(
    'record_sla_breach', NEW.organization_id, jsonb_build_object('slaCalculationId', NEW.id),
    run_at => NEW.due_at, job_key => 'record_sla_breach:' || NEW.id
  );
  return null;
end
$$;

comment on function app_private.tg_sla_calculations__schedule() is 'Has a job run at the instant a clock is due, when that is soon.';

-- Only what is due within five minutes gets its job here; schedule_sla_breaches does the same each minute for the rest.
-- A job for each clock from the start would cost a third of opening a ticket, and most are met before they are due.
create or replace trigger _900_schedule_on_insert after insert on app_public.sla_calculations
  for each row
  when (NEW.met_at is null and NEW.paused_at is null and NEW.breached_at is null and NEW.due_at < now() + interval '5 minutes')
  execute function app_private.tg_sla_calculations__schedule();

create or replace trigger _900_schedule_on_update after update of due_at, paused_at, met_at on app_public.sla_calculations
  for each row
  when (NEW.met_at is null and NEW.paused_at is null and NEW.breached_at is null and NEW.due_at < now() + interval '5 minutes')
  execute function app_private.tg_sla_calculations__schedule();

-- What the worker calls, with the claims of the organization.

create or replace function app_private.record_sla_breaches(sla_calculation_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  late app_public.sla_calculations;
  recorded integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Breaches are recorded for one organization at a time';
  end if;

  for late in
    update app_public.sla_calculations as clock
    set breached_at = clock.due_at
    from (
      select due.id
      from app_public.sla_calculations as due
      where due.organization_id = app_hidden.current_organization_id()
        and due.met_at is null and due.paused_at is null and due.breached_at is null
        and due.due_at <= clock_timestamp()
        and (sla_calculation_id is null or due.id = sla_calculation_id)
      order by due.due_at
      limit 1000
      for update skip locked
    ) as overdue
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
  'Records the targets of the current organization that are overdue, or one of them, each with the instant it was due, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.schedule_sla_breaches() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  soon app_public.sla_calculations;
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
      and clock.due_at > clock_timestamp()
      and clock.due_at < clock_timestamp() + interval '5 minutes'
  loop
    perform app_private.enqueue(
      'record_sla_breach', soon.organization_id, jsonb_build_object('slaCalculationId', soon.id),
      run_at => soon.due_at, job_key => 'record_sla_breach:' || soon.id
    );
    scheduled := scheduled + 1;
  end loop;
  return scheduled;
end
$$;

comment on function app_private.schedule_sla_breaches() is
  'Gives each clock of the current organization that is due within five minutes its job at that very second, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.start_sla_clocks(app_public.ticket_events), app_private.calendar_of_clock(app_public.sla_calculations),
  app_private.record_sla_event(app_public.sla_calculations, app_public.ticket_event_type, timestamptz),
  app_private.meet_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.resume_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.pause_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.retarget_sla_clocks(app_public.ticket_events), app_private.follow_status_with_sla_clocks(app_public.ticket_events),
  app_private.refresh_ticket_clocks(uuid, uuid), app_private.tg_ticket_events__follow_with_sla_clocks(),
  app_private.tg_sla_calculations__schedule(), app_private.record_sla_breaches(uuid),
  app_private.schedule_sla_breaches()
from public;

grant execute on function app_private.record_sla_breaches(uuid), app_private.schedule_sla_breaches() to atum_worker;
