-- Who sees what: policies ask these once a query.

create or replace function app_hidden.current_team_ids() returns uuid[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(member.team_id), '{}')
  from app_public.team_members as member
  where member.organization_id = app_hidden.current_organization_id() and member.user_id = app_hidden.current_user_id()
$$;

comment on function app_hidden.current_team_ids() is 'The teams the caller works in.';

create or replace function app_hidden.sees_every_team() returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select not exists (
    select
    from app_public.users as person
    where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
      and person.restricted_to_teams and person.role = 'agent'
  )
$$;

comment on function app_hidden.sees_every_team() is 'Whether the caller, as staff, sees the tickets of all teams: everybody but an agent who is restricted to the own ones.';

-- Queries

create or replace function app_public.ticket_by_number(number integer) returns app_public.tickets
  language sql stable
  set search_path = ''
as $$
  select *
  from app_public.tickets as ticket
  where ticket.organization_id = (select app_hidden.current_organization_id())
    and ticket.number = ticket_by_number.number
$$;

comment on function app_public.ticket_by_number(integer) is 'The ticket with this number in the caller''s organization, or null when there is none the caller may see.';

do $$
begin
  if to_regtype('app_public.inbox_counts') is null then
    create type app_public.inbox_counts as (
      mine integer, unassigned integer, open integer, pending integer, breached integer, resolved integer
    );
  end if;
end
$$;

comment on type app_public.inbox_counts is 'How many tickets are in each part of the inbox.';
comment on column app_public.inbox_counts.mine is 'Assigned to the caller and not resolved.';
comment on column app_public.inbox_counts.unassigned is 'Assigned to nobody and not resolved.';
comment on column app_public.inbox_counts.open is 'New or open.';
comment on column app_public.inbox_counts.pending is 'Pending or on hold.';
comment on column app_public.inbox_counts.breached is 'Not resolved and a target was missed.';
comment on column app_public.inbox_counts.resolved is 'Resolved and not yet closed.';

create or replace function app_public.inbox_counts() returns app_public.inbox_counts
  language sql stable
  set search_path = ''
as $$
  select
    count(*) filter (where status <> 'resolved' and assignee_id = (select app_hidden.current_user_id()))::integer,
    count(*) filter (where status <> 'resolved' and assignee_id is null)::integer,
    count(*) filter (where status in ('new', 'open'))::integer,
    count(*) filter (where status in ('pending', 'on_hold'))::integer,
    count(*) filter (where status <> 'resolved' and breached)::integer,
    count(*) filter (where status = 'resolved')::integer
  from app_public.tickets
  where organization_id = (select app_hidden.current_organization_id())
    and status in ('new', 'open', 'pending', 'on_hold', 'resolved')
$$;

comment on function app_public.inbox_counts() is 'How many of the tickets the caller may see are in each part of the inbox. Closed tickets are not counted.';

-- Mutations

create or replace function app_public.create_ticket(
  subject text,
  body text,
  priority app_public.ticket_priority default 'normal',
  service_id uuid default null,
  requester_id uuid default null,
  client_mutation_key text default null
) returns app_public.tickets
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to open a ticket';
  end if;

  -- A retry is answered before anything is tried: it uses up no number, and no rule that came since refuses it.
  select * into ticket
  from app_public.tickets as made
  where made.organization_id = caller_organization_id
    and made.created_by_id = caller_id
    and made.client_mutation_key = create_ticket.client_mutation_key;
  if found then
    return ticket;
  end if;

  insert into app_public.tickets
    (organization_id, subject, priority, service_id, requester_id, created_by_id, channel, client_mutation_key)
  values (
    caller_organization_id, btrim(create_ticket.subject), coalesce(create_ticket.priority, 'normal'), create_ticket.service_id,
    coalesce(create_ticket.requester_id, caller_id), caller_id,
    case when app_hidden.is_staff() then 'desk' else 'portal' end::app_public.ticket_channel,
    create_ticket.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into ticket;

  if found then
    insert into app_public.comments (organization_id, ticket_id, author_id, body)
    values (caller_organization_id, ticket.id, caller_id, create_ticket.body);

    -- Read again, because the triggers set its clocks.
    select * into strict ticket
    from app_public.tickets as made
    where made.organization_id = caller_organization_id and made.id = ticket.id;
  else
    select * into strict ticket
    from app_public.tickets as made
    where made.organization_id = caller_organization_id
      and made.created_by_id = caller_id
      and made.client_mutation_key = create_ticket.client_mutation_key;
  end if;
  return ticket;
end
$$;

comment on function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text) is
  'Opens a ticket and returns it. `subject` has 1 to 200 characters, `body` 1 to 65,536 bytes of plain text. Staff may name another `requesterId`; without one the caller is the requester. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the ticket the first call made. Errors: UNAUTHENTICATED, INVALID_INPUT, FORBIDDEN, NOT_FOUND for a service or requester that is not there, SERVICE_ARCHIVED.';

