-- Counting again: one ticket when what its policy looks at changed, all open ones when a calendar or a policy did.

create or replace function app_private.waits_for_answer_since(ticket app_public.tickets) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  with said as (
    select comment.created_at, author.role <> 'customer' and author.id <> ticket.requester_id as by_staff
    from app_public.comments as comment
    join app_public.users as author on author.organization_id = comment.organization_id and author.id = comment.author_id
    where comment.organization_id = ticket.organization_id and comment.ticket_id = ticket.id and comment.visibility = 'public'
  )
  select min(created_at)
  from said
  where not by_staff and created_at > (select max(created_at) from said where by_staff)
$$;

comment on function app_private.waits_for_answer_since(app_public.tickets) is 'Since when the customer waits for the next answer, or null when staff had the last word or has not said any.';

create or replace function app_private.status_pauses(ticket app_public.tickets, out paused tstzmultirange, out paused_at timestamptz)
  language sql stable
  set search_path = ''
as $$
  select
    coalesce(range_agg(tstzrange(span.from_at, span.to_at)) filter (where span.to_at > span.from_at), '{}'),
    max(span.from_at) filter (where span.to_at is null and span.status in ('pending', 'on_hold'))
  from (
    select
      event.created_at as from_at, event.after ->> 'status' as status,
      lead(event.created_at) over (order by event.created_at, event.id) as to_at
    from app_public.ticket_events as event
    where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id
      and event.type in ('ticket_created', 'status_changed')
  ) as span
  where span.status in ('pending', 'on_hold', 'resolved', 'closed')
$$;

comment on function app_private.status_pauses(app_public.tickets) is 'The spans in which a ticket waited or was over, as its history tells, and since when it waits now.';

