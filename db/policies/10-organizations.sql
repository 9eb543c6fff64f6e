select app_private.reset_access('app_public.organizations');

-- Everybody who is logged in knows the own organization and no other.
create policy select_member on app_public.organizations for select to atum_customer, atum_agent
  using (id = (select app_hidden.current_organization_id()));

grant select on app_public.organizations to atum_customer, atum_agent;

select app_private.reset_access('app_private.ticket_counters');

select app_private.reset_access('app_public.teams');

-- Which team works on what is the business of staff.
create policy select_staff on app_public.teams for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.teams to atum_agent;

create policy update_admin on app_public.teams for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant update (name, assignment_method) on app_public.teams to atum_admin;

select app_private.reset_access('app_public.services');

create policy select_customer on app_public.services for select to atum_customer
  using (organization_id = (select app_hidden.current_organization_id()));

create policy select_staff on app_public.services for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- What somebody must know to work on a service is said of colleagues.
grant select (organization_id, id, name, description, team_id, archived_at, created_at, updated_at) on app_public.services to atum_customer;
grant select on app_public.services to atum_agent;

create policy update_admin on app_public.services for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant update (name, description, team_id, required_skills, archived_at) on app_public.services to atum_admin;

select app_private.reset_access('app_public.ticket_states');

create policy select_member on app_public.ticket_states for select to atum_customer, atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.ticket_states for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.ticket_states to atum_customer, atum_agent;
grant update (name, position, archived_at) on app_public.ticket_states to atum_admin;

select app_private.reset_access('app_public.ticket_settings');

create policy select_staff on app_public.ticket_settings for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.ticket_settings for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.ticket_settings to atum_agent;
grant update (reopen_days, close_resolved_days, resolve_pending_days, undo_send_seconds) on app_public.ticket_settings to atum_admin;

select app_private.reset_access('app_public.tags');

create policy select_staff on app_public.tags for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: tags come by being put on a ticket.
grant select on app_public.tags to atum_agent;
