select app_private.reset_access('app_public.ip_rules');

create policy select_admin on app_public.ip_rules for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: added and removed by functions, which ask an admin before they lock the admin out.
grant select on app_public.ip_rules to atum_admin;
