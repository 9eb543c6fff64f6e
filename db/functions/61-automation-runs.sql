-- How automations run. What happens to a ticket is queued with the fact; one job a ticket answers it, in order. An answer
-- is one transaction: what an automation does, the line in its log and the end of the wait come together or not at all.

create or replace function app_private.tg_ticket_events__queue_automations() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  -- Nearly every event ends here.
  if not exists (
    select
    from app_public.automations as automation
    where automation.organization_id = NEW.organization_id and automation.is_enabled and NEW.type = any (automation.event_types)
  ) or exists (
    select from app_public.organizations as organization
    where organization.id = NEW.organization_id and organization.suspended_at is not null
  ) then
    return null;
  end if;

  insert into app_private.automation_queue (organization_id, ticket_id, event_id, chain)
  values (
    NEW.organization_id, NEW.ticket_id, NEW.id,
    coalesce(nullif(current_setting('atum.automation_chain', true), ''), '{}')::uuid[]
  );

  -- One job answers all that a transaction does to a ticket.
  if current_setting('atum.automation_ticket', true) is distinct from NEW.ticket_id::text then
    perform app_private.enqueue_automations(NEW.organization_id, NEW.ticket_id);
    perform set_config('atum.automation_ticket', NEW.ticket_id::text, true);
  end if;
  return null;
end
$$;

comment on function app_private.tg_ticket_events__queue_automations() is 'Has a job look what the automations make of an event, where there is one for its type.';

create or replace trigger _700_queue_automations after insert on app_public.ticket_events
  for each row
  when (NEW.type not in ('automation_fired', 'notice_sent'))
  execute function app_private.tg_ticket_events__queue_automations();

create or replace function app_private.enqueue_automations(organization_id uuid, ticket_id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'run_automations', organization_id, jsonb_build_object('ticketId', ticket_id), job_key => 'run_automations:' || ticket_id
  )
$$;

comment on function app_private.enqueue_automations(uuid, uuid) is 'Has a job answer what is queued for a ticket.';

create or replace function app_private.meets(ticket app_public.tickets, conditions jsonb) returns boolean
  language plpgsql stable
  set search_path = ''
as $$
declare
  meets boolean;
begin
  execute format(
    'select exists (select from app_public.tickets as ticket where ticket.organization_id = $1 and ticket.id = $2 and (%s))',
    app_hidden.ticket_condition_sql(conditions)
  ) into meets using ticket.organization_id, ticket.id;
  return meets;
end
$$;

comment on function app_private.meets(app_public.tickets, jsonb) is 'Whether a ticket, as it is now, is what conditions ask for. Error CONDITION_INVALID.';

create or replace function app_private.conditions_met(ticket app_public.tickets, conditions jsonb) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'all', conditions -> 'all',
    'any', (
      select jsonb_agg(condition.value order by condition.position)
      from jsonb_array_elements(conditions -> 'any') with ordinality as condition (value, position)
      where app_private.meets(ticket, jsonb_build_object('all', jsonb_build_array(condition.value)))
    )
  ))
$$;

comment on function app_private.conditions_met(app_public.tickets, jsonb) is 'Which of the conditions that a ticket meets are the reason.';

create or replace function app_private.automation_actor_of(event app_public.ticket_events) returns app_public.automation_actor
  language sql stable
  set search_path = ''
as $$
  select case
    when event.actor_id is null then 'system'
    when exists (
      select from app_public.users as actor
      where actor.organization_id = event.organization_id and actor.id = event.actor_id and actor.role <> 'customer'
    ) then 'staff'
    else 'customer'
  end::app_public.automation_actor
$$;

comment on function app_private.automation_actor_of(app_public.ticket_events) is 'By whom an event happened, in the words of automations.';

create or replace function app_private.act_by_automation(
  automation app_public.automations, ticket app_public.tickets, chain uuid[], out changes jsonb
)
  language plpgsql volatile
  set search_path = ''
