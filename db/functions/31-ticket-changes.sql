-- What follows from a ticket that was made or changed.

create or replace function app_hidden.current_actor_name() returns text
  language sql stable parallel safe
  return case
    when nullif(current_setting('atum.user_id', true), '') is null then nullif(current_setting('atum.actor_name', true), '')
  end;

comment on function app_hidden.current_actor_name() is 'The name of what acts in this transaction, such as an automation, when no person does.';

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

    select organization.ticket_prefix || '-' || NEW.number, state.id, state.kind
    into NEW.reference, NEW.state_id, NEW.status
    from app_public.organizations as organization
    left join app_public.ticket_states as state
      on state.organization_id = organization.id
      and case when NEW.state_id is null then state.kind = NEW.status and state.is_default else state.id = NEW.state_id end
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

    if NEW.assignee_id is null and NEW.team_id is not null then
      NEW.assignee_id := app_private.next_assignee(NEW);
    end if;

    if NEW.tags <> '{}' then
      NEW.tags := app_private.tidy_tags(NEW.tags);
    end if;
    return NEW;
  end if;

  -- Whoever sends the version that was seen is refused when somebody else saved since.
  if NEW.version is distinct from OLD.version then
    raise exception using
      errcode = 'AD106', message = 'Somebody else changed this ticket since you opened it; look at what it says now and save again';
  end if;

  NEW.subject := btrim(NEW.subject);
  if NEW.tags <> OLD.tags then
    NEW.tags := app_private.tidy_tags(NEW.tags);
  end if;

  -- An import may bring its own history; nobody but the owner has the right to name this column.
  if NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;

  -- The one that was said brings the other along. Where both were, or a stage that is not there, the foreign key decides.
  if NEW.state_id <> OLD.state_id and NEW.status = OLD.status then
    NEW.status := coalesce(
      (
        select state.kind
        from app_public.ticket_states as state
        where state.organization_id = NEW.organization_id and state.id = NEW.state_id
      ),
      NEW.status
    );
  elsif NEW.status <> OLD.status and NEW.state_id = OLD.state_id then
    select state.id into NEW.state_id
    from app_public.ticket_states as state
    where state.organization_id = NEW.organization_id and state.kind = NEW.status and state.is_default;
  end if;

  if NEW.requester_id <> OLD.requester_id then
    select requester.company_id into NEW.company_id
    from app_public.users as requester
    where requester.organization_id = NEW.organization_id and requester.id = NEW.requester_id;
  end if;

  if NEW.assignee_id is null and NEW.team_id is distinct from OLD.team_id and NEW.status not in ('resolved', 'closed') then
    NEW.assignee_id := app_private.next_assignee(NEW);
  end if;

  if NEW.status <> OLD.status then
    NEW.resolved_at := case
      when NEW.status not in ('resolved', 'closed') then null
      else coalesce(OLD.resolved_at, NEW.updated_at)
    end;
    NEW.closed_at := case when NEW.status = 'closed' then NEW.updated_at end;
    if NEW.status in ('resolved', 'closed') then
      NEW.snoozed_until := null;
    end if;
  end if;

  if (
    NEW.subject, NEW.state_id, NEW.priority, NEW.service_id, NEW.team_id, NEW.assignee_id, NEW.requester_id, NEW.tags,
    NEW.custom_fields, NEW.internal_fields, NEW.snoozed_until, NEW.merged_into_id
  ) is distinct from (
    OLD.subject, OLD.state_id, OLD.priority, OLD.service_id, OLD.team_id, OLD.assignee_id, OLD.requester_id, OLD.tags,
    OLD.custom_fields, OLD.internal_fields, OLD.snoozed_until, OLD.merged_into_id
  ) then
    NEW.version := OLD.version + 1;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__stamp() is 'Gives a new ticket its number, reference, stage, team, company and assignee, and keeps what follows from a change: the stage of a status, the instants of its end, the version. Error VERSION_CONFLICT.';

