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

-- Customers open tickets for themselves, in their own name, through the portal.
create policy insert_requester on app_public.tickets for insert to atum_customer
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and requester_id = (select app_hidden.current_user_id())
    and created_by_id = (select app_hidden.current_user_id())
    and channel = 'portal'
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

-- Staff open tickets for anybody in the organization, in their own name.
create policy insert_staff on app_public.tickets for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and created_by_id = (select app_hidden.current_user_id())
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

grant select on app_public.tickets to atum_customer, atum_agent;
grant insert (organization_id, subject, priority, channel, service_id, requester_id, created_by_id, client_mutation_key)
  on app_public.tickets to atum_customer, atum_agent;
grant update (subject, status, priority, service_id, team_id, assignee_id) on app_public.tickets to atum_agent;
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
grant select on app_public.ticket_events to atum_customer, atum_agent;
