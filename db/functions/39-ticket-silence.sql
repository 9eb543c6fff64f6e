-- What happens to tickets because time passed: put aside until later, and closed after silence. The worker calls these
-- with the claims of one organization.

create or replace function app_private.tg_tickets__schedule_waking() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue(
    'wake_ticket', NEW.organization_id, jsonb_build_object('ticketId', NEW.id),
    run_at => NEW.snoozed_until, job_key => 'wake_ticket:' || NEW.id
  );
  return null;
end
$$;

comment on function app_private.tg_tickets__schedule_waking() is 'Has a job wake a snoozed ticket at its time.';

create or replace trigger _900_schedule_waking after update of snoozed_until on app_public.tickets
  for each row when (NEW.snoozed_until is not null and NEW.snoozed_until is distinct from OLD.snoozed_until)
  execute function app_private.tg_tickets__schedule_waking();

create or replace function app_private.wake_tickets(ticket_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  woken integer;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Tickets are woken for one organization at a time';
  end if;

  update app_public.tickets as ticket
  set snoozed_until = null
  where ticket.organization_id = app_hidden.current_organization_id()
    and ticket.id in (
      select due.id
      from app_public.tickets as due
      where due.organization_id = app_hidden.current_organization_id() and due.snoozed_until <= clock_timestamp()
        and (wake_tickets.ticket_id is null or due.id = wake_tickets.ticket_id)
      order by due.snoozed_until
      limit 1000
      for no key update skip locked
    );
  get diagnostics woken = row_count;
  return woken;
end
$$;

comment on function app_private.wake_tickets(uuid) is 'Wakes the snoozed tickets of the current organization whose time has come, or one of them, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.end_silent_tickets() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  settings app_public.ticket_settings;
  silent record;
  ended integer := 0;
  actor_before constant text := current_setting('atum.actor_name', true);
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Silent tickets are ended for one organization at a time';
  end if;
  select * into strict settings from app_public.ticket_settings where organization_id = app_hidden.current_organization_id();
  perform set_config('atum.actor_name', 'Auto-close', true);

  -- As many as end, not as many as are looked at: those that may not be resolved yet must not keep the others waiting.
  for silent in
    select ticket.id, case ticket.status when 'resolved' then 'closed' else 'resolved' end::app_public.ticket_status as next_status
    from app_public.tickets as ticket
    where ticket.organization_id = app_hidden.current_organization_id()
      and (
        (
          ticket.status = 'resolved'
          and greatest(ticket.resolved_at, ticket.last_comment_at) <= now() - make_interval(days => settings.close_resolved_days)
        )
        or (
          ticket.status = 'pending' and ticket.snoozed_until is null
          and ticket.last_comment_at <= now() - make_interval(days => settings.resolve_pending_days)
          -- It may have begun to wait long after the last word.
          and not exists (
            select
            from app_public.ticket_events as event
            where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id and event.type = 'status_changed'
              and event.created_at > now() - make_interval(days => settings.resolve_pending_days)
          )
        )
      )
    order by ticket.id
    for no key update skip locked
  loop
    exit when ended = 1000;
    begin
      update app_public.tickets as ticket
      set status = silent.next_status
      where ticket.organization_id = app_hidden.current_organization_id() and ticket.id = silent.id;
      ended := ended + 1;
    exception
      -- One that may not be resolved yet, for its children or for what it still has to say, goes on waiting.
      when others then
        if sqlstate !~ '^AD1' then
          raise;
        end if;
    end;
  end loop;
  perform set_config('atum.actor_name', coalesce(actor_before, ''), true);
  return ended;
end
$$;

comment on function app_private.end_silent_tickets() is
  'Closes the resolved and resolves the pending tickets of the current organization about which nobody said a word for as long as its settings say, up to 1,000, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function app_private.tg_tickets__schedule_waking(), app_private.wake_tickets(uuid), app_private.end_silent_tickets() from public;

grant execute on function app_private.wake_tickets(uuid), app_private.end_silent_tickets() to atum_worker;