as $$
declare
  -- Compared by what is there, because the instant of an event may be that of the fact it tells of.
  known constant uuid[] := array(
    select event.id from app_public.ticket_events as event
    where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id and event.created_at >= now()
  );
begin
  perform set_config('atum.actor_name', 'Automation: ' || automation.name, true);
  perform set_config('atum.automation_chain', (chain || automation.id)::text, true);

  perform app_hidden.apply_ticket_actions(ticket.id, automation.actions);

  select coalesce(jsonb_agg(
    jsonb_strip_nulls(jsonb_build_object('type', event.type, 'before', event.before, 'after', event.after)) order by event.created_at, event.id
  ), '[]')
  into changes
  from app_public.ticket_events as event
  where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id and event.created_at >= now()
    and event.id <> all (known);
end
$$;

comment on function app_private.act_by_automation(app_public.automations, app_public.tickets, uuid[]) is
  'Does to a ticket what an automation says, in its name, and returns the events that caused.';

create or replace function app_private.loop_of(automation app_public.automations, ticket app_public.tickets, chain uuid[])
  returns app_public.automation_stop
  language sql stable
  set search_path = ''
as $$
  select case
    when automation.id = any (chain) then 'own_event'
    when cardinality(chain) >= 5 then 'too_deep'
    when (
      select count(*)
      from app_public.automation_firings as firing
      where firing.organization_id = ticket.organization_id and firing.ticket_id = ticket.id and firing.automation_id = automation.id
        and firing.fired_at > now() - interval '1 hour' and firing.outcome = 'acted'
    ) >= 20 then 'too_often'
  end::app_public.automation_stop
$$;

comment on function app_private.loop_of(app_public.automations, app_public.tickets, uuid[]) is 'Why an automation must not act on a ticket now, or null when it may.';

create or replace function app_private.fire_automation(
  automation app_public.automations, ticket app_public.tickets, event_id uuid, chain uuid[]
) returns app_public.automation_outcome
  language plpgsql volatile
  set search_path = ''
as $$
declare
  firing app_public.automation_firings;
begin
  firing.stopped_because := app_private.loop_of(automation, ticket, chain);
  firing.changes := '[]';
  firing.matched := '{}';

  begin
    if not app_private.meets(ticket, automation.conditions) then
      return null;
    end if;
    firing.matched := app_private.conditions_met(ticket, automation.conditions);
    if firing.stopped_because is null then
      firing.changes := app_private.act_by_automation(automation, ticket, chain);
      firing.outcome := case firing.changes when '[]' then 'unchanged' else 'acted' end;
    else
      firing.outcome := 'loop_stopped';
    end if;
  exception
    -- What may go well the next time is tried again, with all of the job; what the database refuses is this one's alone.
    when others then
      if sqlstate ~ '^(08|40|53|57|58|XX)' or sqlstate = '55P03' then
        raise;
      end if;
      firing.outcome := 'refused';
      firing.error_code := sqlstate;
  end;

  -- What cannot stop is told once an hour.
  if firing.stopped_because = 'too_often' and exists (
    select
    from app_public.automation_firings as stopped
    where stopped.organization_id = ticket.organization_id and stopped.ticket_id = ticket.id
      and stopped.automation_id = automation.id and stopped.fired_at > now() - interval '1 hour'
      and stopped.stopped_because = 'too_often'
  ) then
    return firing.outcome;
  end if;

  insert into app_public.automation_firings (
    organization_id, automation_id, automation_name, ticket_id, event_id, outcome, matched, changes, stopped_because, error_code
  )
  values (
    ticket.organization_id, automation.id, automation.name, ticket.id, fire_automation.event_id, firing.outcome, firing.matched,
    firing.changes, firing.stopped_because, firing.error_code
  )
  returning id into firing.id;

  if firing.outcome = 'acted' then
    perform app_private.record_ticket_event(
      ticket, 'automation_fired',
      app_private.named_reference('automation', automation.id, automation.name) || jsonb_build_object('firing_id', firing.id)
    );
  end if;
  return firing.outcome;