-- Triggers

create or replace function app_private.tg_tickets__stamp() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if TG_OP = 'INSERT' then
    if NEW.number is null then
      -- Locks the counter of this organization alone until the end of the transaction.
      update app_private.ticket_counters
      set last_number = last_number + 1
      where organization_id = NEW.organization_id
      returning last_number into NEW.number;
    end if;

    select organization.ticket_prefix || '-' || NEW.number into NEW.reference
    from app_public.organizations as organization
    where organization.id = NEW.organization_id;

    if NEW.company_id is null then
      select requester.company_id into NEW.company_id
      from app_public.users as requester
      where requester.organization_id = NEW.organization_id and requester.id = NEW.requester_id;
    end if;

    if NEW.team_id is null and NEW.service_id is not null then
      select service.team_id into NEW.team_id
      from app_public.services as service
      where service.organization_id = NEW.organization_id and service.id = NEW.service_id;
    end if;

    return NEW;
  end if;

  NEW.subject := btrim(NEW.subject);

  -- An import may bring its own history; nobody but the owner has the right to name this column.
  if NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;

  if NEW.status is distinct from OLD.status then
    NEW.resolved_at := case
      when NEW.status not in ('resolved', 'closed') then null
      else coalesce(OLD.resolved_at, NEW.updated_at)
    end;
    NEW.closed_at := case when NEW.status = 'closed' then NEW.updated_at end;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__stamp() is 'Gives a new ticket its number, reference, team and company, and keeps the instants that follow from its status.';

-- Not when only its clocks moved: that is no news about the ticket.
create or replace trigger _100_stamp
  before insert or update of subject, status, priority, service_id, team_id, assignee_id, requester_id on app_public.tickets
  for each row execute function app_private.tg_tickets__stamp();

create or replace function app_private.tg_tickets__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if NEW.assignee_id is not null
    and (TG_OP = 'INSERT' or NEW.assignee_id is distinct from OLD.assignee_id)
    and exists (
      select
      from app_public.users as assignee
      where assignee.organization_id = NEW.organization_id and assignee.id = NEW.assignee_id
        and (assignee.role = 'customer' or assignee.disabled_at is not null)
    )
  then
    raise exception using errcode = 'AD103', message = 'Only active staff can be assigned to a ticket';
  end if;

  if NEW.service_id is not null
    and (TG_OP = 'INSERT' or NEW.service_id is distinct from OLD.service_id)
    and exists (
      select
      from app_public.services as service
      where service.organization_id = NEW.organization_id and service.id = NEW.service_id and service.archived_at is not null
    )
  then
    raise exception using errcode = 'AD104', message = 'This service is no longer offered';
  end if;

  if TG_OP = 'UPDATE' and NEW.status = 'new' and OLD.status <> 'new' then
    raise exception using errcode = 'AD105', message = 'A ticket that was worked on cannot become new again';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__refuse() is 'Refuses an assignee who is not active staff, an archived service, and going back to `new`. Errors ASSIGNEE_NOT_STAFF, SERVICE_ARCHIVED, STATUS_MOVE_REFUSED.';

create or replace trigger _200_refuse before insert or update of assignee_id, service_id, status on app_public.tickets
  for each row execute function app_private.tg_tickets__refuse();

