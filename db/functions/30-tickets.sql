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

create or replace function app_private.may_see_ticket(user_id uuid, ticket app_public.tickets) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.users as person
    left join app_public.companies as company on company.organization_id = person.organization_id and company.id = person.company_id
    where person.organization_id = ticket.organization_id and person.id = may_see_ticket.user_id and person.disabled_at is null
      and case
        when person.role = 'customer' then
          person.id = ticket.requester_id or (company.shares_tickets and company.id = ticket.company_id)
        when person.role = 'agent' and person.restricted_to_teams then
          person.id = ticket.requester_id
          or person.id = ticket.assignee_id
          or exists (
            select
            from app_public.team_members as member
            where member.organization_id = person.organization_id and member.user_id = person.id and member.team_id = ticket.team_id
          )
        else true
      end
  )
$$;

comment on function app_private.may_see_ticket(uuid, app_public.tickets) is 'Whether a person sees a ticket: what the policies of tickets would say to them.';

create or replace function app_hidden.sees_ticket(ticket app_public.tickets) returns boolean
  language sql stable
  set search_path = ''
as $$
  -- Neither yes nor no, for a ticket without a team or an assignee, would be taken for a yes by `not`.
  select coalesce(
    ticket.organization_id = app_hidden.current_organization_id()
    and case
      when not app_hidden.is_staff() then
        ticket.requester_id = app_hidden.current_user_id() or ticket.company_id = app_hidden.shared_company_id()
      else
        app_hidden.sees_every_team()
        or ticket.team_id = any (app_hidden.current_team_ids())
        or app_hidden.current_user_id() in (ticket.assignee_id, ticket.requester_id)
    end,
    false
  )
$$;

comment on function app_hidden.sees_ticket(app_public.tickets) is 'Whether the caller sees a ticket: what the policies of tickets say, for functions that run as the owner.';

create or replace function app_private.refuse_unseen_ticket(ticket app_public.tickets) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  -- Jobs act for nobody, and see what their organization has.
  if app_hidden.current_user_id() is not null and not app_hidden.sees_ticket(ticket) then
    raise exception using errcode = '42501', message = 'Whoever writes a ticket must see it afterwards';
  end if;
end
$$;

comment on function app_private.refuse_unseen_ticket(app_public.tickets) is 'Refuses what would put a ticket out of the caller''s sight, as the policies of tickets do, for functions that run as the owner.';

-- Queries

-- The columns that only staff may read are no part of what a customer is handed as a whole row.
create or replace function app_private.as_seen_by_caller(ticket app_public.tickets) returns app_public.tickets
  language plpgsql stable
  set search_path = ''
as $$
begin
  if not app_hidden.is_staff() then
    ticket.tags := '{}';
    ticket.internal_fields := '{}';
    ticket.snoozed_until := null;
    ticket.next_due_at := null;
    ticket.breached := false;
  end if;
  return ticket;
end
$$;

comment on function app_private.as_seen_by_caller(app_public.tickets) is 'A ticket without what its reader may not see of it.';

create or replace function app_public.ticket_by_number(number integer) returns app_public.tickets
  language sql stable security definer
  set search_path = ''
as $$
  select (app_private.as_seen_by_caller(ticket)).*
  from app_public.tickets as ticket
  where ticket.organization_id = app_hidden.current_organization_id()
    and ticket.number = ticket_by_number.number
    and app_hidden.sees_ticket(ticket)
$$;

comment on function app_public.ticket_by_number(integer) is 'The ticket with this number in the caller''s organization, or null when there is none the caller may see.';

create or replace function app_private.ticket_made_before(client_mutation_key text) returns app_public.tickets
  language plpgsql stable
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
begin
  select * into ticket
  from app_public.tickets as made
  where made.organization_id = app_hidden.current_organization_id()
    and made.created_by_id = app_hidden.current_user_id()
    and made.client_mutation_key = ticket_made_before.client_mutation_key;
  -- It may have gone to somebody else since.
  if found and not app_hidden.sees_ticket(ticket) then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;
  return ticket;
end
$$;

comment on function app_private.ticket_made_before(text) is
  'The ticket that an earlier call of the caller with this key made, or null; for functions that run as the owner. Error NOT_FOUND when the caller does not see it any more.';

-- Mutations

