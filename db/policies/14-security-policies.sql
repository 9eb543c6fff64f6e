select app_private.reset_access('app_public.security_policies');

create policy select_admin on app_public.security_policies for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: changed by change_security_policy, which keeps a way in.
grant select on app_public.security_policies to atum_admin;