-- The spine: what changed becomes one typed event for each thing that changed.
create or replace function app_private.tg_tickets__record_events() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if TG_OP = 'INSERT' then
    insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, after, created_at)
    values (
      NEW.organization_id, NEW.id, 'ticket_created', 'public', coalesce(app_hidden.current_user_id(), NEW.created_by_id),
      jsonb_build_object('status', NEW.status, 'priority', NEW.priority, 'channel', NEW.channel), NEW.created_at
    );
    return null;
  end if;

  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, before, after, created_at)
  select
    NEW.organization_id, NEW.id, change.type::app_public.ticket_event_type, change.visibility::app_public.comment_visibility,
    app_hidden.current_user_id(), change.before, change.after, NEW.updated_at
  from (
    select 'subject_changed', 'public', jsonb_build_object('subject', OLD.subject), jsonb_build_object('subject', NEW.subject)
    where NEW.subject <> OLD.subject
    union all
    select 'priority_changed', 'internal', jsonb_build_object('priority', OLD.priority), jsonb_build_object('priority', NEW.priority)
    where NEW.priority <> OLD.priority
    union all
    select 'service_changed', 'internal',
      app_private.named_reference('service', OLD.service_id, (select name from app_public.services where organization_id = OLD.organization_id and id = OLD.service_id)),
      app_private.named_reference('service', NEW.service_id, (select name from app_public.services where organization_id = NEW.organization_id and id = NEW.service_id))
    where NEW.service_id is distinct from OLD.service_id
    union all
    select 'team_changed', 'internal',
      app_private.named_reference('team', OLD.team_id, (select name from app_public.teams where organization_id = OLD.organization_id and id = OLD.team_id)),
      app_private.named_reference('team', NEW.team_id, (select name from app_public.teams where organization_id = NEW.organization_id and id = NEW.team_id))
    where NEW.team_id is distinct from OLD.team_id
    union all
    select 'assignee_changed', 'internal',
      app_private.named_reference('assignee', OLD.assignee_id, (select name from app_public.users where organization_id = OLD.organization_id and id = OLD.assignee_id)),
      app_private.named_reference('assignee', NEW.assignee_id, (select name from app_public.users where organization_id = NEW.organization_id and id = NEW.assignee_id))
    where NEW.assignee_id is distinct from OLD.assignee_id
    union all
    select 'status_changed', 'public', jsonb_build_object('status', OLD.status), jsonb_build_object('status', NEW.status)
    where NEW.status <> OLD.status
  ) as change (type, visibility, before, after);
  return null;
end
$$;

comment on function app_private.tg_tickets__record_events() is 'Writes the events of a ticket that was made or changed.';

create or replace function app_private.named_reference(word text, id uuid, name text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select jsonb_build_object(word || '_id', id, word || '_name', name)
$$;

comment on function app_private.named_reference(text, uuid, text) is 'A reference as an event keeps it: with the name it had at that time.';

create or replace trigger _500_record_events
  after insert or update of subject, status, priority, service_id, team_id, assignee_id on app_public.tickets
  for each row execute function app_private.tg_tickets__record_events();

create or replace function app_private.tg_ticket_events__notify() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  payload constant text := json_build_object('event', NEW.type, 'ticketId', NEW.ticket_id, 'eventId', NEW.id);
  ticket app_public.tickets;
begin
  select * into strict ticket
  from app_public.tickets as changed
  where changed.organization_id = NEW.organization_id and changed.id = NEW.ticket_id;

  -- Channel names have at most 63 bytes, and the payload holds ids only: what they mean is read again under the
  -- row-level security of whoever listens.
  perform pg_notify('ticket:' || NEW.ticket_id || ':staff', payload);
  perform pg_notify('inbox:' || NEW.organization_id, payload);
  perform pg_notify('agent:' || agent.id, payload)
  from app_public.users as agent
  where agent.organization_id = NEW.organization_id and agent.restricted_to_teams
    and (
      agent.id in (ticket.assignee_id, ticket.requester_id)
      or exists (
        select
        from app_public.team_members as member
        where member.organization_id = agent.organization_id and member.user_id = agent.id and member.team_id = ticket.team_id
      )
    );

  if NEW.visibility = 'public' then
    perform pg_notify('ticket:' || NEW.ticket_id || ':public', payload);
    perform pg_notify('requester:' || ticket.requester_id, payload);
    perform pg_notify('requester:' || colleague.id, payload)
    from app_public.companies as company
    join app_public.users as colleague on colleague.organization_id = company.organization_id and colleague.company_id = company.id
    where company.organization_id = NEW.organization_id and company.id = ticket.company_id and company.shares_tickets
      and colleague.id <> ticket.requester_id;
  end if;
  return null;
end
$$;

comment on function app_private.tg_ticket_events__notify() is 'Tells the listeners of a ticket, of the inbox, the agents who see only their teams, its requester and the colleagues who may see it that something happened.';

create or replace trigger _800_notify after insert on app_public.ticket_events
  for each row execute function app_private.tg_ticket_events__notify();

revoke all on function
  app_hidden.current_team_ids(), app_hidden.sees_every_team(),
  app_public.ticket_by_number(integer), app_public.inbox_counts(),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text),
  app_private.tg_tickets__stamp(), app_private.tg_tickets__refuse(), app_private.tg_tickets__record_events(),
  app_private.named_reference(text, uuid, text), app_private.tg_ticket_events__notify()
from public;

grant execute on function
  app_public.ticket_by_number(integer),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text)
to atum_customer, atum_agent;
grant execute on function app_public.inbox_counts() to atum_agent;
grant execute on function app_hidden.current_team_ids(), app_hidden.sees_every_team() to atum_agent;