create or replace function app_private.retarget_sla_clocks(organization_id uuid, ticket_id uuid, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  policy app_public.sla_policies;
  calendar jsonb;
begin
  select * into ticket
  from app_public.tickets as found
  where found.organization_id = retarget_sla_clocks.organization_id and found.id = retarget_sla_clocks.ticket_id;
  if ticket.status in ('resolved', 'closed') then
    return;
  end if;
  policy := app_private.match_sla_policy(ticket);
  calendar := app_hidden.calendar_of(policy);

  -- What is promised no longer.
  delete from app_public.sla_calculations as clock
  where clock.organization_id = ticket.organization_id and clock.ticket_id = ticket.id and clock.met_at is null
    and not exists (
      select
      from app_public.sla_targets as target
      where target.organization_id = clock.organization_id and target.policy_id = policy.id
        and target.priority = ticket.priority and target.kind = clock.kind
    );

  -- What is promised otherwise: counted from the start, and the pauses stay.
  update app_public.sla_calculations as clock
  set
    policy_id = policy.id,
    target_seconds = recomputed.target_seconds,
    due_at = recomputed.due_at,
    -- A promise that was broken is not unbroken by changing the promise, unless the new one is still open.
    breached_at = recomputed.breached_at
  from (
    select running.id, target.working_seconds as target_seconds, due.due_at,
      case when due.due_at <= retarget_sla_clocks.at and running.breached_at is not null then due.due_at end as breached_at
    from app_public.sla_calculations as running
    join app_public.sla_targets as target
      on target.organization_id = running.organization_id and target.policy_id = policy.id and target.kind = running.kind
    cross join lateral (
      select app_private.clock_due_at(calendar, running.started_at, target.working_seconds, running.paused) as due_at
    ) as due
    where running.organization_id = ticket.organization_id and running.ticket_id = ticket.id and running.met_at is null
      and target.priority = ticket.priority
  ) as recomputed
  where clock.organization_id = ticket.organization_id and clock.id = recomputed.id
    and (clock.policy_id, clock.target_seconds, clock.due_at, clock.breached_at)
      is distinct from (policy.id, recomputed.target_seconds, recomputed.due_at, recomputed.breached_at);

  -- What was not promised before.
  insert into app_public.sla_calculations
    (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, paused, paused_at, due_at)
  select
    ticket.organization_id, ticket.id, target.kind, policy.id, target.working_seconds, since.started_at, pauses.paused, pauses.paused_at,
    app_private.clock_due_at(calendar, since.started_at, target.working_seconds, pauses.paused)
  from app_public.sla_targets as target
  cross join lateral (
    select case target.kind
      when 'first_response' then case when ticket.first_responded_at is null then ticket.created_at end
      when 'next_response' then app_private.waits_for_answer_since(ticket)
      else ticket.created_at
    end as started_at
  ) as since
  left join lateral (select * from app_private.status_pauses(ticket)) as history on target.kind = 'resolution'
  cross join lateral (select coalesce(history.paused, '{}') as paused, history.paused_at) as pauses
  where target.organization_id = ticket.organization_id and target.policy_id = policy.id and target.priority = ticket.priority
    and since.started_at is not null
    and not exists (
      select
      from app_public.sla_calculations as clock
      where clock.organization_id = ticket.organization_id and clock.ticket_id = ticket.id and clock.kind = target.kind
    );
end
$$;

comment on function app_private.retarget_sla_clocks(uuid, uuid, timestamptz) is
  'Makes the clocks of an open ticket what its policy promises now: those that run are counted again from their start, and their pauses stay; what is promised no longer goes, and what was not promised before comes.';

create or replace function app_private.tg__recompute_sla_clocks() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  made_id uuid;
begin
  insert into app_public.sla_recomputations (organization_id, requested_by_id)
  select coalesce(NEW.organization_id, OLD.organization_id), app_hidden.current_user_id()
  where exists (select from app_public.tickets where organization_id = coalesce(NEW.organization_id, OLD.organization_id))
  on conflict (organization_id) where started_at is null do nothing
  returning id into made_id;
  if made_id is not null then
    perform app_private.enqueue(
      'recompute_sla_clocks', coalesce(NEW.organization_id, OLD.organization_id), jsonb_build_object('slaRecomputationId', made_id)
    );
  end if;
  return null;
end
$$;

comment on function app_private.tg__recompute_sla_clocks() is 'Has the open tickets counted again in the background, once for all changes until that begins.';

create or replace trigger _700_recompute after update of hours, time_zone on app_public.sla_calendars
  for each row when (NEW.hours <> OLD.hours or NEW.time_zone <> OLD.time_zone) execute function app_private.tg__recompute_sla_clocks();
create or replace trigger _700_recompute after insert or update or delete on app_public.sla_holidays
  for each row execute function app_private.tg__recompute_sla_clocks();
create or replace trigger _700_recompute after insert or update or delete on app_public.sla_policies
  for each row execute function app_private.tg__recompute_sla_clocks();
create or replace trigger _700_recompute after insert or update or delete on app_public.sla_targets
  for each row execute function app_private.tg__recompute_sla_clocks();
create or replace trigger _700_recompute after insert or update or delete on app_public.sla_escalations
  for each row execute function app_private.tg__recompute_sla_clocks();

create or replace function app_private.recompute_sla_clocks(sla_recomputation_id uuid, batch_size integer default 100) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  work app_public.sla_recomputations;
  ticket_id uuid;
  looked_at integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Clocks are counted again for one organization at a time';
  end if;

  update app_public.sla_recomputations as begun
  set
    started_at = coalesce(begun.started_at, clock_timestamp()),
    total = case when begun.started_at is not null then begun.total else (
      select count(*) from app_public.tickets as ticket
      where ticket.organization_id = begun.organization_id and ticket.status in ('new', 'open', 'pending', 'on_hold')
    ) end
  where begun.organization_id = app_hidden.current_organization_id() and begun.id = sla_recomputation_id and begun.finished_at is null
  returning * into work;
  if not found then
    return false;
  end if;

  for ticket_id in
    select ticket.id
    from app_public.tickets as ticket
    where ticket.organization_id = work.organization_id and ticket.status in ('new', 'open', 'pending', 'on_hold')
      and (work.reached is null or ticket.id > work.reached)
    order by ticket.id
    limit batch_size
    for no key update
  loop
    work.reached := ticket_id;
    perform app_private.retarget_sla_clocks(work.organization_id, ticket_id, clock_timestamp());
    update app_public.sla_calculations as clock
    set escalates_at = next.at
    from app_public.sla_calculations as planned
    left join lateral app_private.next_sla_escalation(planned) as next on true
    where clock.organization_id = work.organization_id and clock.ticket_id = work.reached
      and planned.organization_id = clock.organization_id and planned.id = clock.id
      and clock.met_at is null and clock.paused_at is null and clock.escalates_at is distinct from next.at;
    perform app_private.refresh_ticket_clocks(work.organization_id, ticket_id);
    looked_at := looked_at + 1;
  end loop;

  update app_public.sla_recomputations as begun
  set
    reached = work.reached,
    done = begun.done + looked_at,
    finished_at = case when looked_at < batch_size then clock_timestamp() end
  where begun.organization_id = work.organization_id and begun.id = work.id;
  return looked_at = batch_size;
end
$$;

comment on function app_private.recompute_sla_clocks(uuid, integer) is
  'Counts the next open tickets of a recomputation again, a hundred in one transaction, so that whoever works on one waits for a moment at most, and returns whether there are more. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.waits_for_answer_since(app_public.tickets), app_private.status_pauses(app_public.tickets),
  app_private.retarget_sla_clocks(uuid, uuid, timestamptz), app_private.tg__recompute_sla_clocks(),
  app_private.recompute_sla_clocks(uuid, integer)
from public;

grant execute on function app_private.recompute_sla_clocks(uuid, integer) to atum_worker;
