select app_private.reset_access('app_public.users');

-- Customers see who helps them, themselves, and the colleagues with whom they share tickets.
create policy select_customer on app_public.users for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      role <> 'customer'
      or id = (select app_hidden.current_user_id())
      or company_id = (select app_hidden.shared_company_id())
    )
  );

create policy select_staff on app_public.users for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- Everybody says how they are called, and in which language and time zone they live.
create policy update_self on app_public.users for update to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
  )
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
  );

create policy update_admin on app_public.users for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: by column for customers, because the mail addresses of staff are not theirs to read.
grant select (organization_id, id, name, role) on app_public.users to atum_customer;
grant select on app_public.users to atum_agent;
grant update (name, locale, time_zone) on app_public.users to atum_customer, atum_agent;
grant update (skills, manages_company, email, role, company_id, restricted_to_teams, is_break_glass, disabled_at) on app_public.users to atum_admin;
-- NOTE: insert is granted to nobody; people are invited, register, or come by an identity provider.

select app_private.reset_access('app_private.user_secrets');

select app_private.reset_access('app_private.sessions');

select app_private.reset_access('app_private.authenticators');

select app_private.reset_access('app_private.recovery_codes');

select app_private.reset_access('app_private.login_challenges');

select app_private.reset_access('app_private.account_mails');

select app_private.reset_access('app_public.team_members');

create policy select_staff on app_public.team_members for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.team_members to atum_agent;
