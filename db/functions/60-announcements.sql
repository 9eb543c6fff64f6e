-- What happens to a ticket is told outside: to people, by mail, to programs. It is queued with the fact; one job a ticket
-- tells it, in order and in one transaction, so that each of them hears of each event once.

create or replace function app_private.tg_ticket_events__queue_announcement() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if exists (
    select from app_public.organizations as organization
    where organization.id = NEW.organization_id and organization.suspended_at is not null
  ) then
    return null;
  end if;

  insert into app_private.announcement_queue (organization_id, ticket_id, event_id)
  values (NEW.organization_id, NEW.ticket_id, NEW.id);

  -- One job tells all that a transaction does to a ticket.
  if current_setting('atum.announced_ticket', true) is distinct from NEW.ticket_id::text then
    perform app_private.enqueue(
      'announce_ticket_events', NEW.organization_id, jsonb_build_object('ticketId', NEW.ticket_id),
      job_key => 'announce_ticket_events:' || NEW.ticket_id
    );
    perform set_config('atum.announced_ticket', NEW.ticket_id::text, true);
  end if;
  return null;
end
$$;

comment on function app_private.tg_ticket_events__queue_announcement() is 'Has a job tell of an event to whoever wants to know.';

create or replace trigger _750_queue_announcement after insert on app_public.ticket_events
  for each row execute function app_private.tg_ticket_events__queue_announcement();

create or replace function app_private.announce_event(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  perform app_private.notify_people(event);
  perform app_private.call_webhooks(event);
  perform app_private.plan_survey(event);
end
$$;

comment on function app_private.announce_event(app_public.ticket_events) is 'Tells of an event to everybody outside: people in the desk and by mail, programs, and the requester who is asked how it went.';

create or replace function app_private.announce_ticket_events(ticket_id uuid) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  queued record;
  event app_public.ticket_events;
begin
  -- Two jobs of one ticket take turns, or what came later could be told first.
  perform pg_advisory_xact_lock(hashtextextended('announce:' || announce_ticket_events.ticket_id, 0));

  for queued in
    select waiting.event_id
    from app_private.announcement_queue as waiting
    where waiting.organization_id = app_hidden.current_organization_id() and waiting.ticket_id = announce_ticket_events.ticket_id
    order by waiting.queued_at, waiting.event_id
  loop
    select * into strict event
    from app_public.ticket_events as happened
    where happened.organization_id = app_hidden.current_organization_id() and happened.id = queued.event_id;

    perform app_private.announce_event(event);

    delete from app_private.announcement_queue as waiting
    where waiting.organization_id = event.organization_id and waiting.event_id = event.id;
  end loop;
end
$$;

comment on function app_private.announce_ticket_events(uuid) is 'Tells of all that happened to a ticket since the last time, in order, all or nothing. Done by a job.';

create or replace function app_private.sweep_announcements() returns void
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.enqueue(
    'announce_ticket_events', app_hidden.current_organization_id(), jsonb_build_object('ticketId', late.ticket_id),
    job_key => 'announce_ticket_events:' || late.ticket_id
  )
  from (
    select distinct waiting.ticket_id
    from app_private.announcement_queue as waiting
    where waiting.organization_id = app_hidden.current_organization_id() and waiting.queued_at < now() - interval '2 minutes'
    limit 1000
  ) as late
$$;

comment on function app_private.sweep_announcements() is 'Has jobs tell of what waits for longer than two minutes, because its own job was lost. Done by a job each minute.';

revoke all on function
  app_private.tg_ticket_events__queue_announcement(), app_private.announce_event(app_public.ticket_events),
  app_private.announce_ticket_events(uuid), app_private.sweep_announcements()
from public;

grant execute on function app_private.announce_ticket_events(uuid), app_private.sweep_announcements() to atum_worker;
