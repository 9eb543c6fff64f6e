select app_private.reset_access('app_public.tickets');

-- Customers see the tickets they requested, and those of their company where its people share them.
create policy select_requester on app_public.tickets for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      requester_id = (select app_hidden.current_user_id())
      or company_id = (select app_hidden.shared_company_id())
    )
  );

-- Staff see every ticket; an agent who is restricted sees those of the own teams, and the own ones.
create policy select_staff on app_public.tickets for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or team_id = any ((select app_hidden.current_team_ids())::uuid[])
      or assignee_id = (select app_hidden.current_user_id())
      or requester_id = (select app_hidden.current_user_id())
    )
  );

-- NOTE: a restricted agent hands a ticket to another team only by keeping it assigned, because what is written must
-- be seen by whoever writes it.
create policy update_staff on app_public.tickets for update to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or team_id = any ((select app_hidden.current_team_ids())::uuid[])
      or assignee_id = (select app_hidden.current_user_id())
      or requester_id = (select app_hidden.current_user_id())
    )
  )
  with check (organization_id = (select app_hidden.current_organization_id()));

-- What staff writes on a ticket for itself, and the clocks it is measured by, are no part of what customers read.
grant select (
  organization_id, id, number, reference, subject, status, state_id, priority, channel, service_id, team_id, assignee_id,
  requester_id, created_by_id, company_id, client_mutation_key, custom_fields, merged_into_id, version, last_comment_at,
  first_responded_at, resolved_at, closed_at, created_at, updated_at
) on app_public.tickets to atum_customer;
grant select on app_public.tickets to atum_agent;
grant update (
  subject, status, state_id, priority, service_id, team_id, assignee_id, requester_id, tags, custom_fields, internal_fields,
  snoozed_until, version
) on app_public.tickets to atum_agent;
-- NOTE: insert is granted to nobody; create_ticket opens tickets.
-- NOTE: delete is granted to nobody; a ticket is evidence.

select app_private.reset_access('app_public.ticket_events');

-- Customers see what happened in public to the tickets they see.
create policy select_requester on app_public.ticket_events for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = ticket_events.organization_id and ticket.id = ticket_events.ticket_id
    )
  );

create policy select_staff on app_public.ticket_events for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_events.organization_id and ticket.id = ticket_events.ticket_id
      )
    )
  );

-- NOTE: only triggers write events.
-- What acted when no person did is called by the name of a rule, which is none of the customers'.
grant select (organization_id, id, ticket_id, type, visibility, actor_id, comment_id, before, after, created_at)
  on app_public.ticket_events to atum_customer;
grant select on app_public.ticket_events to atum_agent;

select app_private.reset_access('app_public.ticket_watchers');

create policy select_staff on app_public.ticket_watchers for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_watchers.organization_id and ticket.id = ticket_watchers.ticket_id
      )
    )
  );

grant select on app_public.ticket_watchers to atum_agent;

select app_private.reset_access('app_public.ticket_relationships');

create policy select_staff on app_public.ticket_relationships for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or (
        select count(*)
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_relationships.organization_id
          and ticket.id in (ticket_relationships.ticket_id, ticket_relationships.other_ticket_id)
      ) = 2
    )
  );

grant select on app_public.ticket_relationships to atum_agent;

select app_private.reset_access('app_public.ticket_merges');

create policy select_staff on app_public.ticket_merges for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or (
        select count(*)
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_merges.organization_id
          and ticket.id in (ticket_merges.source_ticket_id, ticket_merges.target_ticket_id)
      ) = 2
    )
  );

grant select on app_public.ticket_merges to atum_agent;