create or replace function app_private.open_ticket(
  subject text,
  body text,
  priority app_public.ticket_priority,
  service_id uuid,
  requester_id uuid,
  custom_fields jsonb,
  tags text[],
  client_mutation_key text,
  attachment_ids uuid[],
  template app_public.ticket_templates default null
) returns app_public.tickets
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  description app_public.comments;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to open a ticket';
  end if;

  -- A retry is answered before anything is tried: it uses up no number, and no rule that came since refuses it.
  ticket := app_private.ticket_made_before(open_ticket.client_mutation_key);
  if ticket.id is not null then
    return ticket;
  end if;

  if not app_hidden.is_staff() and (open_ticket.requester_id <> caller_id or open_ticket.tags <> '{}') then
    raise exception using errcode = '42501', message = 'Only staff open tickets for others and tag them';
  end if;

  insert into app_public.tickets (
    organization_id, subject, priority, service_id, requester_id, created_by_id, channel, custom_fields, tags, client_mutation_key
  )
  values (
    caller_organization_id, btrim(open_ticket.subject), coalesce(open_ticket.priority, 'normal'), open_ticket.service_id,
    coalesce(open_ticket.requester_id, caller_id), caller_id,
    case when app_hidden.is_staff() then 'desk' else 'portal' end::app_public.ticket_channel,
    coalesce(open_ticket.custom_fields, '{}'), coalesce(open_ticket.tags, '{}'), open_ticket.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into ticket;

  if found then
    -- Everybody sees what they ask for themselves.
    if ticket.requester_id <> caller_id then
      perform app_private.refuse_unseen_ticket(ticket);
    end if;

    -- What the template says for staff, whoever begins with it.
    if template.tags <> '{}' or template.custom_fields <> '{}' then
      update app_public.tickets as made
      set tags = template.tags, custom_fields = template.custom_fields || made.custom_fields
      where made.organization_id = ticket.organization_id and made.id = ticket.id
      returning * into ticket;
    end if;

    -- Only here: whoever mails, or splits a comment, is shown no form.
    perform app_private.require_fields(ticket, 'creating');

    insert into app_public.comments (organization_id, ticket_id, author_id, body)
    values (caller_organization_id, ticket.id, caller_id, open_ticket.body)
    returning * into description;
    if open_ticket.attachment_ids <> '{}' then
      perform app_hidden.attach_uploads(description, open_ticket.attachment_ids);
    end if;

    insert into app_public.checklist_items (organization_id, ticket_id, position, text)
    select ticket.organization_id, ticket.id, step.number, step.text
    from unnest(template.checklist) with ordinality as step (text, number);
  end if;

  -- Read again: of another call with the same key, or because the triggers set its clocks.
  select * into strict ticket
  from app_public.tickets as made
  where made.organization_id = caller_organization_id
    and case
      when ticket.id is null then
        made.created_by_id = caller_id and made.client_mutation_key = open_ticket.client_mutation_key
      else made.id = ticket.id
    end;
  return ticket;
end
$$;

comment on function app_private.open_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[], app_public.ticket_templates) is
  'Opens a ticket for the caller, with what a template says where there is one; for functions that run as the owner. Errors as `create_ticket`.';

create or replace function app_public.create_ticket(
  subject text,
  body text,
  priority app_public.ticket_priority default 'normal',
  service_id uuid default null,
  requester_id uuid default null,
  custom_fields jsonb default '{}',
  tags text[] default '{}',
  client_mutation_key text default null,
  attachment_ids uuid[] default '{}'
) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  return app_private.as_seen_by_caller(app_private.open_ticket(
    subject, body, priority, service_id, requester_id, custom_fields, tags, client_mutation_key, attachment_ids
  ));
end
$$;

comment on function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[]) is
  'Opens a ticket and returns it. `subject` has 1 to 200 characters, `body` 1 to 65,536 bytes of plain text. Staff may name another `requesterId`; without one the caller is the requester. `customFields` holds values by the key of the field; `tags` are up to 30, from staff only. `attachmentIds` are the row ids of files that you uploaded for it. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the ticket the first call made. Errors: UNAUTHENTICATED, INVALID_INPUT, FORBIDDEN for a ticket you would not see, NOT_FOUND for a service or requester that is not there, SERVICE_ARCHIVED, TOO_MANY_ATTACHMENTS, ATTACHMENT_NOT_FOUND, ATTACHMENT_INFECTED, ATTACHMENT_REMOVED; FIELD_UNKNOWN, FIELD_INVALID, FIELD_NOT_ASKED and FIELD_REQUIRED_TO_CREATE with the key of the field in `details.field`.';

revoke all on function
  app_hidden.current_team_ids(), app_hidden.sees_every_team(), app_private.may_see_ticket(uuid, app_public.tickets),
  app_hidden.sees_ticket(app_public.tickets), app_private.refuse_unseen_ticket(app_public.tickets), app_private.as_seen_by_caller(app_public.tickets),
  app_private.ticket_made_before(text), app_public.ticket_by_number(integer),
  app_private.open_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[], app_public.ticket_templates),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[])
from public;

grant execute on function
  app_public.ticket_by_number(integer),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[])
to atum_customer, atum_agent;
grant execute on function app_hidden.current_team_ids(), app_hidden.sees_every_team() to atum_agent;
