select app_private.reset_access('app_public.api_tokens');

-- Everybody sees the own ones.
create policy select_own on app_public.api_tokens for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
  );

create policy select_admin on app_public.api_tokens for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.api_tokens to atum_customer, atum_agent;
-- NOTE: made and revoked by functions.

select app_private.reset_access('app_private.api_token_secrets');