-- Not when only its clocks moved: that is no news about the ticket.
create or replace trigger _100_stamp
  before insert or update of
    subject, status, state_id, priority, service_id, team_id, assignee_id, requester_id, tags, custom_fields, internal_fields,
    snoozed_until, merged_into_id, version
  on app_public.tickets
  for each row execute function app_private.tg_tickets__stamp();

create or replace function app_private.tg_tickets__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  assignee app_public.users;
  unassigned app_public.tickets;
begin
  if NEW.assignee_id is distinct from OLD.assignee_id and NEW.assignee_id is not null then
    select * into assignee
    from app_public.users as person
    where person.organization_id = NEW.organization_id and person.id = NEW.assignee_id;
    if assignee.role = 'customer' or assignee.disabled_at is not null then
      raise exception using errcode = 'AD103', message = 'Only active staff can be assigned to a ticket';
    end if;

    -- Whoever is assigned sees the ticket, also when it goes to another team later; but assigning opens no door.
    unassigned := NEW;
    unassigned.assignee_id := null;
    if assignee.restricted_to_teams and not app_private.may_see_ticket(assignee.id, unassigned) then
      raise exception using errcode = 'AD107', message = 'This agent does not see the tickets of this team';
    end if;
  end if;

  if NEW.service_id is distinct from OLD.service_id and exists (
    select
    from app_public.services as service
    where service.organization_id = NEW.organization_id and service.id = NEW.service_id and service.archived_at is not null
  ) then
    raise exception using errcode = 'AD104', message = 'This service is no longer offered';
  end if;

  if TG_OP = 'INSERT' then
    return NEW;
  end if;

  if NEW.snoozed_until is distinct from OLD.snoozed_until and NEW.snoozed_until is not null then
    if NEW.status in ('resolved', 'closed') then
      raise exception using errcode = 'AD110', message = 'A ticket that is done cannot be snoozed';
    end if;
    if NEW.snoozed_until <= now() or NEW.snoozed_until > now() + interval '5 years' then
      raise exception using errcode = 'AD110', message = 'Snooze until a time to come, within five years';
    end if;
  end if;

  -- Merging, and undoing it, closes and reopens by rules of their own.
  if NEW.state_id = OLD.state_id or NEW.merged_into_id is distinct from OLD.merged_into_id then
    return NEW;
  end if;

  if NEW.merged_into_id is not null and NEW.status <> 'closed' then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; undo the merge first';
  end if;

  if NEW.status = 'new' and OLD.status <> 'new' then
    raise exception using errcode = 'AD105', message = 'A ticket that was worked on cannot become new again';
  end if;

  if exists (
    select
    from app_public.ticket_states as state
    where state.organization_id = NEW.organization_id and state.id = NEW.state_id and state.archived_at is not null
  ) then
    raise exception using errcode = 'AD105', message = 'This status is no longer used';
  end if;

  if NEW.status in ('resolved', 'closed') and OLD.status not in ('resolved', 'closed')
    and app_private.has_open_children(NEW.organization_id, NEW.id)
  then
    raise exception using errcode = 'AD109', message = 'Resolve the child tickets first';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__refuse() is 'Refuses an assignee who is not active staff or may not see the ticket, an archived service or stage, going back to `new`, waking a merged ticket, resolving with open children, and a snooze that makes no sense. Errors ASSIGNEE_NOT_STAFF, ASSIGNEE_OUTSIDE_TEAM, SERVICE_ARCHIVED, STATUS_MOVE_REFUSED, TICKET_MERGED, CHILDREN_OPEN, SNOOZE_REFUSED.';

create or replace trigger _200_refuse_creation before insert on app_public.tickets
  for each row when (NEW.assignee_id is not null or NEW.service_id is not null)
  execute function app_private.tg_tickets__refuse();

