select app_private.reset_access('app_public.identity_providers');

create policy select_admin on app_public.identity_providers for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: saved and deleted by functions.
grant select on app_public.identity_providers to atum_admin;

select app_private.reset_access('app_private.identity_provider_secrets');

select app_private.reset_access('app_private.user_identities');
