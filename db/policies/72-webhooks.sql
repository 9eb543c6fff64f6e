select app_private.reset_access('app_public.webhooks');
select app_private.reset_access('app_private.webhook_secrets');
select app_private.reset_access('app_public.webhook_deliveries');
select app_private.reset_access('app_public.webhook_attempts');

create policy select_admin on app_public.webhooks for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

create policy select_admin on app_public.webhook_deliveries for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

create policy select_admin on app_public.webhook_attempts for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: all of them are written by functions, and the secrets are read by one that only the worker may ask.
grant select on app_public.webhooks, app_public.webhook_deliveries, app_public.webhook_attempts to atum_admin;