end
$$;

comment on function app_private.fire_automation(app_public.automations, app_public.tickets, uuid, uuid[]) is
  'Has an automation act on a ticket if the ticket meets its conditions, and notes what became of it; null when the ticket does not.';

create or replace function app_private.automations_for(queued app_private.automation_queue) returns setof app_public.automations
  language sql stable
  set search_path = ''
as $$
  select automation.*
  from app_public.automations as automation
  left join app_public.ticket_events as event on event.organization_id = queued.organization_id and event.id = queued.event_id
  where automation.organization_id = queued.organization_id
    and automation.is_enabled
    and case automation.kind
      when 'time' then automation.id = queued.automation_id
      else
        event.type = any (automation.event_types)
        and (automation.actors = '{}' or app_private.automation_actor_of(event) = any (automation.actors))
        and (automation.visibility is null or automation.visibility = event.visibility)
        and (automation.from_values = '{}' or exists (
          select from jsonb_each_text(event.before) as was where was.value = any (automation.from_values)
        ))
        -- What somebody wrote is none of the values that things change to.
        and (automation.to_values = '{}' or exists (
          select from jsonb_each_text(event.after) as became
          where became.key <> 'comment' and became.value = any (automation.to_values)
        ))
        and not exists (
          select from app_public.automation_firings as firing
          where firing.organization_id = queued.organization_id and firing.automation_id = automation.id and firing.event_id = queued.event_id
        )
    end
  order by automation.position, automation.id
$$;

comment on function app_private.automations_for(app_private.automation_queue) is 'The automations that have yet to answer, in their order.';

create or replace function app_private.run_automations(ticket_id uuid) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  queued app_private.automation_queue;
  automation app_public.automations;
  acted integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Automations run for one organization at a time';
  end if;

  -- One worker at a time looks at a ticket, and sees what the one before it did.
  select * into ticket
  from app_public.tickets as locked
  where locked.organization_id = app_hidden.current_organization_id() and locked.id = run_automations.ticket_id
  for no key update;

  -- What this causes is answered here, and needs no job.
  perform set_config('atum.automation_ticket', run_automations.ticket_id::text, true);

  if exists (
    select from app_public.organizations as organization
    where organization.id = app_hidden.current_organization_id() and organization.suspended_at is not null
  ) then
    delete from app_private.automation_queue as dropped
    where dropped.organization_id = app_hidden.current_organization_id() and dropped.ticket_id = run_automations.ticket_id;
    return 0;
  end if;

  loop
    delete from app_private.automation_queue as next
    where next.organization_id = app_hidden.current_organization_id()
      and next.id = (
        select first.id
        from app_private.automation_queue as first
        where first.organization_id = app_hidden.current_organization_id() and first.ticket_id = run_automations.ticket_id
        order by first.queued_at, first.id
        limit 1
      )
    returning * into queued;
    exit when not found;

    for automation in select * from app_private.automations_for(queued) loop
      if app_private.fire_automation(automation, ticket, queued.event_id, queued.chain) = 'acted' then
        acted := acted + 1;
      end if;
      perform set_config('atum.actor_name', '', true), set_config('atum.automation_chain', '', true);
    end loop;
  end loop;
  return acted;
end
$$;

comment on function app_private.run_automations(uuid) is
  'Answers what is queued for a ticket of the current organization, in the order it happened, and returns how many automations acted. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.queue_timed_automation(automation app_public.automations) returns integer
  language plpgsql volatile
  set search_path = ''
  -- A few tickets out of many are found by their index, also where reading all of them looks as cheap.
  set random_page_cost = 1.1
