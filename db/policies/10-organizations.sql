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

select app_private.reset_access('app_public.services');

create policy select_customer on app_public.services for select to atum_customer
  using (organization_id = (select app_hidden.current_organization_id()));

create policy select_staff on app_public.services for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.services to atum_customer, atum_agent;
