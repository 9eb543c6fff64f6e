-- The clocks of a ticket: they follow the spine, one step for each event.

create or replace function app_private.match_sla_policy(ticket app_public.tickets) returns app_public.sla_policies
  language sql stable
  set search_path = ''
as $$
  select *
  from app_public.sla_policies as policy
  where policy.organization_id = ticket.organization_id and policy.archived_at is null
    and (policy.priorities = '{}' or ticket.priority = any (policy.priorities))
    and (policy.service_ids = '{}' or ticket.service_id = any (policy.service_ids))
    and (policy.team_ids = '{}' or ticket.team_id = any (policy.team_ids))
    and (policy.company_ids = '{}' or ticket.company_id = any (policy.company_ids))
    and (policy.channels = '{}' or ticket.channel = any (policy.channels))
    and (policy.tags = '{}' or policy.tags && ticket.tags)
  order by policy.position, policy.id
  limit 1
$$;

comment on function app_private.match_sla_policy(app_public.tickets) is 'The first policy whose conditions a ticket meets, or null.';

create or replace function app_hidden.calendar_as_json(calendar app_public.sla_calendars) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'tz', calendar.time_zone,
    'hours', calendar.hours,
    'holidays', coalesce((
      select jsonb_agg(
        case
          when holiday.shut_from is not null then
            jsonb_build_object('date', day.first, 'from', holiday.shut_from, 'to', holiday.shut_until)
          when holiday.held_until is null then to_jsonb(day.first)
          else jsonb_build_object('from', day.first, 'to', day.last)
        end
        order by holiday.held_on
      )
      from app_public.sla_holidays as holiday
      cross join lateral (values (case when holiday.repeats_yearly then 'MM-DD' else 'YYYY-MM-DD' end)) as form (pattern)
      cross join lateral (
        select to_char(holiday.held_on, form.pattern) as first, to_char(holiday.held_until, form.pattern) as last
      ) as day
      where holiday.organization_id = calendar.organization_id and holiday.calendar_id = calendar.id
    ), '[]')
  )
$$;

comment on function app_hidden.calendar_as_json(app_public.sla_calendars) is 'A calendar with its holidays in the shape the arithmetic takes.';

create or replace function app_hidden.calendar_of(policy app_public.sla_policies) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select app_hidden.calendar_as_json(calendar)
  from app_public.sla_calendars as calendar
  where calendar.organization_id = policy.organization_id and calendar.id = policy.calendar_id
$$;

comment on function app_hidden.calendar_of(app_public.sla_policies) is 'The calendar of a policy in the shape the arithmetic takes.';

create or replace function app_private.clock_due_at(
  calendar jsonb, started_at timestamptz, target_seconds bigint, paused tstzmultirange default '{}'
) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  -- A calendar that is hardly ever open refuses no ticket.
  select coalesce(
    (app_hidden.business_walk(calendar, started_at, target_seconds * 1e6::double precision, null, paused)).reached_at,
    started_at + interval '120 years'
  )
$$;

comment on function app_private.clock_due_at(jsonb, timestamptz, bigint, tstzmultirange) is 'When a clock is due: what business_due_at says, or in 120 years where it refuses.';

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
  policy := app_private.match_sla_policy(ticket);
  if policy.id is null then
    return;
  end if;
  calendar := app_hidden.calendar_of(policy);

  insert into app_public.sla_calculations
    (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, due_at, paused_at)
  select
    target.organization_id, event.ticket_id, target.kind, policy.id, target.working_seconds, event.created_at,
    app_private.clock_due_at(calendar, event.created_at, target.working_seconds),
    case when target.kind = 'resolution' and ticket.status in ('pending', 'on_hold') then event.created_at end
  from app_public.sla_targets as target
  where target.organization_id = event.organization_id and target.policy_id = policy.id and target.priority = ticket.priority
    and target.kind <> 'next_response';
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
    due_at = app_private.clock_due_at(app_private.calendar_of_clock(clock), started_at, target_seconds, pauses)
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

create or replace function app_private.follow_status_with_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  clock app_public.sla_calculations;
  was constant app_public.ticket_status := (event.before ->> 'status')::app_public.ticket_status;
  became constant app_public.ticket_status := (event.after ->> 'status')::app_public.ticket_status;
  is_merged constant boolean := exists (
    select
    from app_public.tickets as ticket
    where ticket.organization_id = event.organization_id and ticket.id = event.ticket_id and ticket.merged_into_id is not null
  );
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
    if is_merged then
      -- It goes on elsewhere: nothing was kept here, and nothing can be broken here any more.
      if clock.met_at is null then
        perform app_private.leave_sla_clock(clock, event.created_at);
      end if;
    elsif became in ('resolved', 'closed') then
      -- The end of a ticket answers every promise that was still open.
      if clock.met_at is null then
        perform app_private.meet_sla_clock(clock, event.created_at);
      end if;
    elsif clock.left_at is not null then
      perform app_private.rejoin_sla_clock(clock, became, event.created_at);
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