-- The version counts what is looked at here; by then the stamp has set it.
create or replace trigger _200_refuse before update on app_public.tickets
  for each row when (NEW.version <> OLD.version) execute function app_private.tg_tickets__refuse();

create or replace function app_private.tg_tickets__record_creation() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, after, created_at)
  values (
    NEW.organization_id, NEW.id, 'ticket_created', 'public', coalesce(app_hidden.current_user_id(), NEW.created_by_id),
    app_hidden.current_actor_name(),
    jsonb_build_object('status', NEW.status, 'priority', NEW.priority, 'channel', NEW.channel), NEW.created_at
  );

  if NEW.assignee_id is not null then
    insert into app_public.ticket_events (
      organization_id, ticket_id, type, visibility, actor_id, actor_name, before, after, created_at
    )
    select
      NEW.organization_id, NEW.id, 'assignee_changed', 'internal',
      case when by_itself.id is null then coalesce(app_hidden.current_user_id(), NEW.created_by_id) end,
      case when by_itself.id is null then app_hidden.current_actor_name() else 'Auto-assignment' end,
      app_private.named_reference('assignee', null, null), app_private.named_reference('assignee', assignee.id, assignee.name),
      NEW.created_at
    from app_public.users as assignee
    -- Whom next_assignee chose in this transaction was named by nobody.
    left join app_public.team_members as by_itself
      on by_itself.organization_id = assignee.organization_id and by_itself.user_id = assignee.id
      and by_itself.team_id = NEW.team_id and by_itself.last_assigned_at >= now()
    where assignee.organization_id = NEW.organization_id and assignee.id = NEW.assignee_id;
  end if;
  return null;
end
$$;

comment on function app_private.tg_tickets__record_creation() is 'Writes the first events of a ticket.';

-- The spine: what changed becomes one typed event for each thing that changed.
create or replace function app_private.tg_tickets__record_events() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, before, after, created_at)
  select
    NEW.organization_id, NEW.id, change.type::app_public.ticket_event_type, change.visibility::app_public.comment_visibility,
    app_hidden.current_user_id(), app_hidden.current_actor_name(), change.before, change.after, NEW.updated_at
  from (
    select 'subject_changed', 'public', jsonb_build_object('subject', OLD.subject), jsonb_build_object('subject', NEW.subject)
    where NEW.subject <> OLD.subject
    union all
    select 'requester_changed', 'internal',
      app_private.named_reference('requester', OLD.requester_id, (select name from app_public.users where organization_id = OLD.organization_id and id = OLD.requester_id)),
      app_private.named_reference('requester', NEW.requester_id, (select name from app_public.users where organization_id = NEW.organization_id and id = NEW.requester_id))
    where NEW.requester_id <> OLD.requester_id
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
    select 'tags_changed', 'internal', jsonb_build_object('tags', OLD.tags), jsonb_build_object('tags', NEW.tags)
    where NEW.tags <> OLD.tags
    union all
    select 'custom_fields_changed', fields.visibility, fields.before, fields.after
    from (
      values
        ('public', app_private.other_values(OLD.custom_fields, NEW.custom_fields), app_private.other_values(NEW.custom_fields, OLD.custom_fields)),
        ('internal', app_private.other_values(OLD.internal_fields, NEW.internal_fields), app_private.other_values(NEW.internal_fields, OLD.internal_fields))
    ) as fields (visibility, before, after)
    where fields.before <> '{}' or fields.after <> '{}'
    union all
    select
      case when NEW.snoozed_until is null then 'snooze_ended' else 'ticket_snoozed' end, 'internal',
      jsonb_build_object('snoozed_until', OLD.snoozed_until), jsonb_build_object('snoozed_until', NEW.snoozed_until)
    where NEW.snoozed_until is distinct from OLD.snoozed_until
    union all
    select
      case when NEW.status = OLD.status then 'state_changed' else 'status_changed' end, 'public',
      jsonb_build_object('status', OLD.status) || app_private.named_reference('state', OLD.state_id, (select name from app_public.ticket_states where organization_id = OLD.organization_id and id = OLD.state_id)),
      jsonb_build_object('status', NEW.status) || app_private.named_reference('state', NEW.state_id, (select name from app_public.ticket_states where organization_id = NEW.organization_id and id = NEW.state_id))
    where NEW.state_id <> OLD.state_id
  ) as change (type, visibility, before, after);
  return null;
