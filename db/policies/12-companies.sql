select app_private.reset_access('app_public.companies');

-- Customers know the company they work for.
create policy select_member on app_public.companies for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_company_id())
  );

create policy select_staff on app_public.companies for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.companies for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.companies to atum_customer, atum_agent;
grant update (name, shares_tickets) on app_public.companies to atum_admin;
-- NOTE: made and removed by functions.