as $$
declare
  fitting_id uuid;
  queued integer := 0;
  -- Closed tickets, nearly all there are in the end, are left alone.
  fits constant text := format(
    'ticket.status in (''new'', ''open'', ''pending'', ''on_hold'', ''resolved'') and (%s)',
    app_hidden.ticket_condition_sql(automation.conditions)
  );
begin
  execute format(
    'delete from app_private.automation_matches as match
    where match.organization_id = $1 and match.automation_id = $2 and not exists (
      select from app_public.tickets as ticket
      where ticket.organization_id = match.organization_id and ticket.id = match.ticket_id and %s
    )',
    fits
  ) using automation.organization_id, automation.id;

  for fitting_id in execute format(
    'with fitting as (
      insert into app_private.automation_matches (organization_id, automation_id, ticket_id)
      select ticket.organization_id, $2, ticket.id
      from app_public.tickets as ticket
      where ticket.organization_id = $1 and %s and not exists (
        select from app_private.automation_matches as match
        where match.organization_id = ticket.organization_id and match.automation_id = $2 and match.ticket_id = ticket.id
      )
      limit 1000
      on conflict do nothing
      returning ticket_id
    )
    insert into app_private.automation_queue (organization_id, automation_id, ticket_id)
    select $1, $2, ticket_id from fitting
    returning ticket_id',
    fits
  ) using automation.organization_id, automation.id loop
    perform app_private.enqueue_automations(automation.organization_id, fitting_id);
    queued := queued + 1;
  end loop;
  return queued;
end
$$;

comment on function app_private.queue_timed_automation(app_public.automations) is
  'Queues an automation that goes by time for up to 1,000 tickets that have come to fit it since the last look, forgets those that no longer do, and returns how many were queued.';

create or replace function app_private.sweep_automations() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  automation app_public.automations;
  queued integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Automations run for one organization at a time';
  end if;
  if exists (
    select from app_public.organizations as organization
    where organization.id = app_hidden.current_organization_id() and organization.suspended_at is not null
  ) then
    return 0;
  end if;

  for automation in
    select *
    from app_public.automations as timed
    where timed.organization_id = app_hidden.current_organization_id() and timed.kind = 'time' and timed.is_enabled
    order by timed.position, timed.id
  loop
    queued := queued + app_private.queue_timed_automation(automation);
  end loop;

  -- A worker that died holds its job for hours; what it had not answered gets another one.
  perform app_private.enqueue_automations(waiting.organization_id, waiting.ticket_id)
  from (
    select distinct late.organization_id, late.ticket_id
    from app_private.automation_queue as late
    where late.organization_id = app_hidden.current_organization_id() and late.queued_at < clock_timestamp() - interval '1 minute'
  ) as waiting
  where not exists (
    select
    from graphile_worker.jobs as job
    where job.key = 'run_automations:' || waiting.ticket_id and job.locked_at is null and job.attempts < job.max_attempts
  );
  return queued;
end
$$;

comment on function app_private.sweep_automations() is
  'Queues the automations of the current organization that go by time for the tickets that have come to fit them, gives what a lost worker left a new job, and returns how many were queued by time. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.tg_ticket_events__queue_automations(), app_private.enqueue_automations(uuid, uuid),
  app_private.meets(app_public.tickets, jsonb), app_private.conditions_met(app_public.tickets, jsonb),
  app_private.automation_actor_of(app_public.ticket_events),
  app_private.act_by_automation(app_public.automations, app_public.tickets, uuid[]),
  app_private.loop_of(app_public.automations, app_public.tickets, uuid[]),
  app_private.fire_automation(app_public.automations, app_public.tickets, uuid, uuid[]),
  app_private.automations_for(app_private.automation_queue), app_private.run_automations(uuid),
  app_private.queue_timed_automation(app_public.automations), app_private.sweep_automations()
from public;

grant execute on function app_private.run_automations(uuid), app_private.sweep_automations() to atum_worker;