comment on function app_private.follow_status_with_sla_clocks(app_public.ticket_events) is 'Pauses, resumes, ends and reopens the clocks as a ticket''s status moves, and takes them out of a ticket that is merged.';

create or replace function app_private.leave_sla_clock(clock app_public.sla_calculations, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if clock.paused_at is null then
    perform app_private.pause_sla_clock(clock, at);
  end if;
  update app_public.sla_calculations
  set left_at = at
  where organization_id = clock.organization_id and id = clock.id;
end
$$;

comment on function app_private.leave_sla_clock(app_public.sla_calculations, timestamptz) is 'Takes a clock that runs or stands still out of the service level.';

create or replace function app_private.rejoin_sla_clock(
  clock app_public.sla_calculations, status app_public.ticket_status, at timestamptz
) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.sla_calculations
  set left_at = null
  where organization_id = clock.organization_id and id = clock.id;

  if clock.kind <> 'resolution' or status not in ('pending', 'on_hold') then
    perform app_private.resume_sla_clock(clock, at);
  end if;
end
$$;

comment on function app_private.rejoin_sla_clock(app_public.sla_calculations, app_public.ticket_status, timestamptz) is
  'Brings a clock back that was taken out: the time between counts as a pause.';

create or replace function app_private.follow_comment_with_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  by_staff boolean;
  policy app_public.sla_policies;
begin
  select * into ticket from app_public.tickets where organization_id = event.organization_id and id = event.ticket_id;
  select author.role <> 'customer' and author.id <> ticket.requester_id into by_staff
  from app_public.users as author
  where author.organization_id = event.organization_id and author.id = event.actor_id;

  if by_staff then
    perform app_private.meet_sla_clock(clock, event.created_at)
    from app_public.sla_calculations as clock
    where clock.organization_id = event.organization_id and clock.ticket_id = event.ticket_id
      and clock.kind in ('first_response', 'next_response') and clock.met_at is null and clock.left_at is null;
  elsif not by_staff and ticket.first_responded_at is not null and ticket.merged_into_id is null then
    policy := app_private.match_sla_policy(ticket);
    -- What waits already waits since the first word: another one does not move it.
    insert into app_public.sla_calculations as clock
      (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, due_at)
    select
      target.organization_id, event.ticket_id, target.kind, policy.id, target.working_seconds, event.created_at,
      app_private.clock_due_at(app_hidden.calendar_of(policy), event.created_at, target.working_seconds)
    from app_public.sla_targets as target
    where target.organization_id = event.organization_id and target.policy_id = policy.id and target.priority = ticket.priority
      and target.kind = 'next_response'
    on conflict on constraint sla_calculations_organization_id_ticket_id_kind_key do update
      set
        policy_id = excluded.policy_id, target_seconds = excluded.target_seconds, started_at = excluded.started_at,
        due_at = excluded.due_at, paused = '{}', paused_at = null, met_at = null, breached_at = null, elapsed_seconds = null,
        fired_escalation_ids = '{}'
      where clock.met_at is not null;
  end if;
end
$$;

comment on function app_private.follow_comment_with_sla_clocks(app_public.ticket_events) is
  'A public answer of staff meets the responses that are waited for; what the customer says after one starts the next.';

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
begin
  case NEW.type
    when 'ticket_created' then
      perform app_private.start_sla_clocks(NEW);
    when 'status_changed' then
      perform app_private.follow_status_with_sla_clocks(NEW);
    when 'comment_added' then
      perform app_private.follow_comment_with_sla_clocks(NEW);
    when 'priority_changed', 'service_changed', 'team_changed', 'requester_changed', 'tags_changed' then
      perform app_private.retarget_sla_clocks(NEW.organization_id, NEW.ticket_id, NEW.created_at);
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
  when (
    NEW.type in (
      'ticket_created', 'status_changed', 'priority_changed', 'service_changed', 'team_changed', 'requester_changed', 'tags_changed'
    )
    or (NEW.type = 'comment_added' and NEW.visibility = 'public')
  )
  execute function app_private.tg_ticket_events__follow_with_sla_clocks();

revoke all on function
  app_private.match_sla_policy(app_public.tickets), app_hidden.calendar_as_json(app_public.sla_calendars),
  app_hidden.calendar_of(app_public.sla_policies),
  app_private.clock_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_private.start_sla_clocks(app_public.ticket_events), app_private.calendar_of_clock(app_public.sla_calculations),
  app_private.record_sla_event(app_public.sla_calculations, app_public.ticket_event_type, timestamptz),
  app_private.meet_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.resume_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.pause_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.leave_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.rejoin_sla_clock(app_public.sla_calculations, app_public.ticket_status, timestamptz),
  app_private.follow_status_with_sla_clocks(app_public.ticket_events),
  app_private.follow_comment_with_sla_clocks(app_public.ticket_events),
  app_private.refresh_ticket_clocks(uuid, uuid), app_private.tg_ticket_events__follow_with_sla_clocks()
from public;

grant execute on function app_hidden.calendar_as_json(app_public.sla_calendars) to atum_agent;