end
$$;

comment on function app_private.tg_tickets__record_events() is 'Writes the events of a ticket that was changed.';

create or replace function app_private.other_values(these jsonb, those jsonb) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(these) where value is distinct from those -> key
$$;

comment on function app_private.other_values(jsonb, jsonb) is 'What one object says that another does not say, or says otherwise.';

create or replace function app_private.named_reference(word text, id uuid, name text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select jsonb_build_object(word || '_id', id, word || '_name', name)
$$;

comment on function app_private.named_reference(text, uuid, text) is 'A reference as an event keeps it: with the name it had at that time.';

create or replace trigger _500_record_creation after insert on app_public.tickets
  for each row execute function app_private.tg_tickets__record_creation();

create or replace trigger _500_record_events after update on app_public.tickets
  for each row when (NEW.version <> OLD.version) execute function app_private.tg_tickets__record_events();

create or replace function app_private.tg_ticket_events__notify() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  payload constant text := json_build_object('event', NEW.type, 'ticketId', NEW.ticket_id, 'eventId', NEW.id);
  -- Only what these events say is an id: a custom field may be called the same.
  former_assignee_id constant uuid := case NEW.type when 'assignee_changed' then NEW.before ->> 'assignee_id' end;
  former_team_id constant uuid := case NEW.type when 'team_changed' then NEW.before ->> 'team_id' end;
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
      -- Also whoever saw it until now, who hears that it went away and nothing after.
      agent.id in (ticket.assignee_id, ticket.requester_id, former_assignee_id)
      or exists (
        select
        from app_public.team_members as member
        where member.organization_id = agent.organization_id and member.user_id = agent.id
          and member.team_id in (ticket.team_id, former_team_id)
      )
    );

  if NEW.visibility = 'public' then
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

comment on function app_private.tg_ticket_events__notify() is 'Tells that something happened: those who follow the ticket or the inbox and see every team, the agents who see only their teams, its requester and the colleagues who may see it.';

create or replace trigger _800_notify after insert on app_public.ticket_events
  for each row execute function app_private.tg_ticket_events__notify();

create or replace function app_private.record_ticket_event(
  ticket app_public.tickets,
  type app_public.ticket_event_type,
  after jsonb default null,
  before jsonb default null,
  visibility app_public.comment_visibility default 'internal'
) returns uuid
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, before, after)
  values (
    ticket.organization_id, ticket.id, record_ticket_event.type, record_ticket_event.visibility, app_hidden.current_user_id(),
    app_hidden.current_actor_name(), record_ticket_event.before, record_ticket_event.after
  )
  returning id
$$;

comment on function app_private.record_ticket_event(app_public.tickets, app_public.ticket_event_type, jsonb, jsonb, app_public.comment_visibility) is
  'Writes one event of a ticket in the name of whoever acts, and returns its id. For functions that run as the owner.';

revoke all on function
  app_hidden.current_actor_name(), app_private.tg_tickets__stamp(), app_private.tg_tickets__refuse(),
  app_private.tg_tickets__record_creation(), app_private.tg_tickets__record_events(),
  app_private.named_reference(text, uuid, text), app_private.other_values(jsonb, jsonb), app_private.tg_ticket_events__notify(),
  app_private.record_ticket_event(app_public.tickets, app_public.ticket_event_type, jsonb, jsonb, app_public.comment_visibility)
from public;

grant execute on function app_hidden.current_actor_name() to atum_agent, atum_worker;
